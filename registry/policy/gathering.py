"""Reads the rows that a gate looks at: eight statements, however many versions, documents and results there are."""

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import BindParameter, ColumnElement, Select, bindparam, func, select
from sqlalchemy.orm import Mapped, aliased
from sqlmodel import col

from registry.access.actor import Role
from registry.access.tables import ActorRow
from registry.catalog.facts import Stage
from registry.catalog.tables import ModelVersion
from registry.findings.tables import FindingRow, FindingState
from registry.policy.evidence import (
    Attested,
    Checked,
    Documented,
    Evidence,
    Excepted,
    Reviewed,
    Unclosed,
    waived_subject,
)
from registry.policy.facts_of_versions import VERSION, DocumentOf, check_facts, current_documents, person_of
from registry.policy.outcomes import Outcome
from registry.policy.policy import Severity
from registry.policy.tables import Answer, AttestationRow, CheckResultRow
from registry.promotion.states import LIVE
from registry.promotion.tables import Decision, PromotionRequest, ReviewRow, Waiver
from registry.unit import Unit

if TYPE_CHECKING:
    from registry.catalog.service import FoundVersion

# Statements are built once: that takes longer than running them.
NOW: BindParameter[Any] = bindparam("now")


def gather(unit: Unit, found: "FoundVersion", target_stage: Stage) -> Evidence:
    """All that is known of a version now, with the reviews of its live request for that stage."""
    version = found.version
    interested, reviewed = _reviews(unit, version.id, target_stage)
    documents = current_documents(unit, version.id)
    return Evidence(
        facts=check_facts(unit, found.model, version, documents),
        attested=_attestations(unit, version.id),
        documented=_documented(documents),
        checked=_results(unit, version.id),
        excepted=_waivers(unit, version.id),
        risk_revision=found.model.risk_revision,
        reviewed=reviewed,
        interested=interested,
        unclosed=_unclosed(unit, version.id),
    )


def _newest(
    identity: Mapped[UUID],
    group: Sequence[Mapped[Any]],
    newest_first: ColumnElement[Any],
    *conditions: ColumnElement[bool],
) -> Select[Any]:
    """The ids of the newest row of each group; of rows of one instant, always the same one."""
    place = func.row_number().over(partition_by=list(group), order_by=[newest_first, identity]).label("place")
    ranked = select(identity.label("id"), place).where(*conditions).subquery()
    return select(ranked.c.id).where(ranked.c.place == 1)


@cache
def _attestations_query() -> Select[*tuple[Any, ...]]:
    newest = _newest(
        col(AttestationRow.id),
        (col(AttestationRow.item),),
        col(AttestationRow.attested_at).desc(),
        col(AttestationRow.version_id) == VERSION,
        col(AttestationRow.withdrawn_at).is_(None),
    )
    return select(AttestationRow).where(col(AttestationRow.id).in_(newest))


def _attestations(unit: Unit, version_id: UUID) -> dict[str, Attested]:
    rows = unit.session.execute(_attestations_query(), {"version_id": version_id}).scalars()
    return {
        row.item: Attested(
            id=row.id,
            item=row.item,
            answer=Answer(row.answer),
            reason=row.reason,
            evidence=row.evidence,
            by=row.attested_by,
            at=row.attested_at,
            risk_revision=row.risk_revision,
        )
        for row in rows
    }


def _documented(documents: Sequence[DocumentOf]) -> dict[str, Documented]:
    return {
        row.kind: Documented(
            id=row.id,
            kind=row.kind,
            title=row.title,
            digest=row.digest,
            uploaded_by=row.uploaded_by,
            uploaded_at=row.uploaded_at,
            signed_off_by=row.signed_off_by,
            signed_off_at=row.signed_off_at,
        )
        for row in (document.row for document in documents)
    }


@cache
def _results_query() -> Select[*tuple[Any, ...]]:
    newest = _newest(
        col(CheckResultRow.id),
        (col(CheckResultRow.check_name), col(CheckResultRow.inputs_digest)),
        col(CheckResultRow.checked_at).desc(),
        col(CheckResultRow.version_id) == VERSION,
    )
    return select(CheckResultRow).where(col(CheckResultRow.id).in_(newest))


def _results(unit: Unit, version_id: UUID) -> dict[tuple[str, bytes], Checked]:
    rows = unit.session.execute(_results_query(), {"version_id": version_id}).scalars()
    return {
        (row.check_name, row.inputs_digest): Checked(
            id=row.id,
            check=row.check_name,
            outcome=Outcome(row.outcome),
            reason=row.reason,
            evidence=row.evidence,
            inputs_digest=row.inputs_digest,
            at=row.checked_at,
        )
        for row in rows
    }


@cache
def _waivers_query() -> Select[*tuple[Any, ...]]:
    return (
        select(Waiver)
        .where(col(Waiver.version_id) == VERSION, col(Waiver.expires_at) > NOW)
        .order_by(col(Waiver.expires_at), col(Waiver.id))
    )


def _waivers(unit: Unit, version_id: UUID) -> dict[str, Excepted]:
    rows = unit.session.execute(_waivers_query(), {"version_id": version_id, "now": unit.now}).scalars()
    found = [
        Excepted(
            id=row.id,
            subject=waived_subject(row.item, row.finding_id),
            reason=row.reason,
            by=row.granted_by,
            granted_at=row.granted_at,
            expires_at=row.expires_at,
            compensating_measure=row.compensating_measure,
        )
        for row in rows
    ]
    return {waiver.subject: waiver for waiver in found}


@cache
def _unclosed_query() -> Select[*tuple[Any, ...]]:
    return (
        select(FindingRow)
        .where(col(FindingRow.version_id) == VERSION, col(FindingRow.state) != FindingState.CLOSED.value)
        .order_by(col(FindingRow.due_at), col(FindingRow.id))
    )


def _unclosed(unit: Unit, version_id: UUID) -> tuple[Unclosed, ...]:
    rows = unit.session.execute(_unclosed_query(), {"version_id": version_id}).scalars()
    found = [
        Unclosed(
            id=row.id,
            severity=Severity(row.severity),
            title=row.title,
            is_remediated=row.state == FindingState.REMEDIATED,
            owner=row.owner_id,
            opened_at=row.opened_at,
            due_at=row.due_at,
        )
        for row in rows
    ]
    return tuple(sorted(found, key=lambda finding: list(Severity).index(finding.severity)))


@cache
def _reviews_query() -> Select[*tuple[Any, ...]]:
    requester, reviewer = aliased(ActorRow), aliased(ActorRow)
    registrant, trainer = aliased(ActorRow), aliased(ActorRow)
    return (
        select(
            person_of(requester),
            col(PromotionRequest.handed_to),
            person_of(registrant),
            person_of(trainer),
            col(ReviewRow.role),
            col(ReviewRow.decision),
            col(ReviewRow.reviewed_by),
            person_of(reviewer),
            col(ReviewRow.on_behalf_of),
            col(ReviewRow.reviewed_at),
            col(ReviewRow.role_granted_by),
        )
        .select_from(PromotionRequest)
        .join(ModelVersion, col(PromotionRequest.version_id) == col(ModelVersion.id))
        .join(requester, col(PromotionRequest.requested_by) == requester.id)
        .join(registrant, col(ModelVersion.created_by) == registrant.id)
        .outerjoin(trainer, col(ModelVersion.trained_by) == trainer.id)
        .outerjoin(ReviewRow, col(ReviewRow.request_id) == col(PromotionRequest.id))
        .outerjoin(reviewer, col(ReviewRow.reviewed_by) == reviewer.id)
        .where(
            col(PromotionRequest.version_id) == VERSION,
            col(PromotionRequest.target_stage) == bindparam("target_stage"),
            col(PromotionRequest.state).in_(LIVE),
            col(PromotionRequest.expires_at) > NOW,
        )
        .order_by(col(ReviewRow.reviewed_at), col(ReviewRow.id))
    )


def _reviews(unit: Unit, version_id: UUID, target_stage: Stage) -> tuple[frozenset[UUID], tuple[Reviewed, ...]]:
    """Who made the version or the live request, and that request's reviews in the order in which they were given."""
    asked = {"version_id": version_id, "target_stage": target_stage.value, "now": unit.now}
    # Of a request without reviews the outer join gives one row, without a role.
    rows: Sequence[Any] = unit.session.execute(_reviews_query(), asked).all()
    if not rows:
        return frozenset(), ()
    given = (
        Reviewed(
            role=Role(role),
            approves=decision == Decision.APPROVE.value,
            by=by,
            persons=_known(person, on_behalf_of),
            at=at,
            role_granted_by=None if granters is None else frozenset(UUID(one) for one in granters),
        )
        for *_, role, decision, by, person, on_behalf_of, at, granters in rows
        if role is not None
    )
    return _known(*rows[0][:4]), tuple(given)


def _known(*persons: UUID | None) -> frozenset[UUID]:
    return frozenset(person for person in persons if person is not None)
