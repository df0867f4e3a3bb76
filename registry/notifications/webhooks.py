"""Webhooks: add, list, test, remove."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlmodel import col

from registry.access.actor import Actor, Place, Role, Scope, ScopeKind
from registry.catalog.service import get_model
from registry.errors import ConflictError, InvalidInputError, NotFoundError
from registry.names import checked_label, checked_name
from registry.notifications.events import Event, Subject
from registry.notifications.keys import NotificationKey, new_secret
from registry.notifications.outbox import deliver_to_webhook, write_notification
from registry.notifications.tables import DeliveryRow, WebhookRow
from registry.notifications.transport import checked_target
from registry.unit import Committed, Unit

MANAGING = (Role.ADMINISTRATOR, Role.RISK_OFFICER, Role.OPERATIONS_REVIEWER)
"""The roles that may add and remove webhooks, each as far as it reaches."""
MOST_WEBHOOKS = 200


@dataclass(frozen=True)
class AddedWebhook:
    """A new webhook and its secret, which is shown now and never again."""

    row: WebhookRow
    secret: str


def add_webhook(
    unit: Unit,
    actor: Actor,
    key: NotificationKey,
    allowed_hosts: Sequence[str],
    *,
    label: str,
    url: str,
    events: Sequence[Event],
    scope: Scope,
) -> AddedWebhook:
    """Let an address hear of events there. `events`: none for one that only serves as a route of alerts.

    Raises:
        RefusedError: the actor's role does not reach that far.
        InvalidInputError: a bad label or URL, or an event twice.
        NotFoundError: no such model.
        ConflictError: there are as many webhooks as are kept.
    """
    checked_label("label", label)
    target = checked_target("url", url, allowed_hosts)
    actor.require(*MANAGING, place=_place(unit, actor, scope))
    if len(set(events)) != len(events):
        raise InvalidInputError("events", [event.value for event in events], "name each kind of event once")
    if len(list_all(unit)) >= MOST_WEBHOOKS:
        raise ConflictError(f"There are {MOST_WEBHOOKS} webhooks already.", "Remove one that nobody needs.")
    secret = new_secret()
    webhook_id = uuid4()
    row = WebhookRow(
        id=webhook_id,
        label=label,
        url=target.url,
        events=[event.value for event in events],
        scope_kind=scope.kind.value,
        scope_name=scope.name,
        sealed_secret=key.seal(webhook_id, secret),
        created_by=actor.id,
        created_at=unit.now,
    )
    unit.session.add(row)
    unit.record(
        actor,
        "webhook.added",
        row.id,
        {
            "label": Committed(label),
            "url": Committed(row.url),
            "events": row.events,
            "scope_kind": scope.kind,
            "scope_name": scope.name,
        },
    )
    return AddedWebhook(row, secret)


def _place(unit: Unit, actor: Actor, scope: Scope) -> Place:
    match scope.kind:
        case ScopeKind.ALL:
            return Place()
        case ScopeKind.TEAM:
            return Place(team=checked_name("scope", scope.name or ""))
        case ScopeKind.MODEL:
            model = get_model(unit, actor, checked_name("scope", scope.name or ""))
            return Place(model.name, model.team)


def list_all(unit: Unit) -> list[WebhookRow]:
    """All webhooks that were not removed, oldest first."""
    query = select(WebhookRow).where(col(WebhookRow.removed_at).is_(None))
    return list(unit.session.execute(query.order_by(col(WebhookRow.created_at), col(WebhookRow.id))).scalars())


def list_webhooks(unit: Unit, actor: Actor) -> list[WebhookRow]:
    """The webhooks that were not removed and that the actor may manage, oldest first."""
    return [row for row in list_all(unit) if _manages(unit, actor, row)]


def get_webhook(unit: Unit, actor: Actor, webhook_id: UUID) -> WebhookRow:
    """A webhook that the actor may manage.

    Raises:
        NotFoundError: there is none, it was removed, or the actor's role does not reach that far.
    """
    row = unit.session.get(WebhookRow, webhook_id)
    if row is None or row.removed_at is not None or not _manages(unit, actor, row):
        raise NotFoundError("webhook", webhook_id)
    return row


def _manages(unit: Unit, actor: Actor, row: WebhookRow) -> bool:
    scope = scope_of(row)
    try:
        place = _place(unit, actor, scope)
    except NotFoundError:
        return False
    return actor.holds_any(MANAGING, place)


def scope_of(row: WebhookRow) -> Scope:
    """How far a webhook hears."""
    return Scope(ScopeKind(row.scope_kind), row.scope_name)


def remove_webhook(unit: Unit, actor: Actor, webhook_id: UUID) -> WebhookRow:
    """Send nothing more to a webhook. What is on its way is given up; its secret is forgotten."""
    row = get_webhook(unit, actor, webhook_id)
    row.removed_at = unit.now
    row.sealed_secret = b""
    unit.record(actor, "webhook.removed", row.id, {"removed_at": row.removed_at})
    return row


def send_test(unit: Unit, actor: Actor, webhook_id: UUID) -> DeliveryRow:
    """Send a webhook an event of the kind `webhook.test`, by a job as all others."""
    row = get_webhook(unit, actor, webhook_id)
    subject = Subject("webhook", row.id, row.label, "/")
    notification = write_notification(unit, Event.WEBHOOK_TEST, subject, (), {"asked at": unit.now.isoformat()})
    delivery = deliver_to_webhook(unit, notification, row.id)
    unit.record(actor, "webhook.tested", row.id, {"delivery_id": delivery.id})
    return delivery
