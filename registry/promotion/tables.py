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
    risk_revision: int = 1
    """The revision of the model's risk answers for which it was made."""
    justification: str = Field(sa_type=Text)
    state: str = RequestState.OPEN.value
    requested_by: UUID = Field(foreign_key="acta_actor.id")
    requested_at: datetime = Field(sa_type=UTCDateTime)
    expires_at: datetime = Field(sa_type=UTCDateTime)
    ended_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    executed_by: UUID | None = Field(default=None, foreign_key="acta_actor.id")
    gate: dict[str, object] | None = Field(default=None, sa_type=JSON)
    """The evaluation on which it was executed: every item, its state and its evidence."""
    evidence: dict[str, str] | None = Field(default=None, sa_type=JSON)
    """What met items rested on when it was made: the digest of the evidence, by item."""
    handed_to: UUID | None = Field(default=None, foreign_key="acta_actor.id")
    """Who looks after it since the person who made it left; counts as having made it too."""


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
    on_behalf_of: UUID | None = Field(default=None, foreign_key="acta_actor.id")
    """The person whose delegate reviewed."""
    evidence: dict[str, str] | None = Field(default=None, sa_type=JSON)
    """What an approval rests on: the digest of the evidence of each item that was met, by item."""
    role_granted_by: list[str] | None = Field(default=None, sa_type=JSON)
    """The persons who granted the role, on the scopes that reach the model; None where that was not kept."""


class PromotionComment(SQLModel, table=True):
    """What somebody says about a request."""

    __tablename__ = "acta_promotion_comment"

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    request_id: UUID = Field(foreign_key="acta_promotion_request.id", index=True)
    text: str = Field(sa_type=Text)
    written_by: UUID = Field(foreign_key="acta_actor.id")
    written_at: datetime = Field(sa_type=UTCDateTime)


class RollbackFinding(StrEnum):
    """What a reviewer finds about an emergency rollback afterwards."""

    JUSTIFIED = "justified"
    NOT_JUSTIFIED = "not justified"


class Rollback(SQLModel, table=True):
    """An emergency rollback to the version that was in production before, and the review that it owes."""

    __tablename__ = "acta_rollback"
    __table_args__ = (CheckConstraint("reviewers >= 1", name="ck_rollback_reviewers"),)

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    model_id: UUID = Field(foreign_key="acta_registered_model.id", index=True)
    from_version_id: UUID = Field(foreign_key="acta_model_version.id")
    to_version_id: UUID = Field(foreign_key="acta_model_version.id")
    policy_id: UUID = Field(foreign_key="acta_policy.id")
    reason: str = Field(sa_type=Text)
    called_by: UUID = Field(foreign_key="acta_actor.id")
    on_behalf_of: UUID | None = Field(default=None, foreign_key="acta_actor.id")
    called_at: datetime = Field(sa_type=UTCDateTime)
    reviewers: int
    """How many persons must review it."""
    review_due_at: datetime = Field(sa_type=UTCDateTime)
    reviewed_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    """When the last of the reviews that it owed was given; None until then."""


class RollbackReview(SQLModel, table=True):
    """One person's review of an emergency rollback."""

    __tablename__ = "acta_rollback_review"
    __table_args__ = (
        one_of("role", Role, "rollback_review_role"),
        one_of("finding", RollbackFinding, "rollback_review_finding"),
        UniqueConstraint("rollback_id", "reviewed_by", name="uq_rollback_review_person"),
    )

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    rollback_id: UUID = Field(foreign_key="acta_rollback.id", index=True)
    role: str
    finding: str
    reason: str = Field(sa_type=Text)
    reviewed_by: UUID = Field(foreign_key="acta_actor.id")
    on_behalf_of: UUID | None = Field(default=None, foreign_key="acta_actor.id")
    reviewed_at: datetime = Field(sa_type=UTCDateTime)


class Waiver(SQLModel, table=True):
    """A dated, reasoned exception to one checklist item of one version, or to one finding on it."""

    __tablename__ = "acta_waiver"
    __table_args__ = (
        CheckConstraint("expires_at >= granted_at", name="ck_waiver_dates"),
        CheckConstraint("(item IS NULL) <> (finding_id IS NULL)", name="ck_waiver_subject"),
        Index("ix_acta_waiver_item", "version_id", "item"),
    )

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    version_id: UUID = Field(foreign_key="acta_model_version.id")
    item: str | None = Field(default=None, max_length=100)
    finding_id: UUID | None = Field(default=None, foreign_key="acta_finding.id", index=True)
    reason: str = Field(sa_type=Text)
    compensating_measure: str = Field(sa_type=Text)
    granted_by: UUID = Field(foreign_key="acta_actor.id")
    granted_at: datetime = Field(sa_type=UTCDateTime)
    expires_at: datetime = Field(sa_type=UTCDateTime)
    """From this instant on the item or the finding holds the gate again."""
