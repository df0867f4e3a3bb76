"""Routes of webhooks, deliveries, and what a person wants to be told."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Controller, Response, delete, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter

from registry.access.actor import Actor, Role, Scope, ScopeKind
from registry.http.guards import requires, signed_in
from registry.http.transactions import reads, writes
from registry.notifications import preferences, webhooks
from registry.notifications.deliveries import Delivery, all_deliveries, deliveries_to
from registry.notifications.events import SUBSCRIBABLE, Event
from registry.notifications.keys import notification_key
from registry.notifications.tables import AttemptRow, DeliveryRow, DeliveryState, WebhookRow
from registry.settings import Settings
from registry.unit import Unit


class NewWebhook(msgspec.Struct, forbid_unknown_fields=True):
    """An address that is to hear of events."""

    label: str
    url: str
    events: list[Event] = msgspec.field(default_factory=lambda: list(SUBSCRIBABLE))
    """An empty list: it only serves as a route of alerts."""
    scope_kind: ScopeKind = ScopeKind.ALL
    scope_name: str | None = None


class WebhookView(msgspec.Struct, frozen=True):
    """A webhook, without its secret, which is never shown again."""

    id: UUID
    label: str
    url: str
    events: list[str]
    scope_kind: str
    scope_name: str | None
    created_by: UUID
    created_at: datetime

    @classmethod
    def of(cls, row: WebhookRow) -> "WebhookView":
        """The view of a row."""
        return cls(
            row.id,
            row.label,
            row.url,
            row.events,
            row.scope_kind,
            row.scope_name,
            row.created_by,
            row.created_at,
        )


class AddedWebhookView(msgspec.Struct, frozen=True):
    """A new webhook and its secret: None where a repeated request is answered."""

    webhook: WebhookView
    secret: str | None

    def without_secret(self) -> "AddedWebhookView":
        """The same answer with the secret left out."""
        return AddedWebhookView(self.webhook, None)


class AttemptView(msgspec.Struct, frozen=True):
    """One attempt at a delivery."""

    attempt: int
    started_at: datetime
    duration_ms: int
    status: int | None
    error: str | None

    @classmethod
    def of(cls, row: AttemptRow) -> "AttemptView":
        """The view of a row."""
        return cls(row.attempt, row.started_at, row.duration_ms, row.status, row.error)


class DeliveryView(msgspec.Struct, frozen=True):
    """A delivery. Replay a dead one by its job."""

    id: UUID
    event: str
    title: str
    subject_id: UUID
    channel: str
    webhook_id: UUID | None
    person_id: UUID | None
    state: str
    job_id: UUID | None
    created_at: datetime
    ended_at: datetime | None
    attempts: list[AttemptView]

    @classmethod
    def of(cls, delivery: Delivery) -> "DeliveryView":
        """The view of a delivery."""
        row, told = delivery.row, delivery.notification
        return cls(
            id=row.id,
            event=told.event,
            title=told.title,
            subject_id=told.subject_id,
            channel=row.channel,
            webhook_id=row.webhook_id,
            person_id=row.person_id,
            state=row.state,
            job_id=row.job_id,
            created_at=row.created_at,
            ended_at=row.ended_at,
            attempts=[AttemptView.of(attempt) for attempt in delivery.attempts],
        )


class QueuedDelivery(msgspec.Struct, frozen=True):
    """A delivery that is on its way."""

    id: UUID
    job_id: UUID | None

    @classmethod
    def of(cls, row: DeliveryRow) -> "QueuedDelivery":
        """The view of a row."""
        return cls(row.id, row.job_id)


class PreferencesView(msgspec.Struct, forbid_unknown_fields=True):
    """Where one is told, and of what not."""

    email: str | None
    muted: list[Event] = []


StateFilter = Annotated[DeliveryState | None, QueryParameter(name="state")]


class WebhookController(Controller):
    """Webhooks and what was sent."""

    path = "/api/v1"
    tags = ["notifications"]

    @post("/webhooks", guards=[requires(*webhooks.MANAGING)])
    @writes
    def add(
        self,
        data: JSONBody[NewWebhook],
        unit: NamedDependency[Unit],
        actor: NamedDependency[Actor],
        settings: NamedDependency[Settings],
    ) -> AddedWebhookView:
        """Let an address hear of events. The answer shows its secret, this once."""
        added = webhooks.add_webhook(
            unit,
            actor,
            notification_key(settings),
            settings.webhook_allowed_hosts,
            label=data.label,
            url=data.url,
            events=data.events,
            scope=Scope(data.scope_kind, data.scope_name),
        )
        return AddedWebhookView(WebhookView.of(added.row), added.secret)

    @get("/webhooks", guards=[requires(*webhooks.MANAGING)])
    @reads
    def search(self, unit: NamedDependency[Unit], actor: NamedDependency[Actor]) -> list[WebhookView]:
        """The webhooks that one may manage, oldest first."""
        return [WebhookView.of(row) for row in webhooks.list_webhooks(unit, actor)]

    @delete("/webhooks/{webhook_id:uuid}", guards=[requires(*webhooks.MANAGING)])
    @writes
    def remove(self, webhook_id: FromPath[UUID], unit: NamedDependency[Unit], actor: NamedDependency[Actor]) -> None:
        """Send nothing more to a webhook."""
        webhooks.remove_webhook(unit, actor, webhook_id)

    @post("/webhooks/{webhook_id:uuid}/test", guards=[requires(*webhooks.MANAGING)], status_code=202)
    @writes
    def test(
        self, webhook_id: FromPath[UUID], unit: NamedDependency[Unit], actor: NamedDependency[Actor]
    ) -> Response[QueuedDelivery]:
        """Send a webhook an event of the kind `webhook.test`."""
        return Response(QueuedDelivery.of(webhooks.send_test(unit, actor, webhook_id)), status_code=202)

    @get("/webhooks/{webhook_id:uuid}/deliveries", guards=[requires(*webhooks.MANAGING)])
    @reads
    def deliveries(
        self,
        webhook_id: FromPath[UUID],
        unit: NamedDependency[Unit],
        actor: NamedDependency[Actor],
        delivery_state: StateFilter = None,
    ) -> list[DeliveryView]:
        """What was sent to a webhook, newest first; at most 200."""
        return [DeliveryView.of(one) for one in deliveries_to(unit, actor, webhook_id, delivery_state)]

    @get("/deliveries", guards=[requires(Role.ADMINISTRATOR, Role.AUDITOR)])
    @reads
    def all_deliveries(
        self, unit: NamedDependency[Unit], actor: NamedDependency[Actor], delivery_state: StateFilter = None
    ) -> list[DeliveryView]:
        """Everything that was sent, newest first; at most 200. `state=dead`: what was given up."""
        return [DeliveryView.of(one) for one in all_deliveries(unit, actor, delivery_state)]


class PreferencesController(Controller):
    """What one wants to be told."""

    path = "/api/v1/me/notifications"
    tags = ["notifications"]

    @get("/", guards=[signed_in])
    @reads
    def show(self, unit: NamedDependency[Unit], actor: NamedDependency[Actor]) -> PreferencesView:
        """One's own e-mail address and muted kinds of events."""
        found = preferences.preferences_of(unit, actor)
        return PreferencesView(found.email, list(found.muted))

    @put("/", guards=[signed_in])
    @writes
    def replace(
        self, data: JSONBody[PreferencesView], unit: NamedDependency[Unit], actor: NamedDependency[Actor]
    ) -> PreferencesView:
        """Replace both."""
        found = preferences.set_preferences(unit, actor, data.email, data.muted)
        return PreferencesView(found.email, list(found.muted))
