"""The table of model cards. Facts and PDF lie in the storage under their SHA-256."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID, uuid4

from sqlalchemy import LargeBinary
from sqlmodel import Field, SQLModel

from registry.database import UTCDateTime, one_of


class CardState(StrEnum):
    """Whether there is a file."""

    WAITING = "waiting"
    READY = "ready"
    FAILED = "failed"


class CardRow(SQLModel, table=True):
    """One model card of a version, rendered for the state at `facts_at`."""

    __tablename__ = "acta_card"
    __table_args__ = (one_of("state", CardState, "card_state"),)

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    version_id: UUID = Field(foreign_key="acta_model_version.id", index=True)
    job_id: UUID | None = Field(default=None, foreign_key="acta_job.id")
    requested_by: UUID = Field(foreign_key="acta_actor.id")
    requested_at: datetime = Field(sa_type=UTCDateTime)
    state: str = CardState.WAITING.value
    facts_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    facts_digest: bytes | None = Field(default=None, sa_type=LargeBinary)
    """SHA-256 of the facts; the log has it in an entry whose proof is in the card."""
    facts_entry: int | None = None
    """Sequence number of that entry."""
    pdf_digest: bytes | None = Field(default=None, sa_type=LargeBinary)
    """SHA-256 of the sealed file; a later entry of the log has it."""
    finished_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
