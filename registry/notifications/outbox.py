"""What is to be sent: rows and jobs, written in the transaction that makes them necessary."""

from collections.abc import Iterable, Mapping
from uuid import UUID, uuid4

from sqlalchemy import insert
from sqlmodel import SQLModel

from registry.jobs.service import enqueue
from registry.notifications.events import Event, Subject
from registry.notifications.tables import Channel, DeliveryRow, NotificationRow
from registry.unit import Unit

DELIVERY_ATTEMPTS = 20
"""With the back-off of jobs, from two seconds to an hour: the last one comes some hours after the first."""

_NOTIFICATION = SQLModel.metadata.tables[NotificationRow.__tablename__]


def write_notification(
    unit: Unit,
    event: Event,
    subject: Subject,
    persons: Iterable[UUID],
    facts: Mapping[str, str],
    alert_id: UUID | None = None,
) -> UUID:
    """One row, and its id; nothing is sent yet."""
    notification_id = uuid4()
    values = {
        "id": notification_id,
        "event": event.value,
        "subject_kind": subject.kind,
        "subject_id": subject.id,
        "title": subject.title,
        "path": subject.path,
        "model": subject.place.model,
        "team": subject.place.team,
        "persons": sorted({str(person) for person in persons}),
        "facts": dict(facts),
        "alert_id": alert_id,
        "raised_at": unit.now,
    }
    unit.connection.execute(insert(_NOTIFICATION), values)
    return notification_id


def deliver_to_webhook(unit: Unit, notification_id: UUID, webhook_id: UUID) -> DeliveryRow:
    """Send a notification to a webhook."""
    row = DeliveryRow(
        notification_id=notification_id, channel=Channel.WEBHOOK.value, webhook_id=webhook_id, created_at=unit.now
    )
    return _enqueued(unit, row)


def deliver_by_email(unit: Unit, notification_id: UUID, person_id: UUID | None, address: str | None) -> DeliveryRow:
    """Send a notification to a person's mailbox as it is then, or to an address that stands elsewhere."""
    row = DeliveryRow(
        notification_id=notification_id,
        channel=Channel.EMAIL.value,
        person_id=person_id,
        address=address,
        created_at=unit.now,
    )
    return _enqueued(unit, row)


def _enqueued(unit: Unit, row: DeliveryRow) -> DeliveryRow:
    row.job_id = enqueue(
        unit, None, "deliver", {"delivery_id": str(row.id)}, subject_id=row.id, most_attempts=DELIVERY_ATTEMPTS
    )
    unit.session.add(row)
    unit.session.flush()
    return row
