"""A gate as pages show it: the verdict as a sentence, each item with its evidence, its entry, and who can meet it."""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from registry.policy.policy import CheckNeeded, DocumentNeeded, Policy
from registry.policy.views import BlockingFinding, GateView, ItemView
from registry.web.history import History
from registry.web.presentation import counted, day, with_article

_WEIGHT = {"failed": 0, "error": 1, "inconclusive": 2, "open": 3, "waived": 4, "not applicable": 5, "passed": 6}


MEETING: Mapping[str, str] = {
    "alert-acknowledged": "acta plan test-alert {model} {number}",
    "assessment-passed": (
        "acta assess PREDICTIONS.parquet --model {model} --version {number} --outcome COLUMN --prediction COLUMN "
        "--sensitive COLUMN,COLUMN"
    ),
    "facts-for-reproduction": "acta register RUN --model {model} --commit COMMIT --environment-lock FILE",
    "impact-assessed": "acta document add FILE --model {model} --version {number} --kind data-protection-impact",
    "intended-use-stated": "acta model edit {model} --intended-users WHO --out-of-scope WHAT --limitations WHICH",
    "lineage-complete": (
        "acta register RUN --model {model} --dataset training=FILE --dataset test=FILE --environment-lock FILE"
    ),
    "monitoring-plan-complete": "acta plan set {model} {number} plan.yaml",
    "validated-independently": "acta document add FILE --model {model} --version {number} --kind validation-report",
    "vulnerabilities-absent": "acta document add LOCK --model {model} --version {number} --kind environment-lock",
}
"""What meets an item whose check found a fault, by check; where it says nothing, the checks are run again."""


@dataclass(frozen=True)
class ShownItem:
    """One line of a checklist."""

    id: str
    title: str
    state: str
    met: bool
    reason: str
    basis: str
    """On what it rests, and since when."""
    entry: int | None
    remedy: str | None
    who: tuple[str, ...]
    waiving: str | None
    command: str | None

    @property
    def folds(self) -> bool:
        """Whether it may be folded away: what is unmet or waived never is."""
        return self.met and self.state != "waived"


@dataclass(frozen=True)
class ShownChecklist:
    """A checklist, what is unmet first."""

    title: str
    summary: str
    items: tuple[ShownItem, ...]


@dataclass(frozen=True)
class ShownFinding:
    """A finding that holds the gate, or would without its waiver."""

    id: UUID
    title: str
    severity: str
    state: str
    met: bool
    reason: str
    owner: str
    basis: str


@dataclass(frozen=True)
class ShownApproval:
    """The approvals in one role."""

    role: str
    needed: int
    given: tuple[str, ...]
    """Names."""


@dataclass(frozen=True)
class ShownGate:
    """A gate and its verdict."""

    target_stage: str
    tier: str
    policy: str
    policy_id: UUID
    evaluated_at: datetime
    is_logged: bool
    """Whether this evaluation stands in the log, with the execution that rested on it."""
    entry: int | None
    met: bool
    state: str
    sentence: str
    checklists: tuple[ShownChecklist, ...]
    findings: tuple[ShownFinding, ...]
    approvals: tuple[ShownApproval, ...]
    unmet: tuple[ShownItem, ...]
    waived: tuple[ShownItem, ...]
    who: tuple[str, ...]
    """Roles that can meet what is missing."""
    summary: str
    """How many items are met, waived, unmet."""


@dataclass(frozen=True)
class GateSubject:
    """The version at a gate: how it is called in commands."""

    model: str
    number: int


def people_in(view: GateView) -> set[UUID]:
    """Ids of the actors whom a gate names."""
    found = {approval.by for role in view.approvals for approval in role.given}
    for finding in view.findings:
        found |= {finding.owner} | ({finding.waiver.granted_by} if finding.waiver else set())
    for checklist in view.checklists:
        for item in checklist.items:
            found |= {one for one in (item.answered_by, item.waiver and item.waiver.granted_by) if one}
    return found


def evidence_in(view: GateView) -> set[UUID]:
    """Ids of the rows on which a gate's items rest."""
    items = [item for checklist in view.checklists for item in checklist.items]
    found = {one for item in items for one in (item.evidence_id, item.waiver and item.waiver.id) if one}
    return found | {one for each in view.findings for one in (each.id, each.waiver and each.waiver.id) if one}


def shown_gate(
    view: GateView,
    policy: Policy,
    subject: GateSubject,
    names: Mapping[UUID, str],
    history: History,
    executed_entry: int | None,
) -> ShownGate:
    """A gate for a page. `executed_entry`: the entry of the execution that rested on it, if one did."""
    checklists = []
    for checklist in view.checklists:
        items = tuple(_item(item, view, policy, subject, names, history) for item in checklist.items)
        ordered = tuple(sorted(items, key=lambda item: _WEIGHT.get(item.state, 3)))
        checklists.append(ShownChecklist(checklist.title, _summary(items), ordered))
    every = [item for checklist in checklists for item in checklist.items]
    unmet = tuple(item for item in every if not item.met)
    approvals = tuple(
        ShownApproval(role.role, role.needed, tuple(names.get(one.by, str(one.by)[:8]) for one in role.given))
        for role in view.approvals
    )
    findings = tuple(_finding(one, names) for one in view.findings)
    state, sentence = _verdict(view, unmet, approvals, executed_entry)
    return ShownGate(
        target_stage=view.target_stage,
        tier=view.risk_tier,
        policy=f"{view.policy_name} {view.policy_version}",
        policy_id=view.policy_id,
        evaluated_at=view.evaluated_at,
        is_logged=executed_entry is not None,
        entry=executed_entry,
        met=view.met,
        state=state,
        sentence=sentence,
        checklists=tuple(checklists),
        findings=findings,
        approvals=approvals,
        unmet=unmet,
        waived=tuple(item for item in every if item.state == "waived"),
        who=tuple(dict.fromkeys(role for missing in view.unmet for role in missing.who)),
        summary=_summary(every),
    )


def _verdict(
    view: GateView, unmet: Sequence[ShownItem], approvals: Sequence[ShownApproval], executed_entry: int | None
) -> tuple[str, str]:
    if executed_entry is not None:
        return "passed", f"In {view.target_stage}: every item was met or waived"
    blocking = [one for one in view.findings if not one.met]
    if blocking:
        verb = "blocks" if len(blocking) == 1 else "block"
        items = f"{counted(len(unmet), 'item', 'items')} unmet, " if unmet else ""
        return "failed", f"Held: {items}{counted(len(blocking), 'finding', 'findings')} {verb} it"
    missing = sum(max(0, role.needed - len(role.given)) for role in approvals)
    if unmet:
        worst = min(unmet, key=lambda item: _WEIGHT.get(item.state, 3)).state
        verb = "is" if len(unmet) == 1 else "are"
        return worst, f"Held: {counted(len(unmet), 'item', 'items')} {verb} unmet"
    if missing:
        verb = "is" if missing == 1 else "are"
        return "open", f"Every item is met; {counted(missing, 'approval', 'approvals')} {verb} missing"
    return "passed", "Open: every item is met and every approval given"


def _finding(one: BlockingFinding, names: Mapping[UUID, str]) -> ShownFinding:
    owner = names.get(one.owner, str(one.owner)[:8])
    basis = f"Owned by {owner}, due {day(one.due_at)}"
    if one.waiver is not None:
        who = names.get(one.waiver.granted_by, str(one.waiver.granted_by)[:8])
        basis = f"Waived by {who} until {day(one.waiver.expires_at)}. Instead: {one.waiver.compensating_measure}"
    return ShownFinding(one.id, one.title, one.severity, one.state, one.met, one.reason, owner, basis)


def _summary(items: Sequence[ShownItem]) -> str:
    met = [item for item in items if item.met and item.state != "waived"]
    waived = len([item for item in items if item.state == "waived"])
    parts = [f"{len(met)} of {len(items)} met"]
    if waived:
        parts.append(f"{waived} waived")
    unmet = len(items) - len(met) - waived
    if unmet:
        parts.append(f"{unmet} unmet")
    return ", ".join(parts)


def _item(
    item: ItemView,
    view: GateView,
    policy: Policy,
    subject: GateSubject,
    names: Mapping[UUID, str],
    history: History,
) -> ShownItem:
    unmet = not item.met
    return ShownItem(
        id=item.id,
        title=item.title,
        state=item.state,
        met=item.met,
        reason=item.reason,
        basis=_basis(item, names),
        entry=_entry(item, history),
        remedy=item.remedy if unmet else None,
        who=tuple(item.who) if unmet else (),
        waiving=_waiving(item) if unmet else None,
        command=_command(item, view, policy, subject) if unmet else None,
    )


def _basis(item: ItemView, names: Mapping[UUID, str]) -> str:
    if item.waiver is not None:
        who = names.get(item.waiver.granted_by, str(item.waiver.granted_by)[:8])
        measure = item.waiver.compensating_measure
        return f"Waived by {who} until {day(item.waiver.expires_at)}" + (f". Instead: {measure}" if measure else "")
    if item.at is None:
        return ""
    if item.answered_by is None:
        return f"Checked by Acta, {day(item.at)}"
    verb = "Attested" if item.kind == "attestation" else "Signed off" if item.met else "Uploaded"
    return f"{verb} by {names.get(item.answered_by, str(item.answered_by)[:8])}, {day(item.at)}"


def _entry(item: ItemView, history: History) -> int | None:
    if item.waiver is not None:
        return history.entry_of(item.waiver.id, "waiver.granted")
    actions = ("document.signed-off", "document.uploaded", "attestation.given", "check.finished")
    return history.entry_of(item.evidence_id, *actions)


def _waiving(item: ItemView) -> str | None:
    if item.waivable_by is None:
        return None
    return f"Or {with_article(item.waivable_by)} waives it with a reason, for at most {item.waivable_days} days."


def _command(item: ItemView, view: GateView, policy: Policy, subject: GateSubject) -> str:
    model = shlex.quote(subject.model)
    if item.kind == "attestation":
        return f"acta attest {model} {subject.number} {item.id} --answer yes --reason REASON"
    if item.kind == "check":
        check = _check_of(item, policy)
        meeting = None if item.state == "open" else MEETING.get(check)
        if meeting is not None:
            return meeting.format(model=model, number=subject.number)
        return f"acta gate {model} {subject.number} --target {view.target_stage} --run-checks"
    if item.evidence_id is not None:
        return f"acta document sign-off {item.evidence_id}"
    known = policy.items.get(item.id)
    kind = known.shown.kind if known is not None and isinstance(known.shown, DocumentNeeded) else "KIND"
    return f"acta document add FILE --model {model} --version {subject.number} --kind {kind}"


def _check_of(item: ItemView, policy: Policy) -> str:
    known = policy.items.get(item.id)
    return known.shown.check if known is not None and isinstance(known.shown, CheckNeeded) else ""
