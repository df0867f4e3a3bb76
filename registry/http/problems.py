"""Every error as RFC 9457 problem details: one function turns domain errors into responses."""

import logging
import re
from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

from litestar import Request, Response
from litestar.exceptions import HTTPException, ValidationException
from litestar.plugins.problem_details import ProblemDetailsException

from audit.errors import EntryError
from registry import errors
from registry.http.logs import request_id_of

STATUS: dict[type[errors.ActaError], int] = {
    errors.InvalidInputError: 400,
    errors.UnauthenticatedError: 401,
    errors.RefusedError: 403,
    errors.NotFoundError: 404,
    errors.ConflictError: 409,
    errors.OutdatedRevisionError: 412,
    errors.TooLargeError: 413,
    errors.UnprocessableError: 422,
    errors.PreconditionRequiredError: 428,
    errors.UnavailableError: 503,
}

UNSTORABLE = (OverflowError, RecursionError, UnicodeError, EntryError)
"""What only a request's own values cause: integers beyond 64 bits, bottomless nesting, NUL or broken characters."""

# As msgspec words it.
_NAMED = re.compile(r"Object (?P<kind>missing required|contains unknown) field `(?P<field>[^`]+)`")

_SLUGS = {404: "not-found", 405: "method-not-allowed", 413: "too-large"}

logger = logging.getLogger("acta.request")


@runtime_checkable
class Detailed(Protocol):
    """An error that tells clients more than sentence and remedy: extension members of RFC 9457, section 3.2."""

    def details(self) -> Mapping[str, object]:
        """The members, by name."""
        ...


def type_uri(slug: str) -> str:
    """The `type` of a problem: a URN, since no page on the web has to exist for it."""
    return f"urn:acta:problem:{slug}"


def request_id(request: Request[Any, Any, Any]) -> str:
    """The id under which the logs know this request."""
    return request_id_of(request.scope)


def problem_of(request: Request[Any, Any, Any], error: Exception) -> ProblemDetailsException:
    """The problem details of any exception that a route may raise."""
    instance = f"urn:acta:request:{request_id(request)}"
    if isinstance(error, errors.ActaError):
        return _domain_problem(error, instance)
    if isinstance(error, UNSTORABLE):
        refused = errors.InvalidInputError("request", "(not shown)", "a number, a text or its nesting is out of bounds")
        return _domain_problem(refused, instance)
    if isinstance(error, ValidationException):
        return ProblemDetailsException(
            detail="The request does not have the form that this route takes.",
            status_code=400,
            type_=type_uri("invalid-input"),
            title=errors.InvalidInputError.title,
            instance=instance,
            extra={"errors": _fields(error)},
        )
    if isinstance(error, HTTPException):
        slug = _SLUGS.get(error.status_code, "http")
        return ProblemDetailsException(
            detail=error.detail,
            status_code=error.status_code,
            type_=type_uri(slug),
            title=error.detail,
            instance=instance,
            headers=error.headers,
        )
    logger.error("unexpected error", exc_info=error, extra={"request_id": request_id(request)})
    return ProblemDetailsException(
        detail="Acta met an error that it did not expect; nothing was changed. "
        f"The server's log has it under {request_id(request)}.",
        status_code=500,
        type_=type_uri("internal"),
        title="An error of Acta's own",
        instance=instance,
    )


def _domain_problem(error: errors.ActaError, instance: str) -> ProblemDetailsException:
    status = next(code for kind, code in STATUS.items() if isinstance(error, kind))
    extra: dict[str, Any] = {}
    if error.remedy:
        extra["remedy"] = error.remedy
    if isinstance(error, errors.InvalidInputError):
        extra["errors"] = [{"field": error.field, "rule": error.rule}]
    elif isinstance(error, errors.UnprocessableError):
        extra["errors"] = [{"field": error.field, "rule": error.sentence}]
    if isinstance(error, Detailed):
        extra.update(error.details())
    headers = {"WWW-Authenticate": "Bearer"} if status == 401 else {"Retry-After": "1"} if status == 503 else None
    return ProblemDetailsException(
        detail=error.sentence,
        status_code=status,
        type_=type_uri(error.slug),
        title=error.title,
        instance=instance,
        extra=extra,
        headers=headers,
    )


def _fields(error: ValidationException) -> list[dict[str, str]]:
    extra = error.extra if isinstance(error.extra, list) else []
    found = [_field(str(item.get("key", "body")), str(item["message"])) for item in extra if item]
    return found or [{"field": "body", "rule": error.detail}]


def _field(key: str, message: str) -> dict[str, str]:
    """A field that is missing or unknown is named by the message alone: the error is of the object around it."""
    named = _NAMED.search(message)
    if named is None:
        return {"field": key, "rule": message}
    field = named["field"] if key == "data" else f"{key}.{named['field']}"
    return {
        "field": field,
        "rule": "it is missing" if named["kind"] == "missing required" else "there is no such field",
    }


def respond(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    """The exception handler of the whole application."""
    return problem_of(request, error).to_response(request)
