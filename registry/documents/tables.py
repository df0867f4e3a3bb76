"""Tables of documents. The bytes lie in the storage under their SHA-256."""

from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import BigInteger, CheckConstraint, LargeBinary, Text
from sqlmodel import Field, SQLModel

from registry.database import UTCDateTime


class DocumentRow(SQLModel, table=True):
    """A document of a version. A new upload supersedes an older one of its kind; none is ever replaced."""

    __tablename__ = "acta_document"
    __table_args__ = (
        CheckConstraint("length(digest) = 32", name="ck_document_digest"),
        CheckConstraint("(signed_off_by IS NULL) = (signed_off_at IS NULL)", name="ck_document_signed_off"),
        CheckConstraint("signed_off_by IS NULL OR signed_off_by <> uploaded_by", name="ck_document_four_eyes"),
    )

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    version_id: UUID = Field(foreign_key="acta_model_version.id", index=True)
    kind: str = Field(max_length=100)
    """One of the kinds that the policy names, such as `data-preparation`."""
    title: str = Field(max_length=250)
    file_name: str = Field(max_length=250)
    media_type: str = Field(max_length=100)
    digest: bytes = Field(sa_type=LargeBinary, index=True)
    """SHA-256 of the bytes."""
    size_bytes: int = Field(sa_type=BigInteger)
    uploaded_by: UUID = Field(foreign_key="acta_actor.id")
    uploaded_at: datetime = Field(sa_type=UTCDateTime)
    signed_off_by: UUID | None = Field(default=None, foreign_key="acta_actor.id")
    signed_off_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    sign_off_comment: str | None = Field(default=None, sa_type=Text)
    superseded_by: UUID | None = Field(default=None, foreign_key="acta_document.id")
