"""Sends what is to be sent, in a worker: works out who hears of an event, and takes one delivery to its receiver.

A failed attempt is tried again by the back-off of jobs. What fails for good, or as often as it is tried, is *dead*:
an administrator replays its job. Each attempt leaves when it was, how long it took, and the status that came back.
"""

import time
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlmodel import col

from registry.access.actor import Place
from registry.access.tables import ActorRow
from registry.errors import ActaError, UnavailableError, UnprocessableError
from registry.jobs.service import hold
from registry.jobs.worker import Work
from registry.notifications import mail
from registry.notifications.addresses import AddressRefusedError
from registry.notifications.keys import notification_key
from registry.notifications.mail import MailError
from registry.notifications.message import Told, email_text, signed_headers, webhook_body
from registry.notifications.outbox import DELIVERY_ATTEMPTS, deliver_by_email, deliver_to_webhook
from registry.notifications.tables import (
    AlertRow,
    AttemptRow,
    Channel,
    DeliveryRow,
    DeliveryState,
    MutedRow,
    NotificationRow,
    WebhookRow,
)
from registry.notifications.transport import NoAnswerError, Target, checked_target, post
from registry.notifications.webhooks import list_all, scope_of
from registry.unit import Unit, Value

_GONE = 410


class DeliveryFailedError(UnavailableError):
    """An attempt failed; the next may not."""


class DeliveryRefusedError(UnprocessableError):
    """Trying again would change nothing."""


@dataclass(frozen=True)
class _Parcel:
    """All that one delivery takes, read before anything is sent."""

    delivery_id: UUID
    told: Told
    webhook_id: UUID | None
    url: str
    sealed_secret: bytes
    mailbox: str | None


@dataclass(frozen=True)
class _Attempt:
    started_at: datetime
    duration_ms: int
    status: int | None
    error: str | None
    is_final: bool


def spread(work: Work) -> None:
    """Work out who hears of an event, and put one delivery for each receiver into the queue."""
    notification_id = UUID(work.lease.arguments["notification_id"])
    with work.units.reading() as unit:
        row = unit.session.get_one(NotificationRow, notification_id)
        place = Place(row.model, row.team)
        webhooks = [one.id for one in list_all(unit) if row.event in one.events and scope_of(one).covers(place)]
        people = _reachable(unit, row) if work.settings.smtp_host is not None else []
    with work.outcome({"webhooks": str(len(webhooks)), "mailboxes": str(len(people))}) as unit:
        for webhook_id in webhooks:
            deliver_to_webhook(unit, notification_id, webhook_id)
        for person_id in people:
            deliver_by_email(unit, notification_id, person_id, None)


def _reachable(unit: Unit, row: NotificationRow) -> list[UUID]:
    """Those of the notification's persons who are here, have an address, and have not muted the event."""
    query = (
        select(col(ActorRow.id), col(MutedRow.events))
        .outerjoin(MutedRow, col(MutedRow.person_id) == col(ActorRow.id))
        .where(
            # Of a machine the person who answers for it.
            col(ActorRow.id).in_(
                select(func.coalesce(col(ActorRow.responsible_id), col(ActorRow.id))).where(
                    col(ActorRow.id).in_([UUID(person) for person in row.persons])
                )
            ),
            col(ActorRow.left_at).is_(None),
            col(ActorRow.email).is_not(None),
        )
        .order_by(col(ActorRow.id))
    )
    return [person for person, muted in unit.session.execute(query) if row.event not in (muted or [])]


def deliver(work: Work) -> None:
    """Take one delivery to its receiver.

    Raises:
        DeliveryFailedError: no answer, or one that says no; it is tried again.
        DeliveryRefusedError: the receiver must not be reached, or wants nothing more.
    """
    delivery_id = UUID(work.lease.arguments["delivery_id"])
    with work.units.reading() as unit:
        parcel = _parcel(unit, work, delivery_id)
    started, clock = _now(work), time.monotonic()
    status, error, is_final = _send(work, parcel)
    attempt = _Attempt(started, round((time.monotonic() - clock) * 1000), status, error, is_final)
    if error is None:
        with work.outcome({"status": str(status)}) as unit:
            _keep(unit, work, parcel, attempt, DeliveryState.DELIVERED)
        return
    ends = is_final or work.lease.attempt >= DELIVERY_ATTEMPTS
    with work.units.writing(f"job-{work.lease.job_id}") as unit:
        hold(unit, work.lease)
        _keep(unit, work, parcel, attempt, DeliveryState.DEAD if ends else DeliveryState.QUEUED)
    if is_final:
        raise DeliveryRefusedError("delivery", f"The delivery is given up: {error}.")
    raise DeliveryFailedError(f"The delivery failed: {error}.")


def _now(work: Work) -> datetime:
    with work.units.reading() as unit:
        return unit.now


def _parcel(unit: Unit, work: Work, delivery_id: UUID) -> _Parcel:
    row = unit.session.get_one(DeliveryRow, delivery_id)
    notification = unit.session.get_one(NotificationRow, row.notification_id)
    alert = None if notification.alert_id is None else unit.session.get_one(AlertRow, notification.alert_id)
    told = Told.of(work.settings, notification, alert)
    if row.channel == Channel.WEBHOOK:
        webhook = unit.session.get_one(WebhookRow, row.webhook_id)
        url = "" if webhook.removed_at is not None else webhook.url
        return _Parcel(delivery_id, told, webhook.id, url, webhook.sealed_secret, None)
    person = None if row.person_id is None else unit.session.get_one(ActorRow, row.person_id)
    mailbox = row.address if person is None or person.left_at is not None else (row.address or person.email)
    return _Parcel(delivery_id, told, None, "", b"", mailbox)


def _send(work: Work, parcel: _Parcel) -> tuple[int | None, str | None, bool]:
    """Status, what went wrong, and whether that is for good."""
    if parcel.webhook_id is not None:
        return _send_to_webhook(work, parcel, parcel.webhook_id)
    if parcel.mailbox is None:
        return None, "the person has no e-mail address, or has left", True
    settings, subject, text = work.settings, parcel.told.heading, email_text(work.settings, parcel.told)
    try:
        return mail.send(settings, parcel.mailbox, subject, text, str(parcel.delivery_id)), None, False
    except MailError as error:
        return error.status, str(error), error.is_final
    except UnprocessableError as error:
        return None, error.sentence.rstrip("."), True


def _send_to_webhook(work: Work, parcel: _Parcel, webhook_id: UUID) -> tuple[int | None, str | None, bool]:
    if not parcel.url:
        return None, "the webhook was removed", True
    allowed = work.settings.webhook_allowed_hosts
    try:
        # The settings may allow less by now than when it was added.
        target: Target = checked_target("url", parcel.url, allowed)
        secret = notification_key(work.settings).open(webhook_id, parcel.sealed_secret)
        body = webhook_body(parcel.told)
        status = post(target, body, signed_headers(secret, parcel.delivery_id, body, _now(work)), allowed)
    except NoAnswerError as error:
        return None, f"no answer: {error}", False
    except UnavailableError:
        raise
    except AddressRefusedError as error:
        # A name may have another address tomorrow: it is tried again, and refused again.
        return None, error.sentence.rstrip("."), False
    except ActaError as error:
        return None, error.sentence.rstrip("."), True
    if 200 <= status < 300:
        return status, None, False
    return status, f"the receiver answered {status}", status == _GONE


def _keep(unit: Unit, work: Work, parcel: _Parcel, attempt: _Attempt, state: DeliveryState) -> None:
    unit.session.add(
        AttemptRow(
            delivery_id=parcel.delivery_id,
            attempt=work.lease.attempt,
            started_at=attempt.started_at,
            duration_ms=attempt.duration_ms,
            status=attempt.status,
            error=attempt.error,
        )
    )
    row = unit.session.get_one(DeliveryRow, parcel.delivery_id)
    row.state = state.value
    row.ended_at = None if state is DeliveryState.QUEUED else unit.now
    if state is DeliveryState.QUEUED:
        return
    kind, subject = ("mail", row.id) if row.webhook_id is None else ("webhook", row.webhook_id)
    verb = "delivered" if state is DeliveryState.DELIVERED else "given-up"
    changes: dict[str, Value] = {
        "delivery_id": row.id,
        "event": parcel.told.event,
        "subject_id": parcel.told.subject_id,
        "attempt": work.lease.attempt,
        "status": attempt.status,
    }
    unit.record(None, f"{kind}.{verb}", subject, changes)
