"""What the automatic checks may know of a version, from rows: four statements, one of which the gate shares."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import BindParameter, ColumnElement, Select, bindparam, func, literal_column, select
from sqlalchemy.orm import aliased
from sqlmodel import col

from registry.access.tables import ActorRow
from registry.assessments.tables import AssessmentRow, AssessmentState
from registry.assessments.verdicts import Verdict
from registry.catalog.facts import DatasetRole, DigestState, EdgeKind, RiskProfile
from registry.catalog.tables import LineageRow, ModelVersion, RegisteredModel
from registry.documents.tables import DocumentRow
from registry.monitoring.facts import monitored_facts
from registry.policy.checks import (
    Assessed,
    CheckFacts,
    DocumentFacts,
    Edge,
    InProduction,
    ModelFacts,
    VulnerabilityExport,
)
from registry.unit import Unit
from registry.vulnerabilities.tables import VulnerabilityExportRow

VERSION: BindParameter[Any] = bindparam("version_id")

_Standing = tuple[AssessmentRow | None, VulnerabilityExportRow | None, ModelVersion | None, UUID, UUID | None]


@dataclass(frozen=True)
class DocumentOf:
    """A document, and the persons who count for who uploaded it and who signed it off."""

    row: DocumentRow
    uploaded_by: UUID
    signed_off_by: UUID | None


def check_facts(
    unit: Unit, model: RegisteredModel, version: ModelVersion, documents: Sequence[DocumentOf]
) -> CheckFacts:
    """What the automatic checks may look at: three statements."""
    assessment, export, rival, registrant, trainer = _standing(unit, version.id, version.model_id)
    return CheckFacts(
        content_digest=version.content_digest,
        digest_state=DigestState(version.digest_state),
        digest_checked_at=version.digest_checked_at,
        edges=_edges(unit, version.id),
        assessed=_assessed(assessment),
        framework=version.framework,
        metrics=version.metrics,
        parameters=version.parameters,
        signature=version.signature,
        makers=frozenset(person for person in (registrant, trainer) if person is not None),
        model=_model_facts(model),
        documents=_document_facts(documents),
        in_production=None if rival is None else InProduction(rival.number, rival.content_digest, rival.metrics),
        vulnerability_export=None
        if export is None
        else VulnerabilityExport(export.digest, export.exported_at, export.records),
        monitored=monitored_facts(unit, version.id),
    )


def current_documents(unit: Unit, version_id: UUID) -> list[DocumentOf]:
    """The newest document of each kind that nothing superseded: one statement."""
    rows = unit.session.execute(_documents_query(), {"version_id": version_id})
    return [DocumentOf(row, uploaded_by, signed) for row, uploaded_by, signed in rows]


@cache
def _documents_query() -> Select[*tuple[Any, ...]]:
    uploader, signer = aliased(ActorRow), aliased(ActorRow)
    place = (
        func.row_number()
        .over(partition_by=col(DocumentRow.kind), order_by=[col(DocumentRow.uploaded_at).desc(), col(DocumentRow.id)])
        .label("place")
    )
    ranked = (
        select(col(DocumentRow.id).label("id"), place)
        .where(col(DocumentRow.version_id) == VERSION, col(DocumentRow.superseded_by).is_(None))
        .subquery()
    )
    return (
        select(DocumentRow, person_of(uploader), person_of(signer))
        .join(ranked, ranked.c.id == col(DocumentRow.id))
        .join(uploader, col(DocumentRow.uploaded_by) == uploader.id)
        .outerjoin(signer, col(DocumentRow.signed_off_by) == signer.id)
        .where(ranked.c.place == 1)
        .order_by(col(DocumentRow.kind))
    )


def person_of(actor: type[ActorRow]) -> ColumnElement[UUID]:
    """The person who counts for an actor."""
    return func.coalesce(col(actor.responsible_id), col(actor.id))


@cache
def _edges_query() -> Select[*tuple[Any, ...]]:
    return (
        select(
            col(LineageRow.kind),
            col(LineageRow.role),
            col(LineageRow.name),
            col(LineageRow.digest),
            col(LineageRow.identifier),
        )
        .where(col(LineageRow.version_id) == VERSION)
        .order_by(col(LineageRow.position))
    )


def _edges(unit: Unit, version_id: UUID) -> tuple[Edge, ...]:
    return tuple(
        Edge(EdgeKind(kind), None if role is None else DatasetRole(role), name, digest, identifier)
        for kind, role, name, digest, identifier in unit.session.execute(_edges_query(), {"version_id": version_id})
    )


def _standing(unit: Unit, version_id: UUID, model_id: UUID) -> _Standing:
    """The newest assessment, the export that counts, the other version in production, and who made this one."""
    asked = {"version_id": version_id, "model_id": model_id}
    assessment, export, rival, registrant, trainer = unit.session.execute(_standing_query(), asked).one()
    return assessment, export, rival, registrant, trainer


@cache
def _standing_query() -> Select[*tuple[Any, ...]]:
    rival, registrant, trainer = aliased(ModelVersion), aliased(ActorRow), aliased(ActorRow)
    newest_assessment = (
        select(col(AssessmentRow.id))
        .where(col(AssessmentRow.version_id) == VERSION, col(AssessmentRow.state) == AssessmentState.DONE.value)
        .order_by(col(AssessmentRow.finished_at).desc(), col(AssessmentRow.id))
        .limit(1)
        .scalar_subquery()
    )
    newest_export = (
        select(col(VulnerabilityExportRow.id))
        .order_by(col(VulnerabilityExportRow.read_at).desc(), col(VulnerabilityExportRow.id))
        .limit(1)
        .scalar_subquery()
    )
    other = aliased(ModelVersion)
    newest_rival = (
        select(col(other.id))
        .where(
            col(other.model_id) == bindparam("model_id"),
            # Written out, so that the partial index of versions in production serves.
            col(other.stage) == literal_column("'production'"),
            col(other.id) != VERSION,
        )
        .order_by(col(other.number).desc())
        .limit(1)
        .scalar_subquery()
    )
    return (
        select(AssessmentRow, VulnerabilityExportRow, rival, person_of(registrant), person_of(trainer))
        .select_from(ModelVersion)
        .join(registrant, col(ModelVersion.created_by) == registrant.id)
        .outerjoin(trainer, col(ModelVersion.trained_by) == trainer.id)
        .outerjoin(AssessmentRow, col(AssessmentRow.id) == newest_assessment)
        .outerjoin(VulnerabilityExportRow, col(VulnerabilityExportRow.id) == newest_export)
        .outerjoin(rival, col(rival.id) == newest_rival)
        .where(col(ModelVersion.id) == VERSION)
    )


def _assessed(row: AssessmentRow | None) -> Assessed | None:
    if row is None or row.verdict is None or row.result_digest is None or row.finished_at is None:
        return None
    return Assessed(
        id=row.id,
        verdict=Verdict(row.verdict),
        rows=row.rows or 0,
        declared_digest=row.declared_digest,
        result_digest=row.result_digest,
        origin=row.origin,
        summary=row.summary,
        finished_at=row.finished_at,
        features=tuple(tuple(features) for features in row.compared or ()),
        accuracy=row.accuracy,
    )


def _model_facts(model: RegisteredModel) -> ModelFacts:
    profile = msgspec.convert(model.risk_profile, RiskProfile)
    return ModelFacts(
        purpose=model.purpose,
        intended_users=model.intended_users,
        out_of_scope=model.out_of_scope,
        limitations=model.limitations,
        personal_data=profile.personal_data.value,
        legal_domain=profile.legal_domain.value,
    )


def _document_facts(documents: Iterable[DocumentOf]) -> tuple[DocumentFacts, ...]:
    return tuple(
        DocumentFacts(
            kind=document.row.kind,
            title=document.row.title,
            digest=document.row.digest,
            uploaded_by=document.uploaded_by,
            signed_off_by=document.signed_off_by,
            file_name=document.row.file_name,
            media_type=document.row.media_type,
        )
        for document in documents
    )
