"""Tables of bias assessments. The data set and the whole result lie in the storage under their SHA-256."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID, uuid4

from sqlalchemy import JSON, BigInteger, LargeBinary, Text
from sqlmodel import Field, SQLModel

from registry.assessments.verdicts import Verdict
from registry.database import UTCDateTime, one_of


class AssessmentState(StrEnum):
    """Whether there is a result."""

    WAITING = "waiting"
    DONE = "done"
    FAILED = "failed"


class Origin(StrEnum):
    """Where the predictions came from."""

    UPLOADED = "uploaded"
    RECOMPUTED = "recomputed"


class AssessmentRow(SQLModel, table=True):
    """One bias assessment of one version on one data set."""

    __tablename__ = "acta_assessment"
    __table_args__ = (
        one_of("state", AssessmentState, "assessment_state"),
        one_of("verdict", Verdict, "assessment_verdict"),
        one_of("origin", Origin, "assessment_origin"),
    )

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    version_id: UUID = Field(foreign_key="acta_model_version.id", index=True)
    job_id: UUID | None = Field(default=None, foreign_key="acta_job.id")
    origin: str = Origin.UPLOADED.value
    requested_by: UUID = Field(foreign_key="acta_actor.id")
    requested_at: datetime = Field(sa_type=UTCDateTime)
    data_name: str = Field(max_length=250)
    data_digest: bytes = Field(sa_type=LargeBinary)
    """SHA-256 of the file of predictions."""
    declared_digest: bytes | None = Field(default=None, sa_type=LargeBinary)
    """SHA-256 of the version's declared test set that the data say they hold."""
    data_size_bytes: int = Field(sa_type=BigInteger)
    roles: dict[str, object] = Field(sa_type=JSON)
    """Column roles, positive class, bands: as asked."""
    state: str = AssessmentState.WAITING.value
    verdict: str | None = None
    rows: int | None = Field(default=None, sa_type=BigInteger)
    result_digest: bytes | None = Field(default=None, sa_type=LargeBinary)
    """SHA-256 of the assessment as JSON."""
    summary: str | None = Field(default=None, sa_type=Text)
    """The first finding, in plain words."""
    compared: list[list[str]] | None = Field(default=None, sa_type=JSON)
    """The sensitive features, and the combinations of them, whose groups were compared."""
    accuracy: str | None = Field(default=None, max_length=250)
    """Share of right predictions over all rows, as a decimal number."""
    finished_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
