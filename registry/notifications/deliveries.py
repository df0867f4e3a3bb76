"""The history of deliveries: what was sent to whom, how often it was tried, and how each attempt went."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlmodel import col

from registry.access.actor import Actor, Role
from registry.notifications.tables import AttemptRow, DeliveryRow, DeliveryState, NotificationRow
from registry.notifications.webhooks import get_webhook
from registry.unit import Unit

MOST_DELIVERIES = 200


@dataclass(frozen=True)
class Delivery:
    """A delivery, what it tells, and its attempts in the order in which they were made."""

    row: DeliveryRow
    notification: NotificationRow
    attempts: tuple[AttemptRow, ...]


def deliveries_to(unit: Unit, actor: Actor, webhook_id: UUID, state: DeliveryState | None) -> list[Delivery]:
    """What was sent to a webhook that the actor may manage, newest first; at most 200.

    Raises:
        NotFoundError: no such webhook, or the actor may not manage it.
    """
    get_webhook(unit, actor, webhook_id)
    return _found(unit, webhook_id, state)


def all_deliveries(unit: Unit, actor: Actor, state: DeliveryState | None) -> list[Delivery]:
    """Everything that was sent, e-mail too, newest first; at most 200.

    Raises:
        RefusedError: the actor is neither administrator nor auditor.
    """
    actor.require(Role.ADMINISTRATOR, Role.AUDITOR)
    return _found(unit, None, state)


def _found(unit: Unit, webhook_id: UUID | None, state: DeliveryState | None) -> list[Delivery]:
    query = (
        select(DeliveryRow, NotificationRow)
        .join(NotificationRow, col(NotificationRow.id) == col(DeliveryRow.notification_id))
        .order_by(col(DeliveryRow.created_at).desc(), col(DeliveryRow.id))
        .limit(MOST_DELIVERIES)
    )
    if webhook_id is not None:
        query = query.where(col(DeliveryRow.webhook_id) == webhook_id)
    if state is not None:
        query = query.where(col(DeliveryRow.state) == state.value)
    found = [(row[0], row[1]) for row in unit.session.execute(query)]
    attempts = _attempts(unit, [delivery.id for delivery, _ in found])
    return [Delivery(row, told, tuple(one for one in attempts if one.delivery_id == row.id)) for row, told in found]


def _attempts(unit: Unit, deliveries: Sequence[UUID]) -> list[AttemptRow]:
    query = select(AttemptRow).where(col(AttemptRow.delivery_id).in_(deliveries))
    return list(unit.session.execute(query.order_by(col(AttemptRow.started_at), col(AttemptRow.id))).scalars())
