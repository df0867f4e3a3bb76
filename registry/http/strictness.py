"""Refuses what a route of the API would otherwise overlook: another kind of body, a parameter that it does not know.

A filter whose name is mistyped would else answer with everything.
"""

from collections.abc import Mapping
from typing import Any

from litestar import Litestar, Request
from litestar.enums import RequestEncodingType
from litestar.routes import HTTPRoute

from registry.errors import InvalidInputError, UnsupportedMediaTypeError

_API = "/api/"

QueryParameters = Mapping[object, frozenset[str]]
"""By route handler: the names of the query parameters that it takes."""


def query_parameters(app: Litestar) -> QueryParameters:
    """What each route handler of the API takes."""
    return {
        handler: frozenset(parameter.field_alias for parameter in model.expected_query_params)
        for route in app.routes
        if isinstance(route, HTTPRoute) and route.path.startswith(_API)
        for handler, model in route.route_handler_map.values()
    }


async def refuse_the_overlooked(request: Request[Any, Any, Any]) -> None:
    """Before each request.

    Raises:
        InvalidInputError: a query parameter that the route does not take.
        UnsupportedMediaTypeError: a body that says it is no JSON where JSON is taken.
    """
    if not request.scope["path"].startswith(_API):
        return
    if request.scope["query_string"]:
        _refuse_unknown_parameters(request)
    if request.method in {"POST", "PUT"}:
        _refuse_other_bodies(request)


def _refuse_unknown_parameters(request: Request[Any, Any, Any]) -> None:
    taken: frozenset[str] = request.app.state.query_parameters[request.route_handler]
    for name, value in request.query_params.multi_items():
        if name not in taken:
            known = f"it takes {', '.join(sorted(taken))}" if taken else "it takes none"
            raise InvalidInputError(name, value, f"this route has no such query parameter; {known}")


def _refuse_other_bodies(request: Request[Any, Any, Any]) -> None:
    given, _options = request.content_type
    # A route that takes a form has a guard that says so; who names no type means what the route takes.
    if given in {"", RequestEncodingType.JSON.value} or given.endswith("+json"):
        return
    body = request.route_handler.parsed_data_field
    declared = getattr(body, "kwarg_definition", None)
    if declared is not None and declared.media_type == RequestEncodingType.JSON:
        raise UnsupportedMediaTypeError(given, "application/json")
