"""What is in production, what waits and what expires: the reads behind the first page, a few statements in all."""

from dataclasses import dataclass
from datetime import datetime
from typing import TypeVarTuple
from uuid import UUID

import msgspec
from sqlalchemy import Select, func, select
from sqlmodel import col

from registry.access.actor import Actor
from registry.access.service import names_of, visible
from registry.assessments.tables import AssessmentRow, AssessmentState
from registry.catalog.facts import Stage
from registry.catalog.tables import ModelVersion, RegisteredModel
from registry.errors import ConflictError
from registry.findings.tables import FindingRow
from registry.lapses.service import lasting_lapses
from registry.lapses.tables import LapseRow
from registry.policy.views import GateView
from registry.promotion.cases import Case, CaseFilter, list_cases
from registry.promotion.production import returned_by_rollback
from registry.promotion.service import gate_of_case
from registry.promotion.tables import PromotionRequest, RequestState, Rollback, Waiver
from registry.unit import Unit
from registry.web.presentation import counted
from registry.web.subjects import version_href

Columns = TypeVarTuple("Columns")

MOST_VERSIONS = 200
MOST_REQUESTS = 20
MOST_WAIVERS = 50


@dataclass(frozen=True)
class InProduction:
    """A version that serves."""

    cause_id: UUID | None
    """Of the promotion or the rollback that brought it there."""
    is_back: bool
    """Whether a rollback did."""
    title: str
    href: str
    purpose: str
    tier: str
    verdict: str | None
    """Of its newest assessment."""
    items_met: str
    waived: int
    since: datetime | None
    review_due: tuple[str, ...] = ()
    """What has lapsed of what it rests on."""
    review_due_since: datetime | None = None


@dataclass(frozen=True)
class Tier:
    """The versions of one risk tier in production, and how many there are."""

    name: str
    count: int
    versions: tuple[InProduction, ...]


@dataclass(frozen=True)
class Waiting:
    """A live request."""

    id: UUID
    title: str
    about: str
    missing: str
    who: tuple[str, ...]
    requested_at: datetime


@dataclass(frozen=True)
class InForce:
    """A waiver that has not ended."""

    id: UUID
    item: str
    measure: str
    """What is done instead while it lasts."""
    title: str
    href: str
    granted_by: str
    expires_at: datetime


def production(unit: Unit, actor: Actor, tiers: list[str]) -> list[Tier]:
    """What serves and may be seen by the actor, by risk tier, the highest first; at most 200 versions in all."""
    counts = {
        row[0]: int(row[1])
        for row in unit.session.execute(
            _seen(actor, select(col(RegisteredModel.risk_tier), func.count()).select_from(RegisteredModel)).group_by(
                col(RegisteredModel.risk_tier)
            )
        )
    }
    query = _seen(actor, select(RegisteredModel, ModelVersion).select_from(RegisteredModel))
    query = query.order_by(col(RegisteredModel.name), col(ModelVersion.number).desc()).limit(MOST_VERSIONS)
    found = [(row[0], row[1]) for row in unit.session.execute(query)]
    ids = [version.id for _, version in found]
    executed = _executions(unit, ids)
    returned = returned_by_rollback(unit, ids)
    verdicts = _verdicts(unit, ids)
    lapsed = lasting_lapses(unit, ids)
    shown = [
        _in_production(
            model,
            version,
            executed.get(version.id),
            returned.get(version.id),
            verdicts.get(version.id),
            lapsed.get(version.id, []),
        )
        for model, version in found
    ]
    known = [*reversed(tiers), *sorted(set(counts) - set(tiers))]
    return [
        Tier(name, counts[name], tuple(one for one in shown if one.tier == name)) for name in known if counts.get(name)
    ]


def _seen(actor: Actor, query: Select[*Columns]) -> Select[*Columns]:
    """Narrow a query of models to their versions in production that the actor may see."""
    joined = query.join(ModelVersion, col(ModelVersion.model_id) == col(RegisteredModel.id)).where(
        col(ModelVersion.stage) == Stage.PRODUCTION.value
    )
    condition = visible(actor, col(RegisteredModel.name), col(RegisteredModel.team))
    return joined if condition is None else joined.where(condition)


def _executions(unit: Unit, ids: list[UUID]) -> dict[UUID, PromotionRequest]:
    query = (
        select(PromotionRequest)
        .where(
            col(PromotionRequest.version_id).in_(ids),
            col(PromotionRequest.state) == RequestState.EXECUTED.value,
            col(PromotionRequest.target_stage) == Stage.PRODUCTION.value,
        )
        .order_by(col(PromotionRequest.number))
    )
    return {row.version_id: row for row in unit.session.execute(query).scalars()}


def _verdicts(unit: Unit, ids: list[UUID]) -> dict[UUID, str | None]:
    query = (
        select(col(AssessmentRow.version_id), col(AssessmentRow.verdict))
        .where(col(AssessmentRow.version_id).in_(ids), col(AssessmentRow.state) == AssessmentState.DONE.value)
        .order_by(col(AssessmentRow.finished_at))
    )
    return {row[0]: row[1] for row in unit.session.execute(query)}


def _in_production(
    model: RegisteredModel,
    version: ModelVersion,
    request: PromotionRequest | None,
    returned: Rollback | None,
    verdict: str | None,
    lapsed: list[LapseRow],
) -> InProduction:
    met, waived = "not recorded", 0
    if request is not None and request.gate is not None:
        gate = msgspec.convert(request.gate, GateView)
        items = [item for checklist in gate.checklists for item in checklist.items]
        waived_items = sum(1 for item in items if item.state == "waived")
        met = f"{len(items) - waived_items} of {len(items)}"
        waived = waived_items + sum(1 for finding in gate.findings if finding.state == "waived")
    cause_id, since = (None, None) if request is None else (request.id, request.ended_at)
    is_back = returned is not None and (since is None or returned.called_at > since)
    if returned is not None and is_back:
        cause_id, since = returned.id, returned.called_at
    return InProduction(
        cause_id=cause_id,
        is_back=is_back,
        title=f"{model.name} {version.number}",
        href=version_href(model.name, version.number),
        purpose=model.purpose,
        tier=model.risk_tier,
        verdict=verdict,
        items_met=met,
        waived=waived,
        since=since,
        review_due=tuple(row.title for row in lapsed),
        review_due_since=min((row.since for row in lapsed), default=None),
    )


def waiting(unit: Unit, actor: Actor) -> tuple[list[Waiting], int]:
    """Live requests, oldest first, at most 20, and how many more there are at least."""
    found: list[Case] = []
    for state in (RequestState.OPEN, RequestState.APPROVED):
        found += list_cases(unit, actor, CaseFilter(state=state), None, MOST_REQUESTS + 1)
    found.sort(key=lambda case: case.request.number)
    return [_waiting(unit, case) for case in found[:MOST_REQUESTS]], max(0, len(found) - MOST_REQUESTS)


def _waiting(unit: Unit, case: Case) -> Waiting:
    row, found = case.request, case.found
    missing, who = "", tuple[str, ...]()
    try:
        gate = gate_of_case(unit, case)
    except ConflictError as error:
        gate, missing = None, error.sentence
    if gate is not None:
        approvals = [one for one in gate.unmet if one.id.startswith("approval-")]
        findings = [one for one in gate.findings if not one.met]
        items = len(gate.unmet) - len(approvals) - len(findings)
        every = sum(len(checklist.items) for checklist in gate.checklists)
        parts = [f"{items} of {counted(every, 'item', 'items')}"] if items else []
        parts += [counted(len(findings), "finding", "findings")] if findings else []
        parts += [counted(len(approvals), "approval", "approvals")] if approvals else []
        missing = ", ".join(parts) or "nothing: it can be executed"
        who = tuple(dict.fromkeys(role for one in gate.unmet for role in one.who))
    return Waiting(
        id=row.id,
        title=f"{found.model.name} {found.version.number} to {row.target_stage}",
        about=f"Request {row.number}, {found.version.stage} to {row.target_stage}, {row.risk_tier} risk",
        missing=missing,
        who=who,
        requested_at=row.requested_at,
    )


def in_force(unit: Unit, actor: Actor, titles: dict[str, str]) -> list[InForce]:
    """Waivers that have not ended, the first to expire first; at most 50."""
    query = (
        select(Waiver, col(RegisteredModel.name), col(ModelVersion.number), col(FindingRow.title))
        .join(ModelVersion, col(ModelVersion.id) == col(Waiver.version_id))
        .join(RegisteredModel, col(RegisteredModel.id) == col(ModelVersion.model_id))
        .outerjoin(FindingRow, col(FindingRow.id) == col(Waiver.finding_id))
        .where(col(Waiver.expires_at) > unit.now)
        .order_by(col(Waiver.expires_at))
        .limit(MOST_WAIVERS)
    )
    condition = visible(actor, col(RegisteredModel.name), col(RegisteredModel.team))
    if condition is not None:
        query = query.where(condition)
    rows = [(row[0], row[1], row[2], row[3]) for row in unit.session.execute(query)]
    names = names_of(unit, {row.granted_by for row, *_ in rows})
    return [
        InForce(
            id=row.id,
            item=f"Finding: {finding}" if row.item is None else titles.get(row.item, row.item),
            measure=row.compensating_measure,
            title=f"{name} {number}",
            href=version_href(name, number),
            granted_by=names[row.granted_by],
            expires_at=row.expires_at,
        )
        for row, name, number, finding in rows
    ]
