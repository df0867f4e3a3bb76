"""Errors for browsers: the same problem details as a page that says what happened and what to do."""

from typing import Any
from urllib.parse import quote

from litestar import Request, Response
from litestar.exceptions import NotFoundException
from litestar.response import Redirect

from registry.errors import UnauthenticatedError
from registry.http.logs import log_unrouted
from registry.http.problems import problem_of, request_id, respond
from registry.web.frame import framed

_NO_SUCH_PAGE = "There is no page at this address."
_SAFE_METHODS = {"GET", "HEAD"}


def respond_in_kind(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    """The exception handler of the whole application: pages for people, problem details for programs.

    A page that needs somebody signed in sends strangers to the sign-in page, and back afterwards.
    """
    response = _response_to(request, error)
    log_unrouted(request.scope, response)
    return response


def _response_to(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    if not _wants_page(request):
        return respond(request, error)
    if isinstance(error, UnauthenticatedError) and request.method in _SAFE_METHODS:
        query = request.scope["query_string"].decode("latin-1")
        target = request.scope["path"] + (f"?{query}" if query else "")
        return Redirect(f"/sign-in?next={quote(target, safe='')}", status_code=303)
    problem = problem_of(request, error)
    extra = problem.extra if isinstance(problem.extra, dict) else {}
    context = {
        "status": problem.status_code,
        "title": problem.title or "Error",
        "detail": _NO_SUCH_PAGE if isinstance(error, NotFoundException) else problem.detail,
        "undone": "Nothing was shown." if request.method in _SAFE_METHODS else "Nothing was changed.",
        "fields": extra.get("errors", []),
        "remedy": extra.get("remedy"),
        "request_id": request_id(request),
    }
    return framed(None, "error.html", context, problem.status_code)


def _wants_page(request: Request[Any, Any, Any]) -> bool:
    path: str = request.scope["path"]
    return "text/html" in request.headers.get("accept", "") and not path.startswith(
        ("/api/", "/static/", "/schema", "/log/", "/metrics", "/health/")
    )
