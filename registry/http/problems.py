"""Every error as RFC 9457 problem details: one function turns domain errors into responses."""

import logging
from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

from litestar import Request, Response
from litestar.exceptions import (
    HTTPException,
    MethodNotAllowedException,
    NotFoundException,
    SerializationException,
    ValidationException,
)
from litestar.plugins.problem_details import ProblemDetailsException

from audit.errors import EntryError
from registry import errors
from registry.http.faults import faulty_fields, nothing_at, oversized_parameter, reason_of
from registry.http.logs import request_id_of

STATUS: dict[type[errors.ActaError], int] = {
    errors.InvalidInputError: 400,
    errors.UnstorableError: 400,
    errors.UnauthenticatedError: 401,
    errors.RefusedError: 403,
    errors.NotFoundError: 404,
    errors.ConflictError: 409,
    errors.OutdatedRevisionError: 412,
    errors.TooLargeError: 413,
    errors.UnsupportedMediaTypeError: 415,
    errors.UnprocessableError: 422,
    errors.PreconditionRequiredError: 428,
    errors.UnavailableError: 503,
}

UNSTORABLE: Mapping[type[Exception], str] = {
    OverflowError: "an integer lies beyond 64 bits",
    RecursionError: "its lists and objects are nested too deeply",
    UnicodeError: "a text holds NUL or is no valid Unicode",
    EntryError: "an integer lies beyond 2^53 - 1, or a text is too long",
    errors.UnstorableError: errors.UnstorableError.rule,
}
"""What only a request's own values cause, in words."""

_SLUGS = {413: "too-large"}

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
    if isinstance(error, tuple(UNSTORABLE)):
        oversized = oversized_parameter(request)
        if oversized is not None:
            return _domain_problem(oversized, instance)
        rule = next(words for kind, words in UNSTORABLE.items() if isinstance(error, kind))
        return _form_problem(f"The request cannot be taken: {rule}.", [{"field": "request", "rule": rule}], instance)
    if isinstance(error, errors.ActaError):
        return _domain_problem(error, instance)
    if isinstance(error, NotFoundException):
        return _domain_problem(nothing_at(request), instance)
    if isinstance(error, MethodNotAllowedException):
        return _method_problem(request, error, instance)
    if isinstance(error, ValidationException):
        found = faulty_fields(error, request)
        return _form_problem("The request does not have the form that this route takes.", found, instance)
    if isinstance(error, HTTPException) and isinstance(error.__cause__, SerializationException):
        rule = f"it cannot be read as JSON ({reason_of(error.detail)})"
        return _form_problem(f"The body is not taken: {rule}.", [{"field": "body", "rule": rule}], instance)
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


def _form_problem(detail: str, found: list[dict[str, str]], instance: str) -> ProblemDetailsException:
    return ProblemDetailsException(
        detail=detail,
        status_code=400,
        type_=type_uri(errors.InvalidInputError.slug),
        title=errors.InvalidInputError.title,
        instance=instance,
        extra={"errors": found},
    )


def _method_problem(
    request: Request[Any, Any, Any], error: MethodNotAllowedException, instance: str
) -> ProblemDetailsException:
    allowed = (error.headers or {}).get("allow")
    return ProblemDetailsException(
        detail=f"{request.method} is not taken at {request.scope['path']!r}.",
        status_code=405,
        type_=type_uri("method-not-allowed"),
        title="Method not allowed",
        instance=instance,
        extra={"remedy": f"It takes {allowed}."} if allowed else {},
        headers=error.headers,
    )


def respond(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    """The exception handler of the whole application."""
    return problem_of(request, error).to_response(request)
