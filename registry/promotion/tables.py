"""Tables of promotion requests, their reviews, and waivers."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID, uuid4

from sqlalchemy import JSON, CheckConstraint, Index, LargeBinary, Text, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from registry.access.actor import Role
from registry.catalog.facts import Stage
from registry.database import UTCDateTime, one_of


class RequestState(StrEnum):
    """How far a promotion request is."""

    OPEN = "open"
    APPROVED = "approved"
    EXECUTED = "executed"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"
    STALE = "stale"


class Decision(StrEnum):
    """What a reviewer decides."""

    APPROVE = "approve"
    REJECT = "reject"
    ASK_FOR_CHANGES = "ask for changes"


class PromotionRequest(SQLModel, table=True):
    """A request to move one version to one stage."""

    __tablename__ = "acta_promotion_request"
    __table_args__ = (
        one_of("state", RequestState, "promotion_request_state"),
        one_of("target_stage", Stage, "promotion_request_target"),
        # One live request for a version and a stage: reviews must not be spread over two.
        Index(
            "uq_acta_promotion_request_live",
            "version_id",
            "target_stage",
            unique=True,
            sqlite_where=text("state IN ('open', 'approved')"),
            postgresql_where=text("state IN ('open', 'approved')"),
        ),
    )

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    number: int = Field(unique=True)
    """Counts requests, for people."""
    version_id: UUID = Field(foreign_key="acta_model_version.id", index=True)
    content_digest: bytes = Field(sa_type=LargeBinary)
    """The version's digest when the request was made: it is bound to these bytes."""
    target_stage: str
    policy_id: UUID = Field(foreign_key="acta_policy.id")
    risk_tier: str = Field(max_length=50)
    justification: str = Field(sa_type=Text)
    state: str = RequestState.OPEN.value
    requested_by: UUID = Field(foreign_key="acta_actor.id")
    requested_at: datetime = Field(sa_type=UTCDateTime)
    expires_at: datetime = Field(sa_type=UTCDateTime)
    ended_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    executed_by: UUID | None = Field(default=None, foreign_key="acta_actor.id")
    gate: dict[str, object] | None = Field(default=None, sa_type=JSON)
    """The evaluation on which it was executed: every item, its state and its evidence."""


class ReviewRow(SQLModel, table=True):
    """One reviewer's decision in one role."""

    __tablename__ = "acta_review"
    __table_args__ = (
        one_of("role", Role, "review_role"),
        one_of("decision", Decision, "review_decision"),
        UniqueConstraint("request_id", "reviewed_by", "role", name="uq_review_person_role"),
    )

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    request_id: UUID = Field(foreign_key="acta_promotion_request.id", index=True)
    role: str
    decision: str
    reason: str = Field(sa_type=Text)
    reviewed_by: UUID = Field(foreign_key="acta_actor.id")
    reviewed_at: datetime = Field(sa_type=UTCDateTime)


class Waiver(SQLModel, table=True):
    """A dated, reasoned exception to one checklist item of one version."""

    __tablename__ = "acta_waiver"
    __table_args__ = (
        CheckConstraint("expires_at >= granted_at", name="ck_waiver_dates"),
        Index("ix_acta_waiver_item", "version_id", "item"),
    )

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    version_id: UUID = Field(foreign_key="acta_model_version.id")
    item: str = Field(max_length=100)
    reason: str = Field(sa_type=Text)
    compensating_measure: str = Field(sa_type=Text)
    granted_by: UUID = Field(foreign_key="acta_actor.id")
    granted_at: datetime = Field(sa_type=UTCDateTime)
    expires_at: datetime = Field(sa_type=UTCDateTime)
    """From this instant on the item counts as unmet again."""
