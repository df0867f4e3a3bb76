"""Structured logs with a request id, and the rotating access log of what strangers tried."""

import logging
import logging.handlers
import re
import secrets
import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import msgspec
from litestar import Response
from litestar.enums import ScopeType
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from registry.access.actor import Actor

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_ACCESS_LOG_BYTES = 10 * 2**20
_OF_EVERY_RECORD = {*vars(logging.makeLogRecord({})), "message", "asctime", "taskName"}

requests = logging.getLogger("acta.request")
strangers = logging.getLogger("acta.access")


class RequestLog(ASGIMiddleware):
    """Gives each request an id, returns it, and writes one line when the request is done."""

    scopes = (ScopeType.HTTP,)

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        """Wrap one request."""
        request_id = _request_id(scope)
        state: dict[str, Any] = scope.setdefault("state", {})
        state["request_id"] = request_id
        started = time.perf_counter()
        status = 0

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message.setdefault("headers", [])
                message["headers"] = [*message["headers"], (b"x-request-id", request_id.encode())]
            await send(message)

        try:
            await next_app(scope, receive, send_with_id)
        finally:
            _write(scope, request_id, status, time.perf_counter() - started)


def _request_id(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == b"x-request-id" and _REQUEST_ID.fullmatch(given := value.decode("latin-1")):
            return given
    return secrets.token_hex(8)


def request_id_of(scope: Scope) -> str:
    """The id under which the logs know this request. Where no middleware gave one, there is no route: one is given."""
    state: dict[str, Any] = scope.setdefault("state", {})
    request_id: str = state.get("request_id") or _request_id(scope)
    state["request_id"] = request_id
    return request_id


def log_unrouted(scope: Scope, response: Response[Any]) -> None:
    """Tell the id of a request for which there is no route, and log it. All others `RequestLog` has seen."""
    # Litestar's type says that the key is always there.
    if "route_handler" not in cast("Mapping[str, object]", scope):
        response.headers["x-request-id"] = request_id_of(scope)
        _write(scope, request_id_of(scope), response.status_code or 0, 0.0)


def _write(scope: Scope, request_id: str, status: int, seconds: float) -> None:
    actor = scope.get("user")
    line = {
        "request_id": request_id,
        "method": scope.get("method"),
        "path": scope["path"],
        "status": status,
        "milliseconds": round(seconds * 1000, 1),
        "actor": str(actor.id) if isinstance(actor, Actor) else None,
    }
    requests.info("request", extra=line)
    if status in {401, 403} or (isinstance(actor, Actor) and not scope["path"].startswith(("/api/", "/static/"))):
        strangers.info("access", extra=line | {"client": (scope.get("client") or ("?", 0))[0]})


class JsonLines(logging.Formatter):
    """One JSON object a record: what happened, when, at which level, and whatever the caller gave as `extra`."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        line: dict[str, Any] = {
            "timestamp": datetime.fromtimestamp(record.created, UTC),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage(),
        }
        line |= {name: value for name, value in vars(record).items() if name not in _OF_EVERY_RECORD}
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return msgspec.json.encode(line, enc_hook=str).decode()


def configure_logs(directory: Path | None, level: str = "INFO") -> None:
    """JSON lines on standard error; refusals and page views also into a rotating file in `directory`."""
    formatter = JsonLines()
    stream = logging.StreamHandler(sys.stderr)
    stream.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [stream]
    root.setLevel(logging.WARNING)
    logging.getLogger("acta").setLevel(level)
    strangers.propagate = False
    strangers.handlers[:] = []
    if directory is not None:
        directory.mkdir(parents=True, exist_ok=True)
        file = logging.handlers.RotatingFileHandler(
            directory / "access.log", maxBytes=_ACCESS_LOG_BYTES, backupCount=5, delay=True
        )
        file.setFormatter(formatter)
        strangers.addHandler(file)
