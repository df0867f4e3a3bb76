"""The tables of lapses, and of the reviews that versions in production get from time to time."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID, uuid4

from sqlalchemy import CheckConstraint, Index, Text, text
from sqlmodel import Field, SQLModel

from registry.database import UTCDateTime, one_of
from registry.policy.policy import Lapsed


class Ending(StrEnum):
    """How a lapse came to its end."""

    MET_AGAIN = "met again"
    """New evidence, or a waiver, meets what had lapsed."""
    MOVED = "moved"
    """Nobody met it within the grace: the policy moved the version."""
    LEFT_PRODUCTION = "left production"
    """The version left production on another way."""


class LapseRow(SQLModel, table=True):
    """One thing that a version in production must show and shows no longer. While one lasts, its review is due."""

    __tablename__ = "acta_lapse"
    __table_args__ = (
        one_of("then_stage", Lapsed, "lapse_then_stage"),
        one_of("ended_as", Ending, "lapse_ended_as"),
        CheckConstraint("(ended_at IS NULL) = (ended_as IS NULL)", name="ck_lapse_ended"),
        CheckConstraint("(move_at IS NULL) = (then_stage IS NULL)", name="ck_lapse_follows"),
        CheckConstraint("move_at IS NULL OR move_at >= flagged_at", name="ck_lapse_grace"),
        # Several workers may look at once: each lapse is flagged once.
        Index(
            "uq_acta_lapse_lasting",
            "version_id",
            "requirement",
            unique=True,
            sqlite_where=text("ended_at IS NULL"),
            postgresql_where=text("ended_at IS NULL"),
        ),
    )

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    version_id: UUID = Field(foreign_key="acta_model_version.id", index=True)
    requirement: str = Field(max_length=100)
    """A checklist item, `finding-` with the finding's id, or `periodic-review`."""
    title: str = Field(sa_type=Text)
    reason: str = Field(sa_type=Text)
    policy_id: UUID = Field(foreign_key="acta_policy.id")
    """The policy under which the version entered production."""
    since: datetime = Field(sa_type=UTCDateTime)
    """When it lapsed, where the evidence says; else when it was noticed."""
    flagged_at: datetime = Field(sa_type=UTCDateTime)
    move_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    """When the policy's grace is over, counted from the flag; None where the policy lets it stay."""
    then_stage: str | None = None
    ended_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    ended_as: str | None = None


class StageReviewRow(SQLModel, table=True):
    """Somebody looked again at a version in production, and lets it stay."""

    __tablename__ = "acta_stage_review"

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    version_id: UUID = Field(foreign_key="acta_model_version.id", index=True)
    reason: str = Field(sa_type=Text)
    reviewed_by: UUID = Field(foreign_key="acta_actor.id")
    reviewed_at: datetime = Field(sa_type=UTCDateTime)
