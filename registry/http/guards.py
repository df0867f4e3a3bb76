"""Guards: every route has one, and a test says so. They find out who asks, and whether roles allow it at all.

Whether the role reaches the model in question is decided by the service, which knows the model.
"""

import functools
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

from litestar.connection import ASGIConnection
from litestar.handlers.base import BaseRouteHandler

from registry.access.actor import Actor, Role
from registry.access.authentication import USE_RESOLUTION, actor_of_session, actor_of_token, note_use
from registry.errors import RefusedError, UnauthenticatedError
from registry.http.transactions import record_refusal, run_asking, run_writing
from registry.settings import Settings
from registry.unit import Unit, Units

Connection = ASGIConnection[Any, Any, Any, Any]
Guard = Callable[[Connection, BaseRouteHandler], Awaitable[None]]

SESSION_COOKIE = "acta_session"


async def open_to_all(_connection: Connection, _handler: BaseRouteHandler) -> None:
    """Anybody may ask, without signing in."""


async def signed_in(connection: Connection, _handler: BaseRouteHandler) -> None:
    """Any known actor; the service narrows it to what the actor's roles reach."""
    actor = await _authenticate(connection)
    await _refuse_bootstrap(connection, actor)


async def bootstrap_or_signed_in(connection: Connection, _handler: BaseRouteHandler) -> None:
    """Any known actor, and the one-time token of the first start."""
    await _authenticate(connection)


def requires(*roles: Role) -> Guard:
    """A guard that lets pass whoever holds one of `roles` on some scope."""

    async def guard(connection: Connection, handler: BaseRouteHandler) -> None:
        await signed_in(connection, handler)
        actor: Actor = connection.scope["user"]
        if not any(grant.role in roles for grant in actor.reach):
            wanted = " or ".join(role.value for role in roles)
            await _refuse(
                connection, actor, RefusedError(f"This needs the role {wanted}.", "An administrator grants it.")
            )

    return guard


async def requires_everything(connection: Connection, handler: BaseRouteHandler) -> None:
    """Whoever has some role on the whole installation."""
    await signed_in(connection, handler)
    actor: Actor = connection.scope["user"]
    if not actor.reads_everything:
        refusal = RefusedError("This needs a role on the whole installation.", "An administrator grants it.")
        await _refuse(connection, actor, refusal)


async def public_log_or_signed_in(connection: Connection, handler: BaseRouteHandler) -> None:
    """Anybody where the settings make the log public, else whoever has a role on the whole installation.

    The log holds what happened to every team's models.
    """
    if not _settings(connection).log_public:
        await requires_everything(connection, handler)


async def public_metrics_or_signed_in(connection: Connection, handler: BaseRouteHandler) -> None:
    """Anybody where the settings make the metrics public, else whoever has a role on the whole installation."""
    if not _settings(connection).metrics_public:
        await requires_everything(connection, handler)


def _settings(connection: Connection) -> Settings:
    settings: Settings = connection.app.state.settings
    return settings


async def _authenticate(connection: Connection) -> Actor:
    units: Units = connection.app.state.units
    find = _finder(connection)
    actor: Actor = await run_asking(units, find)
    connection.scope["user"] = actor
    return actor


def _finder(connection: Connection) -> Callable[[Unit], Actor]:
    header = connection.headers.get("authorization")
    if header is not None:
        scheme, _, token = header.partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise UnauthenticatedError("The Authorization header is not understood.", "Send: Bearer TOKEN.")
        return lambda unit: actor_of_token(unit, token.strip())
    cookie = connection.cookies.get(SESSION_COOKIE)
    # Browsers send cookies along with requests that other sites make; the API takes tokens only.
    if cookie is not None and not connection.scope["path"].startswith("/api/"):
        return lambda unit: actor_of_session(unit, cookie)
    raise UnauthenticatedError("This needs an API token.", "Send it as: Authorization: Bearer TOKEN.")


async def _refuse_bootstrap(connection: Connection, actor: Actor) -> None:
    if actor.is_bootstrap:
        refusal = RefusedError(
            "The one-time token can only be exchanged for an ordinary one.", "Run `acta token create` with it."
        )
        await _refuse(connection, actor, refusal)


async def _refuse(connection: Connection, actor: Actor, refusal: RefusedError) -> None:
    request_id = connection.scope.get("state", {}).get("request_id")
    units: Units = connection.app.state.units
    await run_writing(units.database, functools.partial(record_refusal, units, actor, refusal, request_id))
    raise refusal


async def keep_last_use(connection: Connection) -> None:
    """After the response: note that the token was used, at most once a minute."""
    actor = connection.scope.get("user")
    if not isinstance(actor, Actor) or actor.token_id is None:
        return
    if actor.token_used_at is not None and actor.token_used_at > datetime.now(UTC) - USE_RESOLUTION:
        return
    units: Units = connection.app.state.units
    token_id = actor.token_id

    def write() -> None:
        with units.writing() as unit:
            note_use(unit, token_id)

    await run_writing(units.database, write)
