"""Tables of notifications. Webhooks are replayed from the log; notifications, deliveries and attempts are derived:
what was told, to whom, and how that went.
"""

from datetime import datetime
from enum import StrEnum
from uuid import UUID, uuid4

from sqlalchemy import JSON, CheckConstraint, Index, LargeBinary, Text
from sqlmodel import Field, SQLModel

from registry.access.actor import ScopeKind
from registry.database import UTCDateTime, one_of


class Channel(StrEnum):
    """How something is told."""

    WEBHOOK = "webhook"
    EMAIL = "email"


class DeliveryState(StrEnum):
    """How far a delivery is."""

    QUEUED = "queued"
    DELIVERED = "delivered"
    DEAD = "dead"
    """Given up; an administrator may have it sent again."""


class WebhookRow(SQLModel, table=True):
    """An address that hears of events, signed with a secret of its own."""

    __tablename__ = "acta_webhook"
    __table_args__ = (
        one_of("scope_kind", ScopeKind, "webhook_scope_kind"),
        CheckConstraint("(scope_kind = 'all') = (scope_name IS NULL)", name="ck_webhook_scope_name"),
    )

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    label: str = Field(max_length=250)
    url: str = Field(sa_type=Text)
    events: list[str] = Field(sa_type=JSON)
    """The kinds of events that it hears of; none for one that only serves as the route of alerts."""
    scope_kind: str
    scope_name: str | None = Field(default=None, max_length=250)
    sealed_secret: bytes = Field(sa_type=LargeBinary)
    """Encrypted under a key of the keys directory: a copy of the database signs nothing."""
    created_by: UUID = Field(foreign_key="acta_actor.id")
    created_at: datetime = Field(sa_type=UTCDateTime)
    removed_at: datetime | None = Field(default=None, sa_type=UTCDateTime)


class NotificationRow(SQLModel, table=True):
    """An event, as it is told; written with the change of state that it tells of."""

    __tablename__ = "acta_notification"
    __table_args__ = (Index("ix_acta_notification_subject", "subject_id", "raised_at"),)

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    event: str = Field(max_length=100)
    subject_kind: str = Field(max_length=50)
    subject_id: UUID
    title: str = Field(sa_type=Text)
    path: str = Field(sa_type=Text)
    model: str | None = Field(default=None, max_length=250)
    team: str | None = Field(default=None, max_length=250)
    persons: list[str] = Field(sa_type=JSON)
    """Ids of who is told by e-mail."""
    facts: dict[str, str] = Field(sa_type=JSON)
    alert_id: UUID | None = Field(default=None, foreign_key="acta_alert.id")
    """The alert that it carries, with the link that acknowledges it."""
    raised_at: datetime = Field(sa_type=UTCDateTime, index=True)


class DeliveryRow(SQLModel, table=True):
    """One notification on its way to one webhook or one mailbox."""

    __tablename__ = "acta_delivery"
    __table_args__ = (
        one_of("channel", Channel, "delivery_channel"),
        one_of("state", DeliveryState, "delivery_state"),
        CheckConstraint("(channel = 'webhook') = (webhook_id IS NOT NULL)", name="ck_delivery_webhook"),
        CheckConstraint(
            "(channel = 'email') = (person_id IS NOT NULL OR address IS NOT NULL)", name="ck_delivery_mailbox"
        ),
    )

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    notification_id: UUID = Field(foreign_key="acta_notification.id", index=True)
    channel: str
    webhook_id: UUID | None = Field(default=None, foreign_key="acta_webhook.id", index=True)
    person_id: UUID | None = Field(default=None, foreign_key="acta_actor.id")
    """Whose address it goes to, as it stands when the mail is sent."""
    address: str | None = Field(default=None, max_length=250)
    """A mailbox that belongs to no person, such as an on-call list."""
    state: str = DeliveryState.QUEUED.value
    job_id: UUID | None = None
    created_at: datetime = Field(sa_type=UTCDateTime, index=True)
    ended_at: datetime | None = Field(default=None, sa_type=UTCDateTime)


class AttemptRow(SQLModel, table=True):
    """One attempt at a delivery. Neither what was sent nor what came back is kept: either may hold a secret."""

    __tablename__ = "acta_delivery_attempt"

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    delivery_id: UUID = Field(foreign_key="acta_delivery.id", index=True)
    attempt: int
    started_at: datetime = Field(sa_type=UTCDateTime)
    duration_ms: int
    status: int | None = None
    """Of the HTTP answer or of the SMTP reply; None where none came."""
    error: str | None = Field(default=None, sa_type=Text)


class MutedRow(SQLModel, table=True):
    """Which kinds of events a person does not want by e-mail."""

    __tablename__ = "acta_muted_event"

    person_id: UUID = Field(foreign_key="acta_actor.id", primary_key=True)
    events: list[str] = Field(sa_type=JSON)


class AlertRow(SQLModel, table=True):
    """An alert that somebody must acknowledge, by the link that it carries."""

    __tablename__ = "acta_alert"
    __table_args__ = (
        CheckConstraint("(acknowledged_at IS NULL) = (acknowledged_by IS NULL)", name="ck_alert_acknowledged"),
        CheckConstraint("expires_at > raised_at", name="ck_alert_dates"),
    )

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    version_id: UUID = Field(foreign_key="acta_model_version.id", index=True)
    plan_revision: int
    """Of the monitoring plan whose route it took."""
    route_digest: bytes = Field(sa_type=LargeBinary)
    """SHA-256 over route and owner: an alert tests the way that it took, and no other."""
    owner_id: UUID = Field(foreign_key="acta_actor.id")
    """To whom it was sent, and who acknowledges it."""
    raised_by: UUID = Field(foreign_key="acta_actor.id")
    raised_at: datetime = Field(sa_type=UTCDateTime)
    expires_at: datetime = Field(sa_type=UTCDateTime)
    """From this instant on its link acknowledges nothing."""
    acknowledged_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    acknowledged_by: UUID | None = Field(default=None, foreign_key="acta_actor.id")
