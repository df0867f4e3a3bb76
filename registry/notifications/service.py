"""Telling of an event. Other capabilities call `notify` in the transaction that changes the state.

It writes one row and one job, whoever is to hear of it, and reads nothing: a worker works out the recipients and sends,
so that no mail server and no webhook ever delays or fails a request.

    notify(
        unit,
        Event.PROMOTION_REQUESTED,
        Subject("promotion", row.id, f"Request {row.number}", f"/promotions/{row.id}", found.place),
        holders_of(unit, found.place, wanted_roles),
        {"model": found.model.name, "version": str(found.version.number), "target stage": row.target_stage},
    )
"""

from collections.abc import Iterable, Mapping
from uuid import UUID

from sqlalchemy import and_, or_, select
from sqlmodel import col

from registry.access.actor import ActorKind, Place, Role, ScopeKind
from registry.access.tables import ActorRow, GrantRow
from registry.jobs.service import enqueue
from registry.notifications.events import Event, Subject
from registry.notifications.outbox import write_notification
from registry.unit import Unit

__all__ = ["Event", "Subject", "holders_of", "notify"]


def notify(unit: Unit, event: Event, subject: Subject, persons: Iterable[UUID], facts: Mapping[str, str]) -> UUID:
    """Tell `persons` by e-mail, and the webhooks that subscribe to the event there, once this transaction commits.

    `facts`: what is told, in the order in which people read it; no secrets. Webhooks get all of it. Returns the
    notification's id.
    """
    notification_id = write_notification(unit, event, subject, persons, facts)
    enqueue(unit, None, "notify", {"notification_id": str(notification_id)}, subject_id=subject.id)
    return notification_id


def holders_of(unit: Unit, place: Place, roles: Iterable[Role]) -> set[UUID]:
    """The persons here who hold one of the roles at `place`: one statement."""
    reaching = or_(
        col(GrantRow.scope_kind) == ScopeKind.ALL.value,
        and_(col(GrantRow.scope_kind) == ScopeKind.TEAM.value, col(GrantRow.scope_name) == place.team),
        and_(col(GrantRow.scope_kind) == ScopeKind.MODEL.value, col(GrantRow.scope_name) == place.model),
    )
    query = (
        select(col(GrantRow.actor_id))
        .join(ActorRow, col(ActorRow.id) == col(GrantRow.actor_id))
        .where(
            col(GrantRow.role).in_([role.value for role in roles]),
            col(GrantRow.revoked_at).is_(None),
            col(ActorRow.left_at).is_(None),
            col(ActorRow.kind) == ActorKind.PERSON.value,
            reaching,
        )
    )
    return set(unit.session.execute(query).scalars())
