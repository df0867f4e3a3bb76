"""Rules about all routes."""

import re

import pytest
from litestar.handlers import HTTPRouteHandler

from registry.http import guards

PUBLIC = {
    "/alerts/acknowledge",
    "/health/live",
    "/health/ready",
    "/schema",
    "/schema/openapi.json",
    "/schema/openapi.yaml",
    "/schema/{path:str}",
    "/sign-in",
}
"""Routes that anybody may ask; static files aside."""


def handlers(app):
    return [
        (route.path, handler)
        for route in app.routes
        for handler in getattr(route, "route_handlers", [])
        if isinstance(handler, HTTPRouteHandler)
    ]


def guard_names(handler):
    return {getattr(guard, "__qualname__", repr(guard)) for guard in handler.resolve_guards()}


def test_every_route_has_a_guard(client):
    for path, handler in handlers(client.http.app):
        if handler.http_methods == {"OPTIONS"}:
            continue
        assert handler.resolve_guards(), f"{sorted(handler.http_methods)} {path} has no guard"


def test_only_the_named_routes_are_open_to_all(client):
    opened = {
        path
        for path, handler in handlers(client.http.app)
        if guards.open_to_all.__qualname__ in guard_names(handler) and not path.startswith("/static")
    }
    assert opened <= PUBLIC


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
def test_no_route_of_the_api_answers_a_stranger(client, method):
    for path, handler in handlers(client.http.app):
        if not path.startswith("/api/v1") or method not in handler.http_methods:
            continue
        url = path
        for component in ("{name:str}", "{alias:str}", "{key:str}"):
            url = url.replace(component, "x")
        url = url.replace("{number:int}", "1").replace("{sequence:int}", "1")
        while "{" in url:
            start, end = url.index("{"), url.index("}")
            url = url[:start] + "00000000-0000-0000-0000-000000000000" + url[end + 1 :]
        answer = client.http.request(method, url)
        assert answer.status_code == 401, f"{method} {url} answered {answer.status_code}"
        assert answer.headers["content-type"] == "application/problem+json"


OF_ONESELF = {
    ("POST", "/api/v1/tokens"),
    ("DELETE", "/api/v1/tokens/{token_id:uuid}"),
    ("POST", "/api/v1/delegations"),
    ("DELETE", "/api/v1/delegations/{grant_id:uuid}"),
    ("PUT", "/api/v1/me/notifications"),
}
"""What everybody settles for themselves: tokens, delegates, and where they are told of events."""


def test_an_auditor_changes_nothing(client, people):
    auditor = client.as_(people.auditor)
    nothing = "00000000-0000-0000-0000-000000000000"
    for path, handler in handlers(client.http.app):
        for method in handler.http_methods & {"POST", "PUT", "DELETE"}:
            if not path.startswith("/api/v1") or (method, path) in OF_ONESELF:
                continue
            url = re.sub(r"{\w+:int}", "1", re.sub(r"{\w+:str}", "x", re.sub(r"{\w+:uuid}", nothing, path)))
            answer = client.http.request(method, url, headers=auditor)
            # 404: only who opened or owns a thing may go on with it, and that an auditor never does.
            assert answer.status_code in {403, 404}, f"{method} {url} answered {answer.status_code}: {answer.text}"


def test_the_schema_is_openapi_3_1_and_describes_every_route_of_the_api(client):
    schema = client.http.get("/schema/openapi.json").json()
    assert schema["openapi"].startswith("3.1")
    for path, operations in schema["paths"].items():
        if path.startswith("/api/"):
            for operation in operations.values():
                assert operation.get("description") or operation.get("summary"), path
