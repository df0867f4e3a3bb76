"""The decision that a card documents: the newest executed request, else the newest other one, else none."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec
from sqlalchemy import select
from sqlmodel import col

from registry.cards.entries import newest_entries, pseudonym, review_entries
from registry.catalog.facts import Stage
from registry.catalog.service import FoundVersion
from registry.lapses.service import lasting_lapses
from registry.lapses.tables import LapseRow
from registry.policy.errors import NoGateError
from registry.policy.service import gate_of, gate_under, policy_of
from registry.policy.views import GateView
from registry.promotion.cases import Case
from registry.promotion.rollback import notice_of
from registry.promotion.tables import Decision, PromotionRequest, RequestState, ReviewRow, Waiver
from registry.unit import Unit
from reports import facts as card


@dataclass(frozen=True)
class Decided:
    """The part of a card's facts that people decided."""

    gate: card.Gate | None
    checklists: tuple[card.Checklist, ...] = ()
    waivers: tuple[card.Waiver, ...] = ()
    approvals: tuple[card.Approval, ...] = ()
    monitoring_plan: str | None = None


_DECISIONS = {
    Decision.APPROVE.value: "approved",
    Decision.REJECT.value: "rejected",
    Decision.ASK_FOR_CHANGES.value: "asked for changes",
}
_COUNTS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


def decided(unit: Unit, found: FoundVersion) -> Decided:
    """What was decided about a version, and on which evidence."""
    case = _case(unit, found)
    view = _gate_without_request(unit, found) if case is None else _gate_of(unit, case)
    if view is None:
        return Decided(None)
    items = [item for checklist in view.checklists for item in checklist.items]
    entries = newest_entries(unit, [item.evidence_id for item in items if item.evidence_id is not None])
    checklists = tuple(
        card.Checklist(
            title=checklist.title,
            items=tuple(
                card.ChecklistItem(
                    id=item.id,
                    title=item.title,
                    state=card.ItemState(item.state.replace(" ", "-")),
                    reason=item.reason,
                    evidence=None if item.evidence is None else _shortened(item.evidence),
                    answered_by=None if item.answered_by is None else pseudonym(item.answered_by),
                    entry=None if item.evidence_id is None else entries.get(item.evidence_id),
                )
                for item in checklist.items
            ),
        )
        for checklist in view.checklists
    )
    waivers = _waivers(unit, view)
    lasting = lasting_lapses(unit, [found.version.id]).get(found.version.id, [])
    return Decided(
        gate=None if case is None else _gate(case, view, waivers, lasting, notice_of(unit, found.model.id)),
        checklists=checklists,
        waivers=waivers,
        approvals=() if case is None else _approvals(unit, case),
        monitoring_plan=_monitoring_plan(view),
    )


def _case(unit: Unit, found: FoundVersion) -> Case | None:
    query = (
        select(PromotionRequest)
        .where(col(PromotionRequest.version_id) == found.version.id)
        .order_by(
            (col(PromotionRequest.state) == RequestState.EXECUTED.value).desc(), col(PromotionRequest.number).desc()
        )
        .limit(1)
    )
    row = unit.session.execute(query).scalar()
    if row is None:
        return None
    reviews = unit.session.execute(
        select(ReviewRow)
        .where(col(ReviewRow.request_id) == row.id)
        .order_by(col(ReviewRow.reviewed_at), col(ReviewRow.id))
    ).scalars()
    return Case(row, found, tuple(reviews), unit.now)


def _gate_of(unit: Unit, case: Case) -> GateView | None:
    """As it stood when the request was executed; else as it stands now, by the request's own policy."""
    if case.request.gate is not None:
        return msgspec.convert(case.request.gate, GateView)
    active = policy_of(unit, case.request.policy_id)
    try:
        return GateView.of(gate_under(unit, active, case.found, Stage(case.request.target_stage)))
    except NoGateError:
        return None


def _gate_without_request(unit: Unit, found: FoundVersion) -> GateView | None:
    try:
        return GateView.of(gate_of(unit, found, Stage.PRODUCTION))
    except NoGateError:
        return None


def _gate(
    case: Case,
    view: GateView,
    waivers: Sequence[card.Waiver],
    lasting: Sequence[LapseRow],
    notice: str | None,
) -> card.Gate:
    executed = case.state is RequestState.EXECUTED
    verdict = card.GateVerdict.APPROVED if executed else card.GateVerdict.PENDING
    decided_at: datetime | None = None
    if executed:
        decided_at = max((review.reviewed_at for review in case.reviews), default=case.request.ended_at)
    if case.state is RequestState.REJECTED:
        verdict, decided_at = card.GateVerdict.REFUSED, case.request.ended_at
    return card.Gate(
        policy=view.policy_name,
        policy_version=view.policy_version,
        target_stage=view.target_stage,
        request=str(case.request.number),
        verdict=verdict,
        headline=_headline(case.state, waivers, lasting),
        sentence=_sentence(case.state, view) + _review_due(lasting) + (f" {notice}" if notice else ""),
        decided_at=decided_at,
        executed_at=case.request.ended_at if executed else None,
        # From the first end of a waiver on, an item counts as unmet again.
        review_due_on=min((waiver.until.date() for waiver in waivers), default=None),
    )


def _headline(state: RequestState, waivers: Sequence[card.Waiver], lasting: Sequence[LapseRow]) -> str:
    if state is RequestState.EXECUTED:
        resting = f", on {_counted(len(waivers), 'waiver')}" if waivers else ""
        return "Approved" + resting + (", review due" if lasting else "")
    return {
        RequestState.OPEN: "Not decided yet",
        RequestState.APPROVED: "Approved by its reviewers, not executed yet",
        RequestState.REJECTED: "Rejected",
    }.get(state, f"Request {state.value}")


def _sentence(state: RequestState, view: GateView) -> str:
    items = [item for checklist in view.checklists for item in checklist.items]
    met = sum(item.met for item in items)
    when = "" if state is RequestState.EXECUTED else " now"
    blocking = [finding.title for finding in view.findings if not finding.met]
    held = f" Held by {_counted(len(blocking), 'finding')}: {'; '.join(blocking)}." if blocking else ""
    if met == len(items):
        return f"All {len(items)} items are met or waived{when} under the policy for {view.risk_tier} risk.{held}"
    missing = "; ".join(item.title for item in items if not item.met)
    return (
        f"{met} of {len(items)} items are met or waived{when} under the policy for {view.risk_tier} risk. "
        f"Missing: {missing}.{held}"
    )


def _review_due(lasting: Sequence[LapseRow]) -> str:
    """What has lapsed since of what the version rests on, where something has."""
    if not lasting:
        return ""
    since = min(row.since for row in lasting)
    return f" Its review is due since {since:%Y-%m-%d}: {'; '.join(row.title for row in lasting)}."


def _waivers(unit: Unit, view: GateView) -> tuple[card.Waiver, ...]:
    """The waivers on which items of the gate rest, and findings that would hold it."""
    items = [item for checklist in view.checklists for item in checklist.items]
    titles = {item.waiver.id: item.title for item in items if item.waiver is not None}
    titles |= {
        finding.waiver.id: f"Finding: {finding.title}" for finding in view.findings if finding.waiver is not None
    }
    rows = unit.session.execute(
        select(Waiver).where(col(Waiver.id).in_(list(titles))).order_by(col(Waiver.expires_at), col(Waiver.id))
    ).scalars()
    entries = newest_entries(unit, titles)
    return tuple(
        card.Waiver(
            item=titles[row.id],
            reason=row.reason,
            compensating_measure=row.compensating_measure,
            approver=pseudonym(row.granted_by),
            until=row.expires_at,
            entry=entries[row.id],
        )
        for row in rows
    )


def _approvals(unit: Unit, case: Case) -> tuple[card.Approval, ...]:
    entries = review_entries(unit, case.request.id)
    return tuple(
        card.Approval(
            role=review.role.capitalize(),
            actor=pseudonym(review.reviewed_by),
            decision=_DECISIONS[review.decision],
            at=review.reviewed_at,
            entry=entries[review.id],
            reason=review.reason,
            on_behalf_of=None if review.on_behalf_of is None else pseudonym(review.on_behalf_of),
        )
        for review in case.reviews
    )


def _monitoring_plan(view: GateView) -> str | None:
    """What was answered to the items of the monitoring checklist, one paragraph each."""
    answered = [
        f"{item.title}: {item.reason}"
        for checklist in view.checklists
        if checklist.id == "monitoring"
        for item in checklist.items
        if item.kind == "attestation" and item.state == "passed"
    ]
    return "\n\n".join(answered) or None


def _shortened(evidence: str) -> str:
    """Evidence with its digests cut short: they stand whole in the sections of what they belong to."""
    return re.sub(r"\b([0-9a-f]{8})[0-9a-f]{48}([0-9a-f]{8})\b", r"\1…\2", evidence)


def _counted(count: int, noun: str) -> str:
    number = _COUNTS[count] if count < len(_COUNTS) else str(count)
    return f"{number} {noun}{'' if count == 1 else 's'}"
