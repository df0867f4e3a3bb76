"""Delegates: a person lets another act in one of their roles, on a scope, until a date.

A delegation is a grant on behalf of a person. Its holder counts as both persons in every rule of separation, and the
log names both. It ends by itself, when the person ends it, loses the role or leaves.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlmodel import col

from registry.access.actor import Actor, ActorKind, Role, Scope, ScopeKind
from registry.access.tables import ActorRow, GrantRow
from registry.errors import ConflictError, InvalidInputError, NotFoundError, RefusedError
from registry.names import checked_name
from registry.unit import Unit


def delegate_role(
    unit: Unit, actor: Actor, delegate_id: UUID, role: Role, scope: Scope, expires_at: datetime
) -> GrantRow:
    """Let another person act in a role of one's own.

    Raises:
        RefusedError: the actor is a machine, or does not hold the role on all of the scope in its own right.
        InvalidInputError: the delegate is oneself, a machine or nobody who is here, or the end is not ahead.
        ConflictError: this delegation exists.
    """
    if role is Role.ADMINISTRATOR:
        raise InvalidInputError("role", role.value, "administration is not delegated; another person is granted it")
    if actor.kind is not ActorKind.PERSON:
        raise RefusedError("Only a person has delegates.", "The person responsible for the machine names one.")
    if scope.kind is not ScopeKind.ALL:
        checked_name("scope", scope.name or "")
    if not any(grant.role is role and grant.scope in (scope, Scope(ScopeKind.ALL)) for grant in actor.grants):
        raise RefusedError(
            f"You do not hold the role {role.value} on {scope} yourself.", "Delegate a role that you were granted."
        )
    _check_delegate(unit, actor, delegate_id)
    if expires_at.tzinfo is None:
        raise InvalidInputError("expires_at", str(expires_at), "give the time zone, such as Z for UTC")
    if expires_at <= unit.now:
        raise InvalidInputError("expires_at", expires_at.isoformat(), "a delegation ends after now")
    _refuse_second(unit, actor, delegate_id, role, scope)
    row = GrantRow(
        actor_id=delegate_id,
        role=role.value,
        scope_kind=scope.kind.value,
        scope_name=scope.name,
        granted_by=actor.id,
        granted_at=unit.now,
        on_behalf_of=actor.id,
        expires_at=expires_at,
    )
    unit.session.add(row)
    unit.record(
        actor,
        "role.delegated",
        row.id,
        {
            "actor_id": delegate_id,
            "role": role,
            "scope_kind": scope.kind,
            "scope_name": scope.name,
            "on_behalf_of": actor.id,
            "granted_at": row.granted_at,
            "expires_at": expires_at,
        },
    )
    return row


def _check_delegate(unit: Unit, actor: Actor, delegate_id: UUID) -> None:
    row = unit.session.get(ActorRow, delegate_id)
    if row is None or row.kind != ActorKind.PERSON or row.left_at is not None:
        raise InvalidInputError("actor_id", str(delegate_id), "a delegate is a person who is here")
    if row.id == actor.id:
        raise InvalidInputError("actor_id", str(delegate_id), "name somebody else")


def _refuse_second(unit: Unit, actor: Actor, delegate_id: UUID, role: Role, scope: Scope) -> None:
    same = select(col(GrantRow.id)).where(
        col(GrantRow.actor_id) == delegate_id,
        col(GrantRow.on_behalf_of) == actor.id,
        col(GrantRow.role) == role.value,
        col(GrantRow.scope_kind) == scope.kind.value,
        col(GrantRow.scope_name).is_not_distinct_from(scope.name),
        col(GrantRow.revoked_at).is_(None),
        col(GrantRow.expires_at) > unit.now,
    )
    if unit.session.execute(same.limit(1)).first():
        raise ConflictError("This person is your delegate in that role already.", "End that delegation first.")


def end_delegation(unit: Unit, actor: Actor, grant_id: UUID) -> GrantRow:
    """End a delegation of one's own now.

    Raises:
        NotFoundError: there is none of this actor's, and it is no administrator.
        ConflictError: it has ended already.
    """
    row = unit.session.get(GrantRow, grant_id)
    if row is None or row.on_behalf_of is None:
        raise NotFoundError("delegation", grant_id)
    if actor.id != row.on_behalf_of and not actor.holds(Role.ADMINISTRATOR):
        raise NotFoundError("delegation", grant_id)
    if row.revoked_at is not None or (row.expires_at is not None and row.expires_at <= unit.now):
        raise ConflictError("This delegation has ended already.")
    _end(unit, actor, row)
    return row


def end_delegations_of(unit: Unit, actor: Actor, person_id: UUID, role: Role | None = None) -> None:
    """End what a person delegated, in one role or in all: it cannot outlast their own right."""
    query = select(GrantRow).where(col(GrantRow.on_behalf_of) == person_id, col(GrantRow.revoked_at).is_(None))
    if role is not None:
        query = query.where(col(GrantRow.role) == role.value)
    for row in unit.session.execute(query.order_by(col(GrantRow.granted_at), col(GrantRow.id))).scalars():
        _end(unit, actor, row)


def _end(unit: Unit, actor: Actor, row: GrantRow) -> None:
    row.revoked_at = unit.now
    unit.record(actor, "role.revoked", row.id, {"revoked_at": unit.now, "on_behalf_of": row.on_behalf_of})
