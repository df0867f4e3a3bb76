"""What the API says of gates, answers and results. A gate is stored in this form with an execution."""

from datetime import datetime
from uuid import UUID

import msgspec

from registry.policy.evidence import Attested, Checked, Documented
from registry.policy.gate import (
    ApprovalResult,
    Basis,
    FindingResult,
    Gate,
    ItemResult,
    Requirement,
    Unmet,
    Waived,
)
from registry.policy.tables import AttestationRow, CheckResultRow


class WaiverNote(msgspec.Struct, frozen=True):
    """The waiver that excuses an item or a finding for now."""

    id: UUID
    reason: str
    granted_by: UUID
    granted_at: datetime
    expires_at: datetime
    instead_of: str
    """The state in which it would be without the waiver."""
    compensating_measure: str = ""
    """Empty in gates that were stored before it was kept with them."""

    @classmethod
    def of(cls, outcome: Waived) -> "WaiverNote":
        """The note on a waived item."""
        waiver = outcome.waiver
        return cls(
            waiver.id,
            waiver.reason,
            waiver.by,
            waiver.granted_at,
            waiver.expires_at,
            outcome.instead_of.state.value,
            waiver.compensating_measure,
        )


class ItemView(msgspec.Struct, frozen=True):
    """An item of a checklist, and how it stands."""

    id: str
    title: str
    question: str
    kind: str
    """`attestation`, `document` or `check`."""
    state: str
    """passed, failed, inconclusive, error, waived, open or not applicable."""
    met: bool
    reason: str
    remedy: str | None
    who: list[str]
    """The roles that can meet it; empty where it is met."""
    evidence: str | None
    evidence_id: UUID | None
    """The answer, document or check result that it rests on."""
    answered_by: UUID | None
    at: datetime | None
    waiver: WaiverNote | None
    waivable_by: str | None
    """The role that may waive it; None where nobody may."""
    waivable_days: int | None

    @classmethod
    def of(cls, result: ItemResult) -> "ItemView":
        """The view of a judged item."""
        item, outcome = result.item, result.outcome
        text, by, at = _evidence(result.basis)
        base = outcome.instead_of if isinstance(outcome, Waived) else outcome
        missing = base if isinstance(base, Unmet) else None
        return cls(
            id=item.id,
            title=item.title,
            question=item.question,
            kind=item.kind,
            state=result.state.value,
            met=result.met,
            reason=base.reason,
            remedy=None if missing is None else missing.remedy,
            who=[] if missing is None else [role.value for role in missing.who],
            evidence=text,
            evidence_id=None if result.basis is None else result.basis.id,
            answered_by=by,
            at=at,
            waiver=WaiverNote.of(outcome) if isinstance(outcome, Waived) else None,
            waivable_by=None if item.waiver is None else item.waiver.role.value,
            waivable_days=None if item.waiver is None else item.waiver.max_days,
        )


def _evidence(basis: Basis | None) -> tuple[str | None, UUID | None, datetime | None]:
    """What an outcome rests on, who gave it, and when."""
    match basis:
        case None:
            return None, None, None
        case Attested():
            return basis.evidence, basis.by, basis.at
        case Documented():
            text = f"{basis.title}, SHA-256 {basis.digest.hex()}"
            return text, basis.signed_off_by or basis.uploaded_by, basis.signed_off_at or basis.uploaded_at
        case Checked():
            return "; ".join(f"{name}: {value}" for name, value in basis.evidence.items()) or None, None, basis.at


class ChecklistView(msgspec.Struct, frozen=True):
    """A checklist, reduced to the items that the gate asks for."""

    id: str
    title: str
    items: list[ItemView]


class BlockingFinding(msgspec.Struct, frozen=True):
    """A finding of a severity that blocks the gate, until it is closed or waived."""

    id: UUID
    title: str
    severity: str
    state: str
    """failed (nothing was done), open (remediated, not yet closed) or waived."""
    met: bool
    reason: str
    owner: UUID
    due_at: datetime
    waiver: WaiverNote | None

    @classmethod
    def of(cls, result: FindingResult) -> "BlockingFinding":
        """The view of a judged finding."""
        outcome, finding = result.outcome, result.finding
        base = outcome.instead_of if isinstance(outcome, Waived) else outcome
        return cls(
            id=finding.id,
            title=finding.title,
            severity=finding.severity.value,
            state=result.state.value,
            met=result.met,
            reason=base.reason,
            owner=finding.owner,
            due_at=finding.due_at,
            waiver=WaiverNote.of(outcome) if isinstance(outcome, Waived) else None,
        )


class GivenApproval(msgspec.Struct, frozen=True):
    """One person's approval."""

    by: UUID
    at: datetime


class ApprovalView(msgspec.Struct, frozen=True):
    """The approvals in one role."""

    role: str
    needed: int
    met: bool
    given: list[GivenApproval]
    not_counted: list[str] = []
    """Why other approvals in this role are none."""

    @classmethod
    def of(cls, result: ApprovalResult) -> "ApprovalView":
        """The view of the approvals in one role."""
        given = [GivenApproval(review.by, review.at) for review in result.given]
        return cls(result.role.value, result.needed, result.met, given, list(result.not_counted))


class RequirementView(msgspec.Struct, frozen=True):
    """Something still missing, and who can meet it."""

    id: str
    title: str
    state: str
    reason: str
    remedy: str
    who: list[str]

    @classmethod
    def of(cls, requirement: Requirement) -> "RequirementView":
        """The view of a requirement."""
        return cls(
            requirement.id,
            requirement.title,
            requirement.state.value,
            requirement.reason,
            requirement.remedy,
            [role.value for role in requirement.who],
        )


class GateView(msgspec.Struct, frozen=True):
    """What entering a stage takes, and how far a version is."""

    policy_id: UUID
    policy_name: str
    policy_version: str
    risk_tier: str
    target_stage: str
    evaluated_at: datetime
    met: bool
    checklists: list[ChecklistView]
    approvals: list[ApprovalView]
    unmet: list[RequirementView]
    """All that is missing: items, then findings, then approvals."""
    findings: list[BlockingFinding] = []
    """Those of a severity that blocks, waived ones too."""

    @classmethod
    def of(cls, gate: Gate) -> "GateView":
        """The view of an evaluated gate."""
        return cls(
            policy_id=gate.policy_id,
            policy_name=gate.policy.name,
            policy_version=gate.policy.version,
            risk_tier=gate.tier,
            target_stage=gate.target_stage.value,
            evaluated_at=gate.evaluated_at,
            met=gate.met,
            checklists=[
                ChecklistView(checklist.id, checklist.title, [ItemView.of(item) for item in checklist.items])
                for checklist in gate.checklists
            ],
            approvals=[ApprovalView.of(approval) for approval in gate.approvals],
            unmet=[RequirementView.of(requirement) for requirement in gate.unmet],
            findings=[BlockingFinding.of(result) for result in gate.findings],
        )


class AttestationView(msgspec.Struct, frozen=True):
    """A person's answer to an item."""

    id: UUID
    item: str
    answer: str
    reason: str
    evidence: str | None
    attested_by: UUID
    attested_at: datetime
    withdrawn_at: datetime | None
    rests_on: list[dict[str, str]]
    on_behalf_of: UUID | None
    """The person whose delegate answered."""
    withdrawn_by: UUID | None
    withdrawal_reason: str | None

    @classmethod
    def of(cls, row: AttestationRow) -> "AttestationView":
        """The view of a row."""
        return cls(
            row.id,
            row.item,
            row.answer,
            row.reason,
            row.evidence,
            row.attested_by,
            row.attested_at,
            row.withdrawn_at,
            row.rests_on or [],
            row.on_behalf_of,
            row.withdrawn_by,
            row.withdrawal_reason,
        )


class CheckResultView(msgspec.Struct, frozen=True):
    """A dated result of an automatic check."""

    id: UUID
    check: str
    check_version: int
    outcome: str
    reason: str
    evidence: dict[str, str]
    inputs_digest: str
    checked_at: datetime

    @classmethod
    def of(cls, row: CheckResultRow) -> "CheckResultView":
        """The view of a row."""
        return cls(
            row.id,
            row.check_name,
            row.check_version,
            row.outcome,
            row.reason,
            row.evidence,
            row.inputs_digest.hex(),
            row.checked_at,
        )
