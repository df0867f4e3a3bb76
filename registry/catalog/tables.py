"""Tables of the catalog."""

from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    Index,
    LargeBinary,
    PrimaryKeyConstraint,
    Text,
    UniqueConstraint,
    text,
)
from sqlmodel import Field, SQLModel

from registry.catalog.facts import DatasetRole, DigestState, EdgeKind, Stage
from registry.database import UTCDateTime, one_of


class RegisteredModel(SQLModel, table=True):
    """A name, its owner, its intended purpose and its risk profile."""

    __tablename__ = "acta_registered_model"

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    name: str = Field(max_length=250, unique=True)
    name_key: str = Field(max_length=250, index=True, unique=True)
    """`registry.names.name_key` of the name: no two models have names that look alike."""
    team: str = Field(max_length=250, index=True)
    owner_id: UUID = Field(foreign_key="acta_actor.id")
    purpose: str = Field(sa_type=Text)
    intended_users: str | None = Field(default=None, sa_type=Text)
    out_of_scope: str | None = Field(default=None, sa_type=Text)
    limitations: str | None = Field(default=None, sa_type=Text)
    affected_persons: str | None = Field(default=None, sa_type=Text)
    """Who they are, how they learn of it, and how they object."""
    risk_profile: dict[str, str | bool] = Field(sa_type=JSON)
    risk_tier: str = Field(max_length=50)
    """Follows from the risk profile by the rules of the policy that governs the model; `open` where none does."""
    risk_revision: int = 1
    """Counts changes of the risk profile: what rests on older answers is out of date."""
    revision: int = 1
    """Counts edits: what ETag and If-Match compare."""
    created_at: datetime = Field(sa_type=UTCDateTime)
    created_by: UUID = Field(foreign_key="acta_actor.id")


class RiskRow(SQLModel, table=True):
    """One state of a model's risk: the answers, the tier that followed from them, why, and by which policy."""

    __tablename__ = "acta_risk"
    __table_args__ = (
        UniqueConstraint("model_id", "number", name="uq_risk_number"),
        CheckConstraint("number >= 1", name="ck_risk_number"),
    )

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    model_id: UUID = Field(foreign_key="acta_registered_model.id", index=True)
    number: int
    """Counts the model's states of risk."""
    answers: dict[str, str | bool] = Field(sa_type=JSON)
    answers_revision: int
    """The model's `risk_revision`: stays where a policy alone changed the tier."""
    tier: str = Field(max_length=50)
    reason: str = Field(sa_type=Text)
    policy_id: UUID | None = Field(default=None, foreign_key="acta_policy.id")
    """None where no policy governed the model, or none was recorded."""
    assessed_at: datetime = Field(sa_type=UTCDateTime)
    assessed_by: UUID | None = Field(default=None, foreign_key="acta_actor.id")
    """Who answered, or whose policy changed the tier; None for the installation itself."""


class ModelVersion(SQLModel, table=True):
    """One trained model. Only its stage, tags and aliases change, and what Acta finds out about its digest."""

    __tablename__ = "acta_model_version"
    __table_args__ = (
        UniqueConstraint("model_id", "number", name="uq_model_version_number"),
        one_of("stage", Stage, "model_version_stage"),
        one_of("digest_state", DigestState, "model_version_digest_state"),
        CheckConstraint("number >= 1", name="ck_model_version_number"),
        CheckConstraint("length(content_digest) = 32", name="ck_model_version_digest"),
        Index("ix_acta_model_version_stage", "stage"),
        # Which version of a model is in production, however many versions the model has.
        Index(
            "ix_acta_model_version_production",
            "model_id",
            "number",
            sqlite_where=text("stage = 'production'"),
            postgresql_where=text("stage = 'production'"),
        ),
        Index("ix_acta_model_version_created", "created_at", "id"),
        Index("ix_acta_model_version_content", "content_digest"),
    )

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    model_id: UUID = Field(foreign_key="acta_registered_model.id", index=True)
    number: int
    source_uri: str = Field(max_length=2000)
    content_digest: bytes = Field(sa_type=LargeBinary)
    digest_state: str = DigestState.STATED.value
    digest_checked_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    framework: str = Field(max_length=250)
    framework_version: str | None = Field(default=None, max_length=250)
    run_id: str | None = Field(default=None, max_length=250, index=True)
    metrics: dict[str, str] = Field(sa_type=JSON)
    parameters: dict[str, str] = Field(sa_type=JSON)
    signature: str | None = Field(default=None, sa_type=Text)
    size_bytes: int | None = Field(default=None, sa_type=BigInteger)
    description: str | None = Field(default=None, sa_type=Text)
    stage: str = Stage.NONE.value
    created_at: datetime = Field(sa_type=UTCDateTime)
    created_by: UUID = Field(foreign_key="acta_actor.id")
    trained_by: UUID | None = Field(default=None, foreign_key="acta_actor.id")
    """Who trained it, where the registration states it: has the same stake in it as who registered it."""


class LineageRow(SQLModel, table=True):
    """One thing that a version came from."""

    __tablename__ = "acta_lineage_edge"
    __table_args__ = (
        PrimaryKeyConstraint("version_id", "position"),
        one_of("kind", EdgeKind, "lineage_edge_kind"),
        one_of("role", DatasetRole, "lineage_edge_role"),
    )

    version_id: UUID = Field(foreign_key="acta_model_version.id")
    position: int
    kind: str
    role: str | None = None
    name: str = Field(max_length=250)
    uri: str | None = Field(default=None, max_length=2000)
    digest: bytes | None = Field(default=None, sa_type=LargeBinary, index=True)
    identifier: str | None = Field(default=None, max_length=250)


class AliasRow(SQLModel, table=True):
    """A movable name of one version within its model, such as `champion`."""

    __tablename__ = "acta_alias"
    __table_args__ = (PrimaryKeyConstraint("model_id", "alias"),)

    model_id: UUID = Field(foreign_key="acta_registered_model.id")
    alias: str = Field(max_length=250)
    version_id: UUID = Field(foreign_key="acta_model_version.id", index=True)


class TagRow(SQLModel, table=True):
    """A key and a value on a version."""

    __tablename__ = "acta_version_tag"
    __table_args__ = (PrimaryKeyConstraint("version_id", "key"),)

    version_id: UUID = Field(foreign_key="acta_model_version.id")
    key: str = Field(max_length=250)
    value: str = Field(sa_type=Text)
