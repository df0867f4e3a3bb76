"""What a refused request got wrong: which field of its body, which parameter, which place."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from litestar import Request
from litestar.exceptions import ValidationException
from litestar.utils.scope.state import ScopeState

from registry.errors import ActaError, InvalidInputError, NotFoundError

LARGEST_INTEGER = 2**63 - 1
"""What the databases store; also the largest row of any table."""

# As msgspec words it.
_NAMED = re.compile(r"Object (?P<kind>missing required|contains unknown) field `(?P<field>[^`]+)`")
_GOT = re.compile(r"got `(?P<kind>\w+)`")
_PLACE = re.compile(r" - at `[^`]*`$")
_STEP = re.compile(r"\[(?P<index>\d+|\.\.\.)\]|(?P<name>[^.\[\]]+)")

_WHOLE_BODY = "data"
"""How Litestar names the body: by the routes' parameter."""


def nothing_at(request: Request[Any, Any, Any]) -> ActaError:
    """No route leads to the address of the request."""
    nothing = NotFoundError("page or resource", request.scope["path"])
    nothing.remedy = "GET /schema/openapi.json lists the routes of the API."
    return nothing


def oversized_parameter(request: Request[Any, Any, Any]) -> ActaError | None:
    """The integer in the request's address that no row can have: in a path it names nothing, in a query it is wrong."""
    for value in request.path_params.values():
        if isinstance(value, int) and value > LARGEST_INTEGER:
            return NotFoundError("resource", request.scope["path"])
    for name, text in request.query_params.multi_items():
        if text.isdecimal() and (len(text) > len(str(LARGEST_INTEGER)) or int(text) > LARGEST_INTEGER):
            return InvalidInputError(name, text, "a number here lies below 2^63")
    return None


def faulty_fields(error: ValidationException, request: Request[Any, Any, Any]) -> list[dict[str, str]]:
    """The fields of a body, or the parameters, that do not have the form that the route takes."""
    extra = error.extra if isinstance(error.extra, list) else []
    body = ScopeState.from_scope(request.scope).json
    found = [_field(str(item.get("key", "body")), str(item["message"]), body) for item in extra if item]
    return found or [{"field": "body", "rule": error.detail}]


def reason_of(detail: str) -> str:
    """Why a body is no JSON, without a place that names no field."""
    return _PLACE.sub("", detail)


def _field(key: str, message: str, body: object) -> dict[str, str]:
    """A field that is missing or unknown is named by the message alone: the error is of the object around it."""
    if key == _WHOLE_BODY and message == repr(_WHOLE_BODY):
        return {"field": "body", "rule": "it is missing: send JSON"}
    place = "body" if key == _WHOLE_BODY else _with_keys(key, message, body)
    named = _NAMED.search(message)
    if named is None:
        return {"field": place, "rule": message}
    return {
        "field": named["field"] if place == "body" else f"{place}.{named['field']}",
        "rule": "it is missing" if named["kind"] == "missing required" else "there is no such field",
    }


def _with_keys(place: str, message: str, body: object) -> str:
    """`place` with the keys of its mappings, which msgspec writes `[...]`: those of the first value that it means."""
    got = _GOT.search(message)
    if "[...]" not in place or got is None:
        return place
    return next((path for path, value in _values_at(place, body) if _kind_of(value) == got["kind"]), place)


def _values_at(place: str, body: object) -> Iterator[tuple[str, object]]:
    reached: list[tuple[str, object]] = [("", body)]
    for step in _STEP.finditer(place):
        reached = [further for path, value in reached for further in _into(path, value, step)]
    yield from reached


def _into(path: str, value: object, step: re.Match[str]) -> Iterator[tuple[str, object]]:
    name, index = step["name"], step["index"]
    if name is not None and isinstance(value, Mapping) and name in value:
        yield (f"{path}.{name}" if path else name), value[name]
    elif index == "..." and isinstance(value, Mapping):
        yield from ((f"{path}[{key}]", member) for key, member in value.items())
    elif index is not None and index != "..." and isinstance(value, list) and int(index) < len(value):
        yield f"{path}[{index}]", value[int(index)]


def _kind_of(value: object) -> str:
    """A value's kind as msgspec names it."""
    match value:
        case None:
            return "null"
        case Mapping():
            return "object"
        case list():
            return "array"
        case _:
            return type(value).__name__
