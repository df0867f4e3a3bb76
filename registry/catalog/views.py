"""What the API says of models and versions. Tables are never responses."""

from datetime import datetime
from uuid import UUID

import msgspec

from registry.catalog.facts import LineageEdge, RiskProfile
from registry.catalog.labels import NO_LABELS, Labels
from registry.catalog.reads import VersionRecord
from registry.catalog.service import FoundVersion
from registry.catalog.tables import LineageRow, RegisteredModel, RiskRow


class ModelView(msgspec.Struct):
    """A registered model."""

    id: UUID
    name: str
    team: str
    owner_id: UUID
    purpose: str
    intended_users: str | None
    out_of_scope: str | None
    limitations: str | None
    affected_persons: str | None
    risk_profile: RiskProfile
    risk_tier: str
    risk_revision: int
    """Counts changes of the risk profile."""
    revision: int
    created_at: datetime
    created_by: UUID
    notice: str | None = None
    """What is owed: the review of an emergency rollback. Stated where one model is shown."""

    @classmethod
    def of(cls, row: RegisteredModel) -> "ModelView":
        """The view of a row."""
        return cls(
            id=row.id,
            name=row.name,
            team=row.team,
            owner_id=row.owner_id,
            purpose=row.purpose,
            intended_users=row.intended_users,
            out_of_scope=row.out_of_scope,
            limitations=row.limitations,
            affected_persons=row.affected_persons,
            risk_profile=msgspec.convert(row.risk_profile, RiskProfile),
            risk_tier=row.risk_tier,
            risk_revision=row.risk_revision,
            revision=row.revision,
            created_at=row.created_at,
            created_by=row.created_by,
        )


class RiskView(msgspec.Struct):
    """One state of a model's risk: answers, tier and reason."""

    id: UUID
    number: int
    answers: RiskProfile
    answers_revision: int
    tier: str
    reason: str
    policy_id: UUID | None
    """The policy by whose rules the tier follows; None where none governed."""
    assessed_at: datetime
    assessed_by: UUID | None

    @classmethod
    def of(cls, row: RiskRow) -> "RiskView":
        """The view of a row."""
        return cls(
            id=row.id,
            number=row.number,
            answers=msgspec.convert(row.answers, RiskProfile),
            answers_revision=row.answers_revision,
            tier=row.tier,
            reason=row.reason,
            policy_id=row.policy_id,
            assessed_at=row.assessed_at,
            assessed_by=row.assessed_by,
        )


class VersionView(msgspec.Struct):
    """A model version."""

    id: UUID
    model: str
    number: int
    stage: str
    source_uri: str
    content_digest: str
    digest_state: str
    digest_checked_at: datetime | None
    framework: str
    framework_version: str | None
    run_id: str | None
    metrics: dict[str, str]
    parameters: dict[str, str]
    signature: str | None
    size_bytes: int | None
    description: str | None
    aliases: list[str]
    tags: dict[str, str]
    created_at: datetime
    created_by: UUID
    trained_by: UUID | None
    """Who trained it, where the registration states it."""

    @classmethod
    def of(cls, found: FoundVersion, labels: Labels = NO_LABELS) -> "VersionView":
        """The view of a version and its labels."""
        row = found.version
        return cls(
            id=row.id,
            model=found.model.name,
            number=row.number,
            stage=row.stage,
            source_uri=row.source_uri,
            content_digest=row.content_digest.hex(),
            digest_state=row.digest_state,
            digest_checked_at=row.digest_checked_at,
            framework=row.framework,
            framework_version=row.framework_version,
            run_id=row.run_id,
            metrics=row.metrics,
            parameters=row.parameters,
            signature=row.signature,
            size_bytes=row.size_bytes,
            description=row.description,
            aliases=sorted(labels.aliases),
            tags=labels.tags,
            created_at=row.created_at,
            created_by=row.created_by,
            trained_by=row.trained_by,
        )

    @classmethod
    def of_record(cls, record: VersionRecord) -> "VersionView":
        """The view of a version that was read as a row."""
        return cls(
            id=record.id,
            model=record.model,
            number=record.number,
            stage=record.stage,
            source_uri=record.source_uri,
            content_digest=record.content_digest.hex(),
            digest_state=record.digest_state,
            digest_checked_at=record.digest_checked_at,
            framework=record.framework,
            framework_version=record.framework_version,
            run_id=record.run_id,
            metrics=record.metrics,
            parameters=record.parameters,
            signature=record.signature,
            size_bytes=record.size_bytes,
            description=record.description,
            aliases=sorted(record.aliases),
            tags=record.tags,
            created_at=record.created_at,
            created_by=record.created_by,
            trained_by=record.trained_by,
        )


def edge_of(row: LineageRow) -> LineageEdge:
    """The lineage edge in a row."""
    return msgspec.convert(
        {
            "kind": row.kind,
            "name": row.name,
            "role": row.role,
            "uri": row.uri,
            "digest": None if row.digest is None else row.digest.hex(),
            "identifier": row.identifier,
        },
        LineageEdge,
    )
