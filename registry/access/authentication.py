"""Who is asking: a bearer token or a browser's cookie -> an actor with its grants, in one query."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, select, update
from sqlalchemy.sql.elements import ColumnElement
from sqlmodel import col

from registry.access.actor import Actor, ActorKind, Grant, Role, Scope, ScopeKind
from registry.access.service import secret_hash
from registry.access.tables import ActorRow, GrantRow, SessionRow, TokenRow
from registry.errors import UnauthenticatedError
from registry.prepared import Prepared
from registry.unit import Unit

USE_RESOLUTION = timedelta(minutes=1)
"""The last use of a token is kept to this."""

_COLUMNS = (
    col(TokenRow.id),
    col(TokenRow.is_bootstrap),
    col(TokenRow.expires_at),
    col(TokenRow.revoked_at),
    col(TokenRow.last_used_at),
    col(ActorRow.id),
    col(ActorRow.kind),
    col(ActorRow.responsible_id),
    col(ActorRow.left_at),
    col(GrantRow.role),
    col(GrantRow.scope_kind),
    col(GrantRow.scope_name),
    col(GrantRow.granted_by),
    col(GrantRow.on_behalf_of),
    col(GrantRow.expires_at),
)
_OPEN_GRANT: ColumnElement[bool] = (col(GrantRow.actor_id) == col(ActorRow.id)) & col(GrantRow.revoked_at).is_(None)
_OF_TOKEN = Prepared(
    select(*_COLUMNS)
    .select_from(TokenRow)
    .join(ActorRow, col(ActorRow.id) == col(TokenRow.actor_id))
    .outerjoin(GrantRow, _OPEN_GRANT)
    .where(col(TokenRow.secret_hash) == bindparam("secret_hash"))
)
_OF_SESSION = Prepared(
    select(*_COLUMNS)
    .select_from(SessionRow)
    .join(TokenRow, col(TokenRow.id) == col(SessionRow.token_id))
    .join(ActorRow, col(ActorRow.id) == col(TokenRow.actor_id))
    .outerjoin(GrantRow, _OPEN_GRANT)
    .where(col(SessionRow.secret_hash) == bindparam("secret_hash"), col(SessionRow.expires_at) > bindparam("now"))
)

_OF_TOKEN_ID = Prepared(
    select(*_COLUMNS)
    .select_from(TokenRow)
    .join(ActorRow, col(ActorRow.id) == col(TokenRow.actor_id))
    .outerjoin(GrantRow, _OPEN_GRANT)
    .where(col(TokenRow.id) == bindparam("token_id"))
)


def actor_of_token(unit: Unit, token: str) -> Actor:
    """The actor whose API token this is.

    Raises:
        UnauthenticatedError: unknown, expired, revoked, or of an actor who has left.
    """
    rows = _OF_TOKEN.rows(unit.connection, {"secret_hash": secret_hash(token)})
    if not rows:
        raise UnauthenticatedError("This API token is unknown.", "Check that it was copied whole.")
    return _actor(rows, unit.now)


def actor_of_session(unit: Unit, cookie: str) -> Actor:
    """The actor who signed this browser in.

    Raises:
        UnauthenticatedError: the session has ended, or its token no longer opens anything.
    """
    rows = _OF_SESSION.rows(unit.connection, {"secret_hash": secret_hash(cookie), "now": unit.now})
    if not rows:
        raise UnauthenticatedError("Your session has ended.", "Sign in again.")
    return _actor(rows, unit.now)


def actor_as_of_now(unit: Unit, actor: Actor) -> Actor:
    """The actor with the grants that it has in this transaction; it may have been found out a while ago.

    Raises:
        UnauthenticatedError: its token was revoked or has expired meanwhile, or it has left.
    """
    if actor.token_id is None:
        return actor
    return _actor(_OF_TOKEN_ID.rows(unit.connection, {"token_id": actor.token_id}), unit.now)


def _actor(rows: Sequence[tuple[Any, ...]], now: datetime) -> Actor:
    token_id, is_bootstrap, expires_at, revoked_at, used_at, actor_id, kind, responsible_id, left_at = rows[0][:9]
    if revoked_at is not None:
        raise UnauthenticatedError("This API token was revoked.", "Ask for another one.")
    if expires_at <= now:
        raise UnauthenticatedError("This API token has expired.", "Make another one: `acta token create`.")
    if left_at is not None:
        raise UnauthenticatedError("The actor of this API token has left.")
    grants = [
        Grant(Role(role), Scope(ScopeKind(scope_kind), scope_name), granted_by, on_behalf_of)
        for *_, role, scope_kind, scope_name, granted_by, on_behalf_of, ends_at in rows
        if role is not None and (ends_at is None or ends_at > now)
    ]
    own = tuple(grant for grant in grants if grant.on_behalf_of is None)
    delegated = tuple(grant for grant in grants if grant.on_behalf_of is not None)
    return Actor(actor_id, ActorKind(kind), responsible_id, own, token_id, used_at, is_bootstrap, delegated)


def note_use(unit: Unit, token_id: UUID) -> None:
    """Keep when a token was last used, to the minute."""
    recently = unit.now - USE_RESOLUTION
    unit.session.execute(
        update(TokenRow)
        .where(
            col(TokenRow.id) == token_id,
            col(TokenRow.last_used_at).is_(None) | (col(TokenRow.last_used_at) < recently),
        )
        .values(last_used_at=unit.now)
    )
