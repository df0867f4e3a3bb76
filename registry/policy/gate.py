"""Evaluates a gate: policy and evidence in, every item with its outcome and reason out. No I/O, no clock.

An item is *met*, *unmet* or *waived*. A waiver excuses an unmet item only where the policy lets it be waived, and only
until it expires. A finding holds the gate until somebody closes it, where its severity is one that blocks. A person's
approval counts once, whatever roles that person holds, and never on their own request.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from registry.access.actor import REVIEWERS, Role
from registry.catalog.facts import Stage
from registry.policy.evidence import Attested, Checked, Documented, Evidence, Excepted, Reviewed, Unclosed
from registry.policy.outcomes import Outcome
from registry.policy.policy import (
    Approval,
    AttestationNeeded,
    CheckNeeded,
    DocumentNeeded,
    GateRule,
    Item,
    Policy,
)
from registry.policy.tables import Answer


class State(StrEnum):
    """How an item stands, in the words that people read."""

    PASSED = "passed"
    FAILED = "failed"
    INCONCLUSIVE = "inconclusive"
    ERROR = "error"
    WAIVED = "waived"
    OPEN = "open"
    NOT_APPLICABLE = "not applicable"


@dataclass(frozen=True)
class Met:
    """The item is met."""

    state: State
    reason: str


@dataclass(frozen=True)
class Unmet:
    """The item is not met; `who` can do something about it."""

    state: State
    reason: str
    remedy: str
    who: tuple[Role, ...]


@dataclass(frozen=True)
class Waived:
    """The item is not met, and excused for a while."""

    instead_of: Unmet
    waiver: Excepted


Verdict = Met | Unmet | Waived
Basis = Attested | Documented | Checked
"""The row that an outcome rests on."""


@dataclass(frozen=True)
class ItemResult:
    """One item, its outcome, and the evidence row that it rests on."""

    item: Item
    outcome: Verdict
    basis: Basis | None

    @property
    def met(self) -> bool:
        """Whether it holds the gate no longer."""
        return not isinstance(self.outcome, Unmet)

    @property
    def state(self) -> State:
        """How it stands."""
        return State.WAIVED if isinstance(self.outcome, Waived) else self.outcome.state


@dataclass(frozen=True)
class ChecklistResult:
    """A checklist, reduced to the items that this gate asks for."""

    id: str
    title: str
    items: tuple[ItemResult, ...]


@dataclass(frozen=True)
class FindingResult:
    """A finding of a severity that blocks this gate, and whether it does."""

    finding: Unclosed
    outcome: Unmet | Waived

    @property
    def met(self) -> bool:
        """Whether it holds the gate no longer."""
        return isinstance(self.outcome, Waived)

    @property
    def state(self) -> State:
        """How it stands."""
        return State.WAIVED if isinstance(self.outcome, Waived) else self.outcome.state


@dataclass(frozen=True)
class ApprovalResult:
    """The approvals in one role, and how many it takes."""

    role: Role
    needed: int
    given: tuple[Reviewed, ...]
    not_counted: tuple[str, ...] = ()
    """Why other approvals in this role are none."""

    @property
    def met(self) -> bool:
        """Whether they are enough."""
        return len(self.given) >= self.needed


@dataclass(frozen=True)
class Requirement:
    """Something still missing, in the words that people read."""

    id: str
    title: str
    state: State
    reason: str
    remedy: str
    who: tuple[Role, ...]


@dataclass(frozen=True)
class Gate:
    """What entering a stage takes, and how far a version is."""

    policy_id: UUID
    policy: Policy
    rule: GateRule
    tier: str
    target_stage: Stage
    evaluated_at: datetime
    checklists: tuple[ChecklistResult, ...]
    findings: tuple[FindingResult, ...]
    approvals: tuple[ApprovalResult, ...]

    @property
    def items(self) -> tuple[ItemResult, ...]:
        """All items, across checklists."""
        return tuple(item for checklist in self.checklists for item in checklist.items)

    @property
    def items_met(self) -> bool:
        """Whether every item is met or waived."""
        return all(item.met for item in self.items)

    @property
    def evidence_met(self) -> bool:
        """Whether all is met but approvals: every item is met or waived, and no finding blocks."""
        return self.items_met and all(result.met for result in self.findings)

    @property
    def met(self) -> bool:
        """Whether every item is met or waived, no finding blocks, and every approval is given."""
        return self.evidence_met and all(approval.met for approval in self.approvals)

    @property
    def lacking(self) -> tuple[Requirement, ...]:
        """What is missing but approvals, with who can meet it: items first, then findings."""
        items = (
            _requirement(result.item.id, result.item.title, result.outcome)
            for result in self.items
            if isinstance(result.outcome, Unmet)
        )
        findings = (
            _requirement(result.finding.key, f"Finding: {result.finding.title}", result.outcome)
            for result in self.findings
            if isinstance(result.outcome, Unmet)
        )
        return (*items, *findings)

    @property
    def unmet(self) -> tuple[Requirement, ...]:
        """All that is missing, with who can meet it: items first, then findings, then approvals."""
        approvals = (_missing_approval(approval) for approval in self.approvals if not approval.met)
        return (*self.lacking, *approvals)


def _requirement(identity: str, title: str, outcome: Unmet) -> Requirement:
    return Requirement(identity, title, outcome.state, outcome.reason, outcome.remedy, outcome.who)


def evaluate(policy_id: UUID, policy: Policy, rule: GateRule, tier: str, evidence: Evidence, now: datetime) -> Gate:
    """The gate `rule` of a policy, for a version of which `evidence` is known."""
    wanted = set(rule.items)
    checklists = []
    for checklist in policy.checklists:
        items = tuple(_judge(policy, item, evidence, now) for item in checklist.items if item.id in wanted)
        if items:
            checklists.append(ChecklistResult(checklist.id, checklist.title, items))
    return Gate(
        policy_id=policy_id,
        policy=policy,
        rule=rule,
        tier=tier,
        target_stage=rule.target_stage,
        evaluated_at=now,
        checklists=tuple(checklists),
        findings=_findings(policy, rule, evidence, now),
        approvals=_approvals(rule.approvals, evidence),
    )


def _judge(policy: Policy, item: Item, evidence: Evidence, now: datetime) -> ItemResult:
    outcome: Met | Unmet
    basis: Basis | None
    match item.shown:
        case AttestationNeeded() as needed:
            basis = evidence.attested.get(item.id)
            outcome = _judge_attestation(item, needed, basis, evidence.risk_revision, now)
        case DocumentNeeded() as needed:
            basis = evidence.documented.get(needed.kind)
            outcome = _judge_document(policy, item, needed, basis, now)
        case CheckNeeded() as needed:
            fresh = evidence.fresh_result(needed, now)
            basis = fresh or evidence.newest_result_of(needed.check)
            outcome = _judge_check(item, needed, fresh, basis, now)
    if isinstance(outcome, Unmet):
        waiver = evidence.excepted.get(item.id)
        if waiver is not None and item.waiver is not None and waiver.excuses(now):
            return ItemResult(item, Waived(outcome, waiver), basis)
    return ItemResult(item, outcome, basis)


def _judge_attestation(
    item: Item, needed: AttestationNeeded, found: Attested | None, risk_revision: int, now: datetime
) -> Met | Unmet:
    who = tuple(needed.roles)
    if found is None:
        return Unmet(State.OPEN, "Nobody has answered it.", item.remedy, who)
    if found.answer is Answer.NO:
        return Unmet(State.FAILED, f"Answered no: {found.reason}", item.remedy, who)
    if needed.depends_on_risk and found.risk_revision != risk_revision:
        return Unmet(State.OPEN, "The model's risk answers have changed since it was given.", "Answer it again.", who)
    if _is_older(found.at, needed.max_age_days, now):
        return Unmet(State.OPEN, f"The answer is older than {needed.max_age_days} days.", "Answer it again.", who)
    return Met(State.PASSED if found.answer is Answer.YES else State.NOT_APPLICABLE, found.reason)


def _judge_document(
    policy: Policy, item: Item, needed: DocumentNeeded, found: Documented | None, now: datetime
) -> Met | Unmet:
    kind = policy.document_kinds[needed.kind]
    title = kind.title
    if found is None:
        return Unmet(State.OPEN, f"There is no document of the kind {kind.kind}.", item.remedy, (Role.DEVELOPER,))
    if found.signed_off_at is None:
        reason = f"{title}: the newest document, “{found.title}”, is not signed off."
        return Unmet(
            State.OPEN, reason, "Somebody who did not write it reads it and signs it off.", tuple(kind.signed_off_by)
        )
    if _is_older(found.signed_off_at, needed.max_age_days, now):
        reason = f"{title}: “{found.title}” was signed off more than {needed.max_age_days} days ago."
        return Unmet(State.OPEN, reason, "Upload it as it is today, and have it signed off.", (Role.DEVELOPER,))
    return Met(State.PASSED, f"“{found.title}” is signed off.")


def _judge_check(
    item: Item, needed: CheckNeeded, fresh: Checked | None, newest: Checked | None, now: datetime
) -> Met | Unmet:
    who = (Role.DEVELOPER,)
    if fresh is None:
        if newest is None:
            return Unmet(State.OPEN, "The check has not run yet.", "Run the checks.", who)
        reason = f"The result of {newest.at:%Y-%m-%d %H:%M} UTC is stale: what it looked at has changed since."
        return Unmet(State.OPEN, reason, "Run the checks again.", who)
    if _is_older(fresh.at, needed.max_age_days, now):
        return Unmet(State.OPEN, f"The result is older than {needed.max_age_days} days.", "Run the checks again.", who)
    match fresh.outcome:
        case Outcome.PASSED:
            return Met(State.PASSED, fresh.reason)
        case Outcome.NOT_APPLICABLE:
            return Met(State.NOT_APPLICABLE, fresh.reason)
        case Outcome.FAILED:
            return Unmet(State.FAILED, fresh.reason, item.remedy, who)
        case Outcome.INCONCLUSIVE:
            return Unmet(State.INCONCLUSIVE, fresh.reason, item.remedy, who)
        case Outcome.ERROR:
            return Unmet(State.ERROR, fresh.reason, item.remedy, who)


def _findings(policy: Policy, rule: GateRule, evidence: Evidence, now: datetime) -> tuple[FindingResult, ...]:
    results = []
    for finding in evidence.unclosed:
        if finding.severity not in rule.blocking_findings:
            continue
        outcome = _judge_finding(finding, now)
        waiver = evidence.excepted.get(finding.key)
        if waiver is not None and policy.findings.waiver is not None and waiver.excuses(now):
            results.append(FindingResult(finding, Waived(outcome, waiver)))
        else:
            results.append(FindingResult(finding, outcome))
    return tuple(results)


def _judge_finding(finding: Unclosed, now: datetime) -> Unmet:
    grave = finding.severity.value
    if finding.is_remediated:
        reason = f"A finding of {grave} severity is remediated, and nobody has agreed yet."
        remedy = "Somebody who neither owns nor remediated it looks, and closes it."
        return Unmet(State.OPEN, reason, remedy, (Role.VALIDATOR, *REVIEWERS, Role.RISK_OFFICER))
    due = f"{'was' if finding.due_at <= now else 'is'} due {finding.due_at:%Y-%m-%d}"
    reason = f"A finding of {grave} severity is open; it {due}."
    remedy = "Its owner has it mended and says how; somebody else then closes it."
    return Unmet(State.FAILED, reason, remedy, (Role.DEVELOPER,))


def _is_older(at: datetime, max_age_days: int | None, now: datetime) -> bool:
    return max_age_days is not None and now - at > timedelta(days=max_age_days)


def _approvals(wanted: list[Approval], evidence: Evidence) -> tuple[ApprovalResult, ...]:
    counted: set[UUID] = set()
    given: dict[Role, list[Reviewed]] = {approval.role: [] for approval in wanted}
    not_counted: dict[Role, list[str]] = {approval.role: [] for approval in wanted}
    for review in evidence.reviewed:
        if not review.approves or review.role not in given:
            continue
        reason = _why_not_counted(review, counted, evidence)
        if reason is None:
            counted |= review.persons
            given[review.role].append(review)
        else:
            not_counted[review.role].append(reason)
    return tuple(
        ApprovalResult(approval.role, approval.count, tuple(given[approval.role]), tuple(not_counted[approval.role]))
        for approval in wanted
    )


def _why_not_counted(review: Reviewed, counted: set[UUID], evidence: Evidence) -> str | None:
    """Why an approval is none, or None where it counts."""
    if review.persons & counted:
        return "it is by a person who counts once already"
    if review.persons & evidence.interested:
        return "it is by who made the request or the version"
    if review.role_granted_by and review.role_granted_by <= evidence.interested | evidence.executing:
        return "its role was granted by who made the request or the version, or would execute it"
    return None


def _missing_approval(approval: ApprovalResult) -> Requirement:
    role, given = approval.role.value, len(approval.given)
    without = "".join(f" One does not count: {reason}." for reason in approval.not_counted)
    return Requirement(
        f"approval-{role.replace(' ', '-')}",
        f"Approval by {approval.needed} {role}{'s' if approval.needed > 1 else ''}",
        State.OPEN,
        f"{given} of {approval.needed} given.{without}",
        f"A {role} reviews it who made neither the request nor the version, nor has the role from who did.",
        (approval.role,),
    )
