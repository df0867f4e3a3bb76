"""Gathers the facts of a version, as they stand in one transaction, into what a card states."""

from dataclasses import dataclass
from urllib.parse import quote
from uuid import UUID

import msgspec
from sqlalchemy import select
from sqlmodel import col

from fairness.assessment import Assessment, from_json
from fairness.thresholds import Verdict
from registry.assessments.tables import AssessmentRow, AssessmentState, Origin
from registry.cards.decisions import decided
from registry.cards.entries import newest_entries, pseudonym
from registry.cards.signature import described_signature
from registry.catalog.facts import DatasetRole, EdgeKind, RiskProfile
from registry.catalog.service import FoundVersion, lineage_of
from registry.catalog.tables import LineageRow, RegisteredModel
from registry.documents.service import documents_of
from registry.policy.service import policy_for
from registry.settings import Settings
from registry.unit import Unit
from reports import facts as card

MOST_FINDINGS = 12
"""Sentences that a card prints; its attachment has all."""

_GRAVEST = (Verdict.FAIL, Verdict.INCONCLUSIVE, Verdict.TOO_FEW, Verdict.PASS)


@dataclass(frozen=True)
class LoadedResult:
    """The result of an assessment, read from the storage before the transaction that gathers the facts."""

    digest: bytes
    data: bytes

    def assessment(self) -> Assessment:
        """The result, parsed."""
        return from_json(self.data)


class ResultChangedError(Exception):
    """A newer assessment finished since its result was loaded: load again."""


def newest_result(unit: Unit, version_id: UUID) -> bytes | None:
    """SHA-256 of the result of the newest finished assessment."""
    row = _newest_assessment(unit, version_id)
    return None if row is None else row.result_digest


def _newest_assessment(unit: Unit, version_id: UUID) -> AssessmentRow | None:
    query = (
        select(AssessmentRow)
        .where(col(AssessmentRow.version_id) == version_id, col(AssessmentRow.state) == AssessmentState.DONE.value)
        .order_by(col(AssessmentRow.finished_at).desc(), col(AssessmentRow.id))
        .limit(1)
    )
    return unit.session.execute(query).scalar()


def gather(unit: Unit, found: FoundVersion, result: LoadedResult | None, settings: Settings) -> card.CardFacts:
    """All that a card states of a version, as of `unit.now`.

    Raises:
        ResultChangedError: `result` is not the newest one any more.
    """
    model, version = found.model, found.version
    edges = lineage_of(unit, version.id)
    decision = decided(unit, found)
    return card.CardFacts(
        organisation=settings.organisation,
        issued_at=unit.now,
        identity=_identity(found, edges),
        use=_use(found),
        risk=_risk(unit, found),
        gate=decision.gate,
        checklists=decision.checklists,
        waivers=decision.waivers,
        approvals=decision.approvals,
        datasets=_datasets(edges, _newest_assessment(unit, found.version.id)),
        origin=_origin(found, edges),
        documents=_documents(unit, found),
        metrics=version.metrics,
        parameters=version.parameters,
        assessment=_assessment(unit, version.id, result),
        monitoring_plan=decision.monitoring_plan,
        limits=model.limitations,
        verification_url=_page(found, settings),
    )


def _page(found: FoundVersion, settings: Settings) -> str:
    """Where the installation shows the version."""
    name = quote(found.model.name, safe="")
    return f"{settings.public_url.rstrip('/')}/models/{name}/versions/{found.version.number}"


def _identity(found: FoundVersion, edges: list[LineageRow]) -> card.Identity:
    version = found.version
    parent = next((edge.identifier for edge in edges if edge.kind == EdgeKind.PARENT.value), None)
    framework = (
        version.framework if version.framework_version is None else f"{version.framework} {version.framework_version}"
    )
    return card.Identity(
        name=found.model.name,
        version=str(version.number),
        content_digest_hex=version.content_digest.hex(),
        digest_state=card.DigestState(version.digest_state),
        stage=version.stage,
        framework=framework,
        signature=None if version.signature is None else described_signature(version.signature),
        source_uri=version.source_uri,
        previous_version=parent or (str(version.number - 1) if version.number > 1 else None),
        change_since_previous=version.description,
    )


def _use(found: FoundVersion) -> card.Use:
    model = found.model
    profile = msgspec.convert(model.risk_profile, RiskProfile)
    return card.Use(
        purpose=model.purpose,
        intended_users=model.intended_users,
        affected_persons=_affected(model, profile),
        out_of_scope=model.out_of_scope,
        owner=f"{pseudonym(model.owner_id)}, team {model.team}",
    )


def _affected(model: RegisteredModel, profile: RiskProfile) -> str:
    """Who is affected, in the words that were stated, and what the risk profile says of it."""
    if not profile.affects_persons:
        return "None, says the risk profile."
    found = f"Persons are affected, says the risk profile; personal data: {profile.personal_data.value}."
    return found if model.affected_persons is None else f"{model.affected_persons} {found}"


def _risk(unit: Unit, found: FoundVersion) -> card.Risk:
    rule = policy_for(unit, found.place).policy.risk_rule(msgspec.convert(found.model.risk_profile, RiskProfile))
    # Risk carried over from before it was versioned may be of another tier: the model's own is the one that is stated.
    reasons = (rule.sentence,) if rule.tier == found.model.risk_tier else ()
    return card.Risk(tier=found.model.risk_tier, reasons=reasons)


def _datasets(edges: list[LineageRow], assessment: AssessmentRow | None) -> tuple[card.Dataset, ...]:
    """The version's data sets; rows are known of the test set that the newest assessment was declared to be on."""
    assessed = {} if assessment is None else {assessment.declared_digest: assessment.rows}
    order = [role.value for role in DatasetRole]
    chosen = [(edge, edge.role) for edge in edges if edge.kind == EdgeKind.DATASET.value and edge.role is not None]
    return tuple(
        card.Dataset(
            role=role,
            name=edge.name,
            uri=edge.uri,
            digest=None if edge.digest is None else edge.digest.hex(),
            rows=None if edge.digest is None else assessed.get(edge.digest),
        )
        for edge, role in sorted(chosen, key=lambda pair: order.index(pair[1]))
    )


def _origin(found: FoundVersion, edges: list[LineageRow]) -> card.Origin:
    code = next((edge for edge in edges if edge.kind == EdgeKind.CODE.value), None)
    environment = next((edge for edge in edges if edge.kind == EdgeKind.ENVIRONMENT.value), None)
    return card.Origin(
        code_repository=None if code is None else code.uri or code.name,
        code_commit=None if code is None else code.identifier,
        environment_digest_hex=(
            None if environment is None or environment.digest is None else environment.digest.hex()
        ),
        run_id=found.version.run_id,
    )


def _documents(unit: Unit, found: FoundVersion) -> tuple[card.Document, ...]:
    rows = [row for row in reversed(documents_of(unit, found.version.id)) if row.superseded_by is None]
    kinds = policy_for(unit, found.place).policy.document_kinds
    entries = newest_entries(unit, [row.id for row in rows])
    return tuple(
        card.Document(
            kind=kinds[row.kind].title if row.kind in kinds else row.kind,
            title=row.title,
            sha256_hex=row.digest.hex(),
            author=pseudonym(row.uploaded_by),
            entry=entries[row.id],
            signed_off_by=None if row.signed_off_by is None else pseudonym(row.signed_off_by),
            signed_off_at=row.signed_off_at,
        )
        for row in rows
    )


def _assessment(unit: Unit, version_id: UUID, result: LoadedResult | None) -> card.Assessment | None:
    row = _newest_assessment(unit, version_id)
    if (None if row is None else row.result_digest) != (None if result is None else result.digest):
        raise ResultChangedError
    if row is None or result is None or row.verdict is None or row.finished_at is None:
        return None
    found = result.assessment()
    gravest_first = sorted(found.findings, key=lambda finding: _GRAVEST.index(finding.verdict))
    by = f"Uploaded by {pseudonym(row.requested_by)}"
    return card.Assessment(
        verdict=card.AssessmentVerdict(row.verdict),
        summary=row.summary or "",
        findings=tuple(finding.sentence for finding in gravest_first[1 : MOST_FINDINGS + 1]),
        origin=by if row.origin == Origin.UPLOADED.value else "Recomputed by Acta from model and data",
        assessed_at=row.finished_at,
        data_digest_hex=row.data_digest.hex(),
        rows=row.rows,
        entry=newest_entries(unit, [row.id]).get(row.id),
        result=msgspec.json.decode(result.data, type=dict[str, object]),
    )
