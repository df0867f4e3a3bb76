"""Actors, grants and tokens: what can be done."""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, and_, or_, select, text
from sqlalchemy.orm import Mapped
from sqlmodel import col

from registry.access.actor import Actor, ActorKind, Role, Scope, ScopeKind
from registry.access.delegations import end_delegations_of
from registry.access.tables import ActorRow, GrantRow, SessionRow, TokenRow
from registry.errors import ConflictError, InvalidInputError, NotFoundError, RefusedError, UnauthenticatedError
from registry.names import checked_label, checked_name
from registry.unit import Committed, Unit, Value

BOOTSTRAP_LIFETIME = timedelta(hours=24)

_ACCESS_LOCK = 0x41637461_41434345
"""PostgreSQL's advisory lock under which actors, roles and tokens change: "ActaACCE" in ASCII."""


@dataclass(frozen=True)
class IssuedToken:
    """A new token and its secret, which is shown now and never again."""

    row: TokenRow
    secret: str


def add_actor(
    unit: Unit, actor: Actor, *, kind: ActorKind, name: str, email: str | None, responsible_id: UUID | None
) -> ActorRow:
    """Make a person or a machine known.

    Raises:
        RefusedError: the actor is no administrator.
        InvalidInputError: a bad name, or a machine without a responsible person.
        ConflictError: the name is taken.
    """
    actor.require(Role.ADMINISTRATOR)
    checked_label("name", name)
    if email is not None:
        checked_label("email", email)
    if kind is ActorKind.MACHINE:
        _require_person(unit, responsible_id)
    elif responsible_id is not None:
        raise InvalidInputError("responsible_id", str(responsible_id), "only a machine has a responsible person")
    if unit.session.execute(select(col(ActorRow.id)).where(col(ActorRow.name) == name)).first():
        raise ConflictError(f"An actor named {name!r} exists already.", "Choose another name.")
    row = ActorRow(kind=kind.value, name=name, email=email, responsible_id=responsible_id, created_at=unit.now)
    unit.session.add(row)
    changes: dict[str, Value] = {"kind": kind, "name": Committed(name), "responsible_id": responsible_id}
    if email is not None:
        changes["email"] = Committed(email)
    unit.record(actor, "actor.added", row.id, changes)
    return row


def _take_turns(unit: Unit) -> None:
    """Let nobody else change actors, roles or tokens until this transaction ends: the rules look at several rows."""
    if not unit.database.is_sqlite:
        unit.session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ACCESS_LOCK})


def _require_person(unit: Unit, responsible_id: UUID | None) -> None:
    if responsible_id is None:
        raise InvalidInputError("responsible_id", None, "a machine needs a responsible person")
    person = get_actor(unit, responsible_id)
    if person.kind != ActorKind.PERSON or person.left_at is not None:
        raise InvalidInputError("responsible_id", str(responsible_id), "it must be a person who has not left")


def get_actor(unit: Unit, actor_id: UUID) -> ActorRow:
    """The actor with that id.

    Raises:
        NotFoundError: there is none.
    """
    row = unit.session.get(ActorRow, actor_id)
    if row is None:
        raise NotFoundError("actor", actor_id)
    return row


def list_actors(unit: Unit, actor: Actor, after: str | None, limit: int) -> Sequence[ActorRow]:
    """Actors by name, from the one after `after` on. For administrators and auditors of the whole installation."""
    actor.require(Role.ADMINISTRATOR, Role.AUDITOR, Role.RISK_OFFICER)
    query = select(ActorRow).order_by(col(ActorRow.name)).limit(limit)
    if after is not None:
        query = query.where(col(ActorRow.name) > after)
    return unit.session.execute(query).scalars().all()


def record_leaving(unit: Unit, actor: Actor, actor_id: UUID) -> ActorRow:
    """An actor leaves: from now on none of its tokens opens anything.

    Raises:
        ConflictError: it has left already, or is the last administrator.
    """
    actor.require(Role.ADMINISTRATOR)
    _take_turns(unit)
    row = get_actor(unit, actor_id)
    if row.left_at is not None:
        raise ConflictError("This actor has left already.")
    _keep_an_administrator(unit, actor_id)
    row.left_at = unit.now
    unit.record(actor, "actor.left", row.id, {"left_at": unit.now})
    end_delegations_of(unit, actor, actor_id)
    return row


def grant_role(unit: Unit, actor: Actor, actor_id: UUID, role: Role, scope: Scope) -> GrantRow:
    """Give an actor a role on a scope.

    Raises:
        RefusedError: the actor is no administrator, or grants to itself.
        ConflictError: the grant exists.
    """
    actor.require(Role.ADMINISTRATOR)
    _take_turns(unit)
    target = get_actor(unit, actor_id)
    if target.left_at is not None:
        raise ConflictError("This actor has left.", "Grant roles to actors who are here.")
    if actor.person_id in {target.id, target.responsible_id}:
        raise RefusedError(
            "Nobody grants a role to themselves, or to a machine that they answer for.", "Ask another administrator."
        )
    if scope.kind is not ScopeKind.ALL:
        checked_name("scope", scope.name or "")
    if role is Role.ADMINISTRATOR and scope.kind is not ScopeKind.ALL:
        raise InvalidInputError("scope", str(scope), "administrators administer the whole installation: scope 'all'")
    same = select(col(GrantRow.id)).where(
        col(GrantRow.actor_id) == actor_id,
        col(GrantRow.role) == role.value,
        col(GrantRow.scope_kind) == scope.kind.value,
        col(GrantRow.scope_name).is_not_distinct_from(scope.name),
        col(GrantRow.revoked_at).is_(None),
        col(GrantRow.on_behalf_of).is_(None),
    )
    if unit.session.execute(same).first():
        raise ConflictError(f"This actor is {role.value} on {scope} already.")
    row = GrantRow(
        actor_id=actor_id,
        role=role.value,
        scope_kind=scope.kind.value,
        scope_name=scope.name,
        granted_by=actor.id,
        granted_at=unit.now,
    )
    unit.session.add(row)
    changes: dict[str, Value] = {"actor_id": actor_id, "role": role, "scope_kind": scope.kind, "scope_name": scope.name}
    unit.record(actor, "role.granted", row.id, changes)
    return row


def revoke_role(unit: Unit, actor: Actor, grant_id: UUID) -> GrantRow:
    """End a grant now.

    Raises:
        ConflictError: it has ended already, or was the last administrator's.
    """
    actor.require(Role.ADMINISTRATOR)
    _take_turns(unit)
    row = unit.session.get(GrantRow, grant_id)
    if row is None:
        raise NotFoundError("role grant", grant_id)
    if row.revoked_at is not None:
        raise ConflictError("This grant has ended already.")
    if row.role == Role.ADMINISTRATOR:
        _keep_an_administrator(unit, row.actor_id)
    row.revoked_at = unit.now
    unit.record(actor, "role.revoked", row.id, {"revoked_at": unit.now})
    end_delegations_of(unit, actor, row.actor_id, Role(row.role))
    return row


def list_grants(unit: Unit, actor: Actor, actor_id: UUID) -> Sequence[GrantRow]:
    """All grants of an actor, ended ones too, oldest first; one's own are always readable."""
    if actor_id != actor.id:
        actor.require(Role.ADMINISTRATOR, Role.AUDITOR, Role.RISK_OFFICER)
    query = select(GrantRow).where(col(GrantRow.actor_id) == actor_id).order_by(col(GrantRow.granted_at))
    return unit.session.execute(query).scalars().all()


def _keep_an_administrator(unit: Unit, leaving: UUID) -> None:
    others = (
        select(col(GrantRow.id))
        .join(ActorRow, col(ActorRow.id) == col(GrantRow.actor_id))
        .where(
            col(GrantRow.role) == Role.ADMINISTRATOR.value,
            col(GrantRow.revoked_at).is_(None),
            col(ActorRow.left_at).is_(None),
            col(GrantRow.actor_id) != leaving,
        )
    )
    if not unit.session.execute(others.limit(1)).first():
        raise ConflictError("This is the last administrator.", "Grant the role to somebody else first.")


def create_token(unit: Unit, actor: Actor, actor_id: UUID, label: str, days: int) -> IssuedToken:
    """A new API token: for oneself, or by an administrator for anybody.

    The bootstrap token is used up by this: it makes one token, for the first administrator.

    Raises:
        RefusedError: for somebody else, without being administrator.
        InvalidInputError: a lifetime outside 1 to 3650 days.
    """
    if actor_id != actor.id:
        actor.require(Role.ADMINISTRATOR)
    checked_label("label", label)
    if not 1 <= days <= 3650:
        raise InvalidInputError("days", days, "a token lives from 1 to 3650 days")
    if get_actor(unit, actor_id).left_at is not None:
        raise ConflictError("This actor has left.", "Make tokens for actors who are here.")
    if actor.is_bootstrap:
        assert actor.token_id is not None
        _end_token(unit, actor, actor.token_id)
    return _issue(unit, actor, actor_id, label, unit.now + timedelta(days=days))


def _issue(
    unit: Unit, actor: Actor | None, actor_id: UUID, label: str, expires_at: datetime, *, is_bootstrap: bool = False
) -> IssuedToken:
    secret = "acta_" + secrets.token_urlsafe(32)
    row = TokenRow(
        actor_id=actor_id,
        secret_hash=secret_hash(secret),
        label=label,
        is_bootstrap=is_bootstrap,
        created_at=unit.now,
        expires_at=expires_at,
    )
    unit.session.add(row)
    changes: dict[str, Value] = {
        "actor_id": actor_id,
        "label": Committed(label),
        "expires_at": expires_at,
        "is_bootstrap": is_bootstrap,
    }
    unit.record(actor, "token.created", row.id, changes)
    return IssuedToken(row, secret)


def list_tokens(unit: Unit, actor: Actor, actor_id: UUID) -> Sequence[TokenRow]:
    """An actor's tokens, newest first, without their secrets, which nobody has."""
    if actor_id != actor.id:
        actor.require(Role.ADMINISTRATOR, Role.AUDITOR)
    query = select(TokenRow).where(col(TokenRow.actor_id) == actor_id).order_by(col(TokenRow.created_at).desc())
    return unit.session.execute(query).scalars().all()


def revoke_token(unit: Unit, actor: Actor, token_id: UUID) -> TokenRow:
    """End a token now: one's own, or by an administrator anybody's.

    Raises:
        NotFoundError: no such token, or one that the actor may not see.
        ConflictError: it is revoked already.
    """
    row = unit.session.get(TokenRow, token_id)
    if row is None or (row.actor_id != actor.id and not actor.holds(Role.ADMINISTRATOR)):
        raise NotFoundError("token", token_id)
    return _end_token(unit, actor, token_id)


def _end_token(unit: Unit, actor: Actor, token_id: UUID) -> TokenRow:
    _take_turns(unit)
    row = unit.session.get(TokenRow, token_id, populate_existing=True)
    assert row is not None
    if row.revoked_at is not None:
        raise ConflictError("This token is revoked already.")
    row.revoked_at = unit.now
    unit.record(actor, "token.revoked", row.id, {"revoked_at": unit.now})
    return row


def found_installation(unit: Unit) -> IssuedToken | None:
    """The first administrator and a one-time token, where no actor exists yet; else None."""
    if unit.session.execute(select(col(ActorRow.id)).limit(1)).first():
        return None
    return _issue(
        unit,
        None,
        _new_administrator(unit, "administrator"),
        "first start",
        unit.now + BOOTSTRAP_LIFETIME,
        is_bootstrap=True,
    )


def anybody_has_a_token(unit: Unit) -> bool:
    """Whether a one-time token was ever exchanged for an ordinary one."""
    query = select(col(TokenRow.id)).where(col(TokenRow.is_bootstrap).is_(False)).limit(1)
    return unit.session.execute(query).first() is not None


def _new_administrator(unit: Unit, name: str) -> UUID:
    row = ActorRow(kind=ActorKind.PERSON.value, name=name, created_at=unit.now)
    unit.session.add(row)
    unit.session.flush()
    unit.record(None, "actor.added", row.id, {"kind": ActorKind.PERSON, "name": Committed(row.name)})
    grant = GrantRow(
        actor_id=row.id, role=Role.ADMINISTRATOR.value, scope_kind=ScopeKind.ALL.value, granted_at=unit.now
    )
    unit.session.add(grant)
    changes: dict[str, Value] = {
        "actor_id": row.id,
        "role": Role.ADMINISTRATOR,
        "scope_kind": ScopeKind.ALL,
        "scope_name": None,
    }
    unit.record(None, "role.granted", grant.id, changes)
    return row.id


def recover_administration(unit: Unit) -> IssuedToken:
    """A one-time token for whoever has the server's files: for an administrator who is here, else for a new one."""
    _take_turns(unit)
    here = (
        select(col(GrantRow.actor_id))
        .join(ActorRow, col(ActorRow.id) == col(GrantRow.actor_id))
        .where(
            col(GrantRow.role) == Role.ADMINISTRATOR.value,
            col(GrantRow.revoked_at).is_(None),
            col(GrantRow.on_behalf_of).is_(None),
            col(ActorRow.left_at).is_(None),
        )
        .order_by(col(GrantRow.granted_at), col(GrantRow.id))
    )
    found = unit.session.execute(here.limit(1)).scalar()
    administrator = found or _new_administrator(unit, f"administrator, recovered {unit.now:%Y-%m-%d %H:%M:%S}")
    return _issue(
        unit, None, administrator, "recovered on the server", unit.now + BOOTSTRAP_LIFETIME, is_bootstrap=True
    )


def secret_hash(secret: str) -> bytes:
    """SHA-256 (32 bytes) under which a token or a session cookie is kept."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


def sign_in(unit: Unit, token: str, hours: int) -> str:
    """A new browser session for whoever holds `token`; returns the cookie's secret.

    Raises:
        UnauthenticatedError: the token is unknown, expired, revoked or the bootstrap token.
    """
    from registry.access.authentication import actor_of_token

    actor = actor_of_token(unit, token)
    if actor.is_bootstrap:
        raise UnauthenticatedError(
            "The one-time token only makes ordinary tokens.", "Exchange it first: `acta token create`."
        )
    secret = secrets.token_urlsafe(32)
    assert actor.token_id is not None
    expires_at = unit.now + timedelta(hours=hours)
    row = SessionRow(
        secret_hash=secret_hash(secret), token_id=actor.token_id, created_at=unit.now, expires_at=expires_at
    )
    unit.session.add(row)
    unit.record(actor, "session.opened", actor.id, {"token_id": actor.token_id, "expires_at": expires_at})
    return secret


def sign_out(unit: Unit, actor: Actor, cookie: str) -> None:
    """End a browser session."""
    row = unit.session.get(SessionRow, secret_hash(cookie))
    if row is not None:
        unit.session.delete(row)
        unit.record(actor, "session.closed", actor.id, {"token_id": row.token_id})


def visible(actor: Actor, model: Mapped[str], team: Mapped[str]) -> ColumnElement[bool] | None:
    """The condition on model name and team that keeps to what the actor may read; None where that is everything."""
    if actor.reads_everything:
        return None
    teams = [grant.scope.name for grant in actor.reach if grant.scope.kind is ScopeKind.TEAM]
    models = [grant.scope.name for grant in actor.reach if grant.scope.kind is ScopeKind.MODEL]
    return and_(or_(team.in_(teams), model.in_(models)))


def names_of(unit: Unit, actor_ids: set[UUID]) -> dict[UUID, str]:
    """The clear names behind pseudonymous ids, for pages and cards."""
    rows = unit.session.execute(
        select(col(ActorRow.id), col(ActorRow.name)).where(col(ActorRow.id).in_(actor_ids))
    ).all()
    return {row[0]: row[1] for row in rows}
