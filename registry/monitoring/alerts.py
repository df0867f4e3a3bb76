"""Trying the alert route of a plan: a real alert goes along it, and its owner acknowledges it by its link."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import select
from sqlmodel import col

from registry.access.actor import Actor
from registry.catalog.service import FoundVersion
from registry.errors import ConflictError
from registry.monitoring.plan import AlertRoute, EmailRoute, WebhookRoute, route_digest
from registry.monitoring.service import PLANNING, get_plan
from registry.notifications.events import Event, Subject
from registry.notifications.outbox import deliver_by_email, deliver_to_webhook, write_notification
from registry.notifications.tables import AlertRow, DeliveryRow, NotificationRow
from registry.unit import Unit

ACKNOWLEDGE_WITHIN = timedelta(days=7)
MOST_ALERTS = 100


@dataclass(frozen=True)
class SentAlert:
    """An alert, and how its delivery stands."""

    row: AlertRow
    delivery_state: str
    job_id: UUID | None


def send_test_alert(unit: Unit, actor: Actor, found: FoundVersion) -> SentAlert:
    """Send a real alert along the route of the version's plan, by a job; its owner acknowledges it within seven days.

    Raises:
        RefusedError: the actor is neither developer nor operations reviewer there.
        NotFoundError: no plan was stated.
        ConflictError: the plan names no owner or no route.
    """
    actor.require(*PLANNING, place=found.place)
    stated = get_plan(unit, found)
    plan, route = stated.plan, stated.plan.alert_route
    if plan.owner is None or route is None:
        missing = "owner" if plan.owner is None else "alert route"
        raise ConflictError(f"The monitoring plan names no {missing}.", "State it first: acta plan set FILE.")
    row = AlertRow(
        version_id=found.version.id,
        plan_revision=stated.row.revision,
        route_digest=route_digest(plan.owner, route),
        owner_id=plan.owner,
        raised_by=actor.id,
        raised_at=unit.now,
        expires_at=(unit.now + ACKNOWLEDGE_WITHIN).replace(microsecond=0),
    )
    unit.session.add(row)
    unit.session.flush()
    delivery = _deliver(unit, found, row, route, plan.owner)
    unit.record(
        actor,
        "alert.sent",
        row.id,
        {
            "version_id": row.version_id,
            "plan_revision": row.plan_revision,
            "route_sha256": row.route_digest.hex(),
            "owner_id": row.owner_id,
            "delivery_id": delivery.id,
            "raised_at": row.raised_at,
            "expires_at": row.expires_at,
        },
    )
    return SentAlert(row, delivery.state, delivery.job_id)


def _deliver(unit: Unit, found: FoundVersion, row: AlertRow, route: AlertRoute, owner: UUID) -> DeliveryRow:
    model, number = found.model.name, found.version.number
    subject = Subject(
        "version", found.version.id, f"{model} {number}", f"/models/{model}/versions/{number}", found.place
    )
    facts = {
        "what": "A test of the alert route. Nothing is wrong; acknowledge that it reached you.",
        "model": model,
        "version": str(number),
        "stage": found.version.stage,
    }
    notification_id = write_notification(unit, Event.ALERT_TEST, subject, (), facts, row.id)
    match route:
        case WebhookRoute(webhook=webhook_id):
            return deliver_to_webhook(unit, notification_id, webhook_id)
        case EmailRoute(address=address):
            return deliver_by_email(unit, notification_id, owner, address)


def alerts_of(unit: Unit, version_id: UUID) -> Sequence[SentAlert]:
    """The alerts of a version, newest first; at most 100."""
    query = (
        select(AlertRow, DeliveryRow)
        .join(NotificationRow, col(NotificationRow.alert_id) == col(AlertRow.id))
        .join(DeliveryRow, col(DeliveryRow.notification_id) == col(NotificationRow.id))
        .where(col(AlertRow.version_id) == version_id)
        .order_by(col(AlertRow.raised_at).desc(), col(AlertRow.id))
        .limit(MOST_ALERTS)
    )
    return [SentAlert(alert, delivery.state, delivery.job_id) for alert, delivery in unit.session.execute(query)]
