"""Tables of monitoring plans and of the profiles of training data. Both are replayed from the log."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import JSON, BigInteger, CheckConstraint, LargeBinary, PrimaryKeyConstraint, UniqueConstraint
from sqlmodel import Field, SQLModel

from registry.database import UTCDateTime, one_of


class PlanRow(SQLModel, table=True):
    """A revision of a version's monitoring plan. The newest counts; none is ever changed."""

    __tablename__ = "acta_monitoring_plan"
    __table_args__ = (
        UniqueConstraint("version_id", "revision", name="uq_monitoring_plan_revision"),
        CheckConstraint("revision >= 1", name="ck_monitoring_plan_revision"),
    )

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    version_id: UUID = Field(foreign_key="acta_model_version.id")
    revision: int
    plan: dict[str, Any] = Field(sa_type=JSON)
    """`registry.monitoring.plan.MonitoringPlan`, with numbers as decimal text."""
    digest: bytes = Field(sa_type=LargeBinary)
    """SHA-256 of the plan as JSON with its members in order."""
    owner_id: UUID | None = Field(default=None, foreign_key="acta_actor.id")
    """The plan's owner, for joins and for the database to refuse one that does not exist."""
    webhook_id: UUID | None = Field(default=None, foreign_key="acta_webhook.id")
    """The webhook of its alert route."""
    route_digest: bytes | None = Field(default=None, sa_type=LargeBinary)
    """SHA-256 over route and owner, where it names both: what an alert tests."""
    stated_by: UUID = Field(foreign_key="acta_actor.id")
    stated_at: datetime = Field(sa_type=UTCDateTime)


class ProfileOrigin(StrEnum):
    """Who computed a profile."""

    READ = "read by Acta"
    """From the bytes, whose SHA-256 was found to be the registered one."""
    STATED = "stated by the client"


class ProfileRow(SQLModel, table=True):
    """What a training data set looked like: the reference of drift."""

    __tablename__ = "acta_training_profile"
    __table_args__ = (
        PrimaryKeyConstraint("version_id", "dataset_digest"),
        one_of("origin", ProfileOrigin, "training_profile_origin"),
        CheckConstraint("row_count >= 0", name="ck_training_profile_rows"),
        CheckConstraint("(origin = 'read by Acta') = (stated_by IS NULL)", name="ck_training_profile_stated_by"),
    )

    version_id: UUID = Field(foreign_key="acta_model_version.id")
    dataset_digest: bytes = Field(sa_type=LargeBinary)
    """SHA-256 of the data set, as the version's lineage names it."""
    dataset_name: str = Field(max_length=250)
    origin: str
    row_count: int = Field(sa_type=BigInteger)
    columns: list[dict[str, Any]] = Field(sa_type=JSON)
    """`registry.monitoring.profile.ColumnProfile`, in the order of the data."""
    digest: bytes = Field(sa_type=LargeBinary)
    """SHA-256 of rows and columns as JSON with its members in order."""
    stated_by: UUID | None = Field(default=None, foreign_key="acta_actor.id")
    made_at: datetime = Field(sa_type=UTCDateTime)
