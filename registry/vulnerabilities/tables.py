"""The table of exports of known vulnerabilities."""

from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import CheckConstraint, LargeBinary
from sqlmodel import Field, SQLModel

from registry.database import UTCDateTime


class VulnerabilityExportRow(SQLModel, table=True):
    """An export as it was read. The newest counts, so that a gate can tell from rows whether a result is stale."""

    __tablename__ = "acta_vulnerability_export"
    __table_args__ = (CheckConstraint("length(digest) = 32", name="ck_vulnerability_export_digest"),)

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    digest: bytes = Field(sa_type=LargeBinary)
    """SHA-256 of the file; of a folder, its content digest (`registry.catalog.manifest`)."""
    exported_at: datetime = Field(sa_type=UTCDateTime)
    """When its newest record was modified."""
    records: int
    read_at: datetime = Field(sa_type=UTCDateTime, index=True)
