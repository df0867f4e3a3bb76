"""The table of findings."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID, uuid4

from sqlalchemy import CheckConstraint, Index, Text, UniqueConstraint
from sqlmodel import Field, SQLModel

from registry.database import UTCDateTime, one_of
from registry.policy.policy import Severity


class FindingState(StrEnum):
    """How far a finding is."""

    OPEN = "open"
    REMEDIATED = "remediated"
    """Somebody says what was done about it; somebody else has not yet agreed."""
    CLOSED = "closed"


class FindingRow(SQLModel, table=True):
    """Something wrong with one version, with its owner and the time by which it is mended."""

    __tablename__ = "acta_finding"
    __table_args__ = (
        one_of("severity", Severity, "finding_severity"),
        one_of("state", FindingState, "finding_state"),
        # NULL is distinct from NULL: people may open as many as they find, a check one for each version.
        UniqueConstraint("version_id", "check_name", name="uq_finding_check"),
        CheckConstraint("(opened_by IS NULL) = (check_name IS NOT NULL)", name="ck_finding_opened_by"),
        CheckConstraint("(state = 'open') = (remediated_at IS NULL)", name="ck_finding_remediated"),
        CheckConstraint("(state = 'closed') = (closed_at IS NOT NULL)", name="ck_finding_closed"),
        Index("ix_acta_finding_version", "version_id", "state"),
        Index("ix_acta_finding_due", "state", "due_at"),
    )

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    version_id: UUID = Field(foreign_key="acta_model_version.id")
    severity: str
    title: str = Field(max_length=250)
    description: str = Field(sa_type=Text)
    owner_id: UUID = Field(foreign_key="acta_actor.id", index=True)
    """The person who has it mended."""
    due_at: datetime = Field(sa_type=UTCDateTime)
    """From this instant on it is overdue."""
    state: str = FindingState.OPEN.value
    opened_by: UUID | None = Field(default=None, foreign_key="acta_actor.id")
    """None where a check opened it."""
    check_name: str | None = Field(default=None, max_length=100)
    check_result_id: UUID | None = Field(default=None, foreign_key="acta_check_result.id")
    """The result in which the check found it."""
    opened_at: datetime = Field(sa_type=UTCDateTime)
    remediation: str | None = Field(default=None, sa_type=Text)
    remediation_evidence: str | None = Field(default=None, sa_type=Text)
    """A link, or where to look."""
    remediated_by: UUID | None = Field(default=None, foreign_key="acta_actor.id")
    remediated_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    closed_by: UUID | None = Field(default=None, foreign_key="acta_actor.id")
    closed_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    escalated_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    """When it was told that the present due time has passed; None again once it is due at another time."""
