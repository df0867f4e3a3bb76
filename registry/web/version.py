"""The page of a model version: the verdict first, then all that it rests on."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from anyio import to_thread
from litestar import Controller, Request, get
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from litestar.response import Template

from registry.access.actor import Actor
from registry.access.service import names_of
from registry.assessments.service import assessments_of
from registry.cards.api import CardView
from registry.cards.service import list_cards
from registry.catalog import service as catalog
from registry.catalog.facts import LineageEdge, Stage
from registry.catalog.labels import NO_LABELS, labels_of
from registry.catalog.service import FoundVersion
from registry.catalog.views import ModelView, VersionView, edge_of
from registry.documents.api import DocumentView
from registry.documents.service import documents_of
from registry.findings.service import FoundFinding, findings_of
from registry.findings.tables import FindingState
from registry.findings.views import FindingView
from registry.http.guards import signed_in
from registry.http.transactions import run_in_reading_unit
from registry.lapses.api import LapseView
from registry.lapses.service import lapses_of
from registry.policy.attestations import list_attestations
from registry.policy.errors import NoGateError, UngovernedError
from registry.policy.policy import Policy, Severity
from registry.policy.service import find_policy_for, gate_under, policy_for, policy_of, tier_under
from registry.policy.views import GateView
from registry.promotion.cases import Case, CaseFilter, find_case, list_cases
from registry.promotion.production import rollbacks_about
from registry.promotion.rollback import notice_of
from registry.promotion.service import gate_of_case
from registry.promotion.states import LIVE
from registry.promotion.tables import RequestState, Rollback
from registry.promotion.views import PromotionSummary, PromotionView, WaiverView
from registry.promotion.waivers import list_waivers
from registry.storage import Storage
from registry.unit import Unit
from registry.web.bias import ShownAssessment, latest, with_result
from registry.web.frame import Frame, frame_of, framed
from registry.web.gates import GateSubject, ShownGate, evidence_in, people_in, shown_gate
from registry.web.history import History, history_of, item_titles
from registry.web.lineage import Drawing, draw, kind_of
from registry.web.monitoring import ShownMonitoring, shown_monitoring

MOST_REQUESTS = 50


@dataclass(frozen=True)
class Source:
    """A lineage edge, with what it is called."""

    kind: str
    edge: LineageEdge
    rows: int | None
    """Of the test set that the shown assessment was declared to be on: how many it counted."""


@dataclass(frozen=True)
class VersionPage:
    """All that the page shows, finished."""

    frame: Frame
    model: ModelView
    version: VersionView
    notice: str | None
    """What is owed: the review of an emergency rollback of the model."""
    back_since: datetime | None
    """When a rollback brought it back into production, where it is there by one."""
    gate: ShownGate | None
    other_stages: tuple[str, ...]
    request: PromotionSummary | None
    """The live request for that stage, or the one that led there."""
    assessment: ShownAssessment | None
    sources: tuple[Source, ...]
    drawing: Drawing
    documents: tuple[DocumentView, ...]
    requests: tuple[PromotionView, ...]
    waivers: tuple[WaiverView, ...]
    findings: tuple[FindingView, ...]
    """The gravest first; closed ones last."""
    lasting: tuple[LapseView, ...]
    """What has lapsed of what it rests on in production: while there is any, its review is due."""
    titles: dict[str, str]
    """Of checklist items, by id."""
    cards: tuple[CardView, ...]
    monitoring: ShownMonitoring
    names: dict[UUID, str]
    history: History


@dataclass(frozen=True)
class _Judged:
    """A gate, the policy by which it was evaluated, and the request to which it belongs."""

    view: GateView
    policy: Policy
    request: PromotionSummary | None


class VersionPages(Controller):
    """Model versions, for people."""

    path = "/models"
    include_in_schema = False

    @get("/{name:str}/versions/{number:int}", guards=[signed_in])
    async def show(
        self,
        name: FromPath[str],
        number: FromPath[int],
        request: Request[Any, Any, Any],
        actor: NamedDependency[Actor],
        storage: NamedDependency[Storage],
        target_stage: FromQuery[Stage | None] = None,
    ) -> Template:
        """A version. `target_stage`: the gate to show; without it, the one that matters most now."""
        shown: VersionPage = await run_in_reading_unit(
            request.app.state.units,
            lambda unit: version_page(_named(unit, request), actor, name, number, target_stage),
        )
        if shown.assessment is not None:
            # The stored result is a file: read where a wait stops nobody else.
            assessment = await to_thread.run_sync(with_result, shown.assessment, storage)
            shown = replace(shown, assessment=assessment)
        return framed(shown.frame, "version.html", {"page": shown})


def _named(unit: Unit, request: Request[Any, Any, Any]) -> Unit:
    unit.request_id = request.scope.get("state", {}).get("request_id")
    return unit


def version_page(unit: Unit, actor: Actor, name: str, number: int, target_stage: Stage | None) -> VersionPage:
    """Everything about one version that is in the database."""
    found = catalog.find_version(unit, actor, name, number)
    version_id = found.version.id
    labels = labels_of(unit, [version_id]).get(version_id, NO_LABELS)
    edges = [edge_of(row) for row in catalog.lineage_of(unit, version_id)]
    documents = [DocumentView.of(row) for row in documents_of(unit, version_id)]
    assessments = assessments_of(unit, version_id)
    waivers = [WaiverView.of(row) for row in list_waivers(unit, version_id)]
    findings = _findings(unit, found)
    lapses = [LapseView.of(row) for row in lapses_of(unit, version_id)]
    cards = [CardView.of(card) for card in list_cards(unit, actor, name, number)]
    attestations = list_attestations(unit, version_id)
    monitoring = shown_monitoring(unit, version_id)
    rollbacks = rollbacks_about(unit, version_id)
    cases = _cases(unit, actor, found)
    requests = [PromotionView.of(case, None) for case in cases]
    judged = _gate(unit, found, cases, target_stage)
    titles = item_titles(unit) if judged is None else {item.id: item.title for item in judged.policy.items.values()}
    titles |= {str(document.id): document.title for document in documents}
    titles |= {str(finding.id): finding.title for finding in findings}
    subjects: list[UUID] = [
        version_id,
        *(one.id for one in documents),
        *(one.row.id for one in assessments),
        *(one.id for one in waivers),
        *(one.id for one in findings),
        *(one.id for one in lapses),
        *(one.id for one in cards),
        *(one.id for one in attestations),
        *(one.id for one in rollbacks),
        *monitoring.subjects,
        *(one.request.id for one in requests),
        *(evidence_in(judged.view) if judged else ()),
    ]
    history = history_of(unit, subjects, titles)
    assessment = latest(assessments)
    people = _people(found, documents, waivers, cards, requests, judged, assessment)
    names = names_of(unit, people | _owners(findings) | monitoring.people)
    gate, request = None, None
    if judged is not None:
        request = judged.request
        entry = None
        if request is not None and request.state == RequestState.EXECUTED:
            entry = history.entry_of(request.id, "promotion.executed")
        gate = shown_gate(judged.view, judged.policy, GateSubject(name, number), names, history, entry)
    return VersionPage(
        frame=frame_of(unit, actor),
        model=ModelView.of(found.model),
        notice=notice_of(unit, found.model.id),
        back_since=_back_since(found, rollbacks, cases),
        version=VersionView.of(found, labels),
        gate=gate,
        other_stages=_other_stages(unit, found, None if gate is None else gate.target_stage),
        request=request,
        assessment=assessment,
        sources=tuple(Source(kind_of(edge), edge, _assessed_rows(edge, assessment)) for edge in edges),
        drawing=draw(edges, f"{name} {number}", found.version.content_digest.hex()[:8], found.version.stage),
        documents=tuple(documents),
        requests=tuple(requests),
        waivers=tuple(waivers),
        findings=tuple(findings),
        lasting=tuple(one for one in lapses if one.ended_at is None),
        titles=titles,
        cards=tuple(cards),
        monitoring=monitoring,
        names=names,
        history=history,
    )


def _back_since(found: FoundVersion, rollbacks: Sequence[Rollback], cases: Sequence[Case]) -> datetime | None:
    promoted = [
        case.request.ended_at
        for case in cases
        if case.state is RequestState.EXECUTED and case.request.target_stage == Stage.PRODUCTION
    ]
    last = max((at for at in promoted if at is not None), default=None)
    back = next((one.called_at for one in rollbacks if one.to_version_id == found.version.id), None)
    if found.version.stage != Stage.PRODUCTION or back is None or (last is not None and last > back):
        return None
    return back


def _findings(unit: Unit, found: FoundVersion) -> list[FindingView]:
    views = [FindingView.of(FoundFinding(row, found), unit.now) for row in findings_of(unit, found.version.id)]
    gravest_first = list(Severity)
    return sorted(
        views, key=lambda one: (one.state == FindingState.CLOSED, gravest_first.index(Severity(one.severity)))
    )


def _owners(findings: Sequence[FindingView]) -> set[UUID]:
    return {finding.owner_id for finding in findings}


def _assessed_rows(edge: LineageEdge, assessment: ShownAssessment | None) -> int | None:
    if assessment is None or edge.digest is None or edge.digest != assessment.declared_sha256:
        return None
    return assessment.rows


def _cases(unit: Unit, actor: Actor, found: FoundVersion) -> list[Case]:
    """The newest requests for a version, with their reviews."""
    wanted = CaseFilter(model=found.model.name, version=found.version.number)
    return [find_case(unit, actor, case.request.id) for case in list_cases(unit, actor, wanted, None, MOST_REQUESTS)]


def _gate(unit: Unit, found: FoundVersion, cases: Sequence[Case], target_stage: Stage | None) -> _Judged | None:
    """The gate to show: of the live request, else of the stage that the version has reached, else to production."""
    stage = found.version.stage
    telling = [case for case in cases if case.state in LIVE]
    telling += [case for case in cases if case.state is RequestState.EXECUTED and case.request.target_stage == stage]
    wanted = target_stage or (Stage(telling[0].request.target_stage) if telling else Stage.PRODUCTION)
    for case in telling:
        if case.request.target_stage == wanted:
            view = gate_of_case(unit, case)
            if view is not None:
                policy = policy_of(unit, case.request.policy_id).policy
                return _Judged(view, policy, PromotionSummary.of(case))
    try:
        active = policy_for(unit, found.place)
        return _Judged(GateView.of(gate_under(unit, active, found, wanted)), active.policy, None)
    except (NoGateError, UngovernedError):
        return None


def _other_stages(unit: Unit, found: FoundVersion, shown: str | None) -> tuple[str, ...]:
    active = find_policy_for(unit, found.place)
    if active is None:
        return ()
    tier = tier_under(active.policy, found.model)
    stages = (Stage.DEVELOPMENT, Stage.STAGING, Stage.PRODUCTION, Stage.ARCHIVED)
    return tuple(
        stage.value for stage in stages if stage.value != shown and active.policy.gate(stage, tier) is not None
    )


def _people(
    found: FoundVersion,
    documents: Sequence[DocumentView],
    waivers: Sequence[WaiverView],
    cards: Sequence[CardView],
    requests: Sequence[PromotionView],
    judged: _Judged | None,
    assessment: ShownAssessment | None,
) -> set[UUID]:
    known: list[UUID | None] = [found.model.owner_id, found.version.created_by]
    known += [one for document in documents for one in (document.uploaded_by, document.signed_off_by)]
    known += [waiver.granted_by for waiver in waivers]
    known += [card.requested_by for card in cards]
    known += [one for each in requests for one in (each.request.requested_by, each.request.executed_by)]
    known += [review.reviewed_by for each in requests for review in each.reviews]
    known += [] if assessment is None else [assessment.requested_by]
    known += [] if judged is None else people_in(judged.view)
    return {one for one in known if one is not None}
