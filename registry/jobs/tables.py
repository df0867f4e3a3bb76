"""The table of jobs. Derived, not replayed: a job is work, what it finds out is logged by what it calls."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID, uuid4

from sqlalchemy import JSON, CheckConstraint, Index, Text
from sqlmodel import Field, SQLModel

from registry.database import UTCDateTime, one_of

MOST_ATTEMPTS = 5
"""A job that failed so often is dead."""


class JobState(StrEnum):
    """How far a job is."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    DEAD = "dead"
    """It failed for good: a person may replay it."""
    CANCELLED = "cancelled"


class JobRow(SQLModel, table=True):
    """One piece of work, and what became of it."""

    __tablename__ = "acta_job"
    __table_args__ = (
        one_of("state", JobState, "job_state"),
        CheckConstraint("progress BETWEEN 0 AND 1", name="ck_job_progress"),
        Index("ix_acta_job_due", "state", "run_after"),
    )

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    kind: str = Field(max_length=100)
    arguments: dict[str, str] = Field(sa_type=JSON)
    requested_by: UUID | None = Field(default=None, foreign_key="acta_actor.id")
    subject_id: UUID | None = Field(default=None, index=True)
    """The version, document or request that it works for."""
    state: str = JobState.QUEUED.value
    attempts: int = 0
    most_attempts: int = MOST_ATTEMPTS
    run_after: datetime = Field(sa_type=UTCDateTime)
    lease_until: datetime | None = Field(default=None, sa_type=UTCDateTime)
    """A running job whose lease has passed belongs to nobody."""
    lease_holder: str | None = Field(default=None, max_length=250)
    progress: float = 0.0
    """From 0 to 1."""
    progress_text: str | None = Field(default=None, max_length=250)
    cancel_requested_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    error: str | None = Field(default=None, sa_type=Text)
    result: dict[str, str] | None = Field(default=None, sa_type=JSON)
    created_at: datetime = Field(sa_type=UTCDateTime)
    finished_at: datetime | None = Field(default=None, sa_type=UTCDateTime)


class PeriodicRow(SQLModel, table=True):
    """When work that is done again and again is due next, for all workers of one database."""

    __tablename__ = "acta_periodic_job"

    kind: str = Field(max_length=100, primary_key=True)
    due_at: datetime = Field(sa_type=UTCDateTime)
