"""What clients do about monitoring plans, test alerts, profiles of training data, webhooks and what they are told."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec

from registry.client.connection import Connection, version_path
from registry.client.errors import ApiError
from registry.monitoring.plan import MonitoringPlan
from registry.monitoring.profile import ColumnProfile, TrainingProfile

ScopeWord = Literal["all", "team", "model"]


class Plan(msgspec.Struct, frozen=True):
    """A monitoring plan, and what it does not say yet."""

    revision: int
    plan: MonitoringPlan
    missing: list[str]
    digest: str
    stated_by: UUID
    stated_at: datetime


class Alert(msgspec.Struct, frozen=True):
    """A test alert. Its link is in the message alone."""

    id: UUID
    plan_revision: int
    owner_id: UUID
    raised_by: UUID
    raised_at: datetime
    expires_at: datetime
    acknowledged_at: datetime | None
    acknowledged_by: UUID | None
    delivery_state: str
    job_id: UUID | None


class Profile(msgspec.Struct, frozen=True):
    """The profile of a training data set."""

    dataset_name: str
    dataset_digest: str
    origin: str
    rows: int
    columns: list[ColumnProfile]
    stated_by: UUID | None
    made_at: datetime


class RegisteredWebhook(msgspec.Struct, frozen=True):
    """A webhook, without its secret."""

    id: UUID
    label: str
    url: str
    events: list[str]
    scope_kind: str
    scope_name: str | None
    created_by: UUID
    created_at: datetime


class AddedWebhook(msgspec.Struct, frozen=True):
    """A new webhook and its secret, which is shown this once."""

    webhook: RegisteredWebhook
    secret: str | None


class QueuedDelivery(msgspec.Struct, frozen=True):
    """A delivery that is on its way."""

    id: UUID
    job_id: UUID | None


class Attempt(msgspec.Struct, frozen=True):
    """One attempt at a delivery."""

    attempt: int
    started_at: datetime
    duration_ms: int
    status: int | None
    error: str | None


class Delivery(msgspec.Struct, frozen=True):
    """A delivery and its attempts."""

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
    attempts: list[Attempt]


class Preferences(msgspec.Struct, frozen=True):
    """Where one is told, and of what not."""

    email: str | None
    muted: list[str]


class MonitoringCalls:
    """The part of the client that speaks of monitoring and notifications."""

    _connection: Connection

    def plan(self, model: str, number: int) -> Plan:
        """The monitoring plan of a version."""
        return self._connection.get(f"{version_path(model, number)}/monitoring-plan", Plan)

    def find_plan(self, model: str, number: int) -> Plan | None:
        """The monitoring plan of a version, or None where none was stated."""
        try:
            return self.plan(model, number)
        except ApiError as error:
            if error.status != 404:
                raise
            return None

    def state_plan(self, model: str, number: int, plan: MonitoringPlan, *, based_on: int) -> Plan:
        """State the monitoring plan, whole or in part. `based_on`: the revision that it replaces, 0 for none."""
        return self._connection.put(
            f"{version_path(model, number)}/monitoring-plan", plan, Plan, headers={"If-Match": f'"{based_on}"'}
        )

    def send_test_alert(self, model: str, number: int) -> Alert:
        """Send a real alert along the plan's route; its owner acknowledges it by the link that it carries."""
        return self._connection.post(f"{version_path(model, number)}/monitoring-plan/test-alert", {}, Alert)

    def alerts(self, model: str, number: int) -> list[Alert]:
        """The alerts of a version, newest first."""
        return self._connection.get(f"{version_path(model, number)}/alerts", list[Alert])

    def training_profiles(self, model: str, number: int) -> list[Profile]:
        """What the training data of a version looked like."""
        return self._connection.get(f"{version_path(model, number)}/training-profiles", list[Profile])

    def state_training_profile(self, model: str, number: int, dataset_digest: str, profile: TrainingProfile) -> Profile:
        """State what a training data set of a version looked like. `dataset_digest`: 64 hexadecimal digits."""
        body = {"dataset_digest": dataset_digest, "profile": profile}
        return self._connection.put(f"{version_path(model, number)}/training-profiles", body, Profile)

    def add_webhook(
        self,
        label: str,
        url: str,
        *,
        events: Sequence[str] | None = None,
        scope: ScopeWord = "all",
        name: str | None = None,
    ) -> AddedWebhook:
        """Let an address hear of events: all kinds, those named, or none where it only is a route of alerts."""
        body: dict[str, object] = {"label": label, "url": url, "scope_kind": scope, "scope_name": name}
        if events is not None:
            body["events"] = list(events)
        return self._connection.post("/api/v1/webhooks", body, AddedWebhook)

    def webhooks(self) -> list[RegisteredWebhook]:
        """The webhooks that one may manage, oldest first."""
        return self._connection.get("/api/v1/webhooks", list[RegisteredWebhook])

    def test_webhook(self, webhook_id: UUID) -> QueuedDelivery:
        """Send a webhook an event of the kind `webhook.test`; wait for its job with `wait_for_job`."""
        return self._connection.post(f"/api/v1/webhooks/{webhook_id}/test", {}, QueuedDelivery)

    def remove_webhook(self, webhook_id: UUID) -> None:
        """Send nothing more to a webhook."""
        self._connection.delete(f"/api/v1/webhooks/{webhook_id}")

    def deliveries(self, webhook_id: UUID | None = None, state: str | None = None) -> list[Delivery]:
        """What was sent to a webhook, or everything, newest first; at most 200."""
        path = "/api/v1/deliveries" if webhook_id is None else f"/api/v1/webhooks/{webhook_id}/deliveries"
        return self._connection.get(path, list[Delivery], {"state": state})

    def notification_preferences(self) -> Preferences:
        """One's own e-mail address and muted kinds of events."""
        return self._connection.get("/api/v1/me/notifications", Preferences)

    def set_notification_preferences(self, email: str | None, muted: Sequence[str]) -> Preferences:
        """Replace one's own e-mail address and muted kinds of events."""
        return self._connection.put("/api/v1/me/notifications", {"email": email, "muted": list(muted)}, Preferences)
