"""Activating and ending policies: by one administrator as long as there is one, else by two.

    proposed ──confirmed by another person──▶ in force ──a newer version, or deactivation──▶ ended
        └──withdrawn, or not confirmed in time──▶ nothing happened

Of each name one version is in force. Models that change policy, or tier, are assessed anew in the same transaction.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import select
from sqlmodel import col

from registry.access.actor import Actor, Role
from registry.access.administrators import count_administrators, same_person
from registry.access.service import get_actor
from registry.errors import ConflictError, NotFoundError
from registry.policy.errors import AmbiguousPoliciesError, ConflictOfInterestError
from registry.policy.governs import ambiguity
from registry.policy.policy import Policy, parse
from registry.policy.reassessment import reassess
from registry.policy.separation import read_clock_again
from registry.policy.serial import change_policies
from registry.policy.service import ActivePolicy, policies_in_force
from registry.policy.tables import PolicyProposalRow, PolicyRow, Proposal, ProposalState
from registry.unit import Unit, Value

CONFIRMATION_DAYS = 14
"""So long a proposal waits for a second administrator."""


@dataclass(frozen=True)
class Change:
    """What became of a wish: the policy's row where it was done, the proposal where a second person must confirm."""

    policy: PolicyRow | None
    proposal: PolicyProposalRow | None


def activate(unit: Unit, actor: Actor, text: str) -> Change:
    """Let the policy in YAML text govern; where two persons are administrators, propose it to another one.

    Raises:
        RefusedError: the actor is no administrator.
        PolicyError: it cannot govern; names the path in the file.
        ConflictError: that version was activated before, or its end would leave versions in production ungoverned.
        AmbiguousPoliciesError: it and another policy say equally much about some name.
    """
    actor.require(Role.ADMINISTRATOR)
    policy = parse(text)
    change_policies(unit)
    _check_new(unit, policy)
    if count_administrators(unit) > 1:
        return Change(None, _propose(unit, actor, Proposal.ACTIVATE, policy, text))
    return Change(_activate(unit, actor, policy, text, None), None)


def deactivate(unit: Unit, actor: Actor, policy_id: UUID) -> Change:
    """End a policy; where two persons are administrators, propose it to another one.

    Raises:
        RefusedError: the actor is no administrator.
        NotFoundError: there is no such policy.
        ConflictError: it is not in force, is the last one, or governs models with versions in production.
    """
    actor.require(Role.ADMINISTRATOR)
    change_policies(unit)
    row = unit.session.get(PolicyRow, policy_id)
    if row is None:
        raise NotFoundError("policy", policy_id)
    _check_can_end(unit, row)
    if count_administrators(unit) > 1:
        return Change(None, _propose(unit, actor, Proposal.DEACTIVATE, parse(row.text), row.text))
    return Change(_deactivate(unit, actor, row, None), None)


def confirm(unit: Unit, actor: Actor, proposal_id: UUID) -> PolicyRow:
    """Do what another administrator proposed, if that is still possible.

    Raises:
        RefusedError: the actor is no administrator.
        ConflictOfInterestError: the actor, or the person who counts for it, made the proposal.
        ConflictError: it was confirmed or withdrawn already, its time has passed, or as for `activate`.
    """
    actor.require(Role.ADMINISTRATOR)
    change_policies(unit)
    proposal = _waiting(unit, proposal_id)
    if same_person(unit, get_actor(unit, actor.id), get_actor(unit, proposal.proposed_by)):
        raise ConflictOfInterestError(
            "Nobody confirms their own proposal, nor that of a machine that they answer for, nor of a second account.",
            "Ask another administrator.",
        )
    proposal.state, proposal.ended_by, proposal.ended_at = ProposalState.CONFIRMED.value, actor.id, unit.now
    if proposal.kind == Proposal.ACTIVATE:
        policy = parse(proposal.text)
        _check_new(unit, policy)
        return _activate(unit, actor, policy, proposal.text, proposal)
    row = unit.session.execute(
        select(PolicyRow).where(col(PolicyRow.name) == proposal.name, col(PolicyRow.version) == proposal.version)
    ).scalar_one()
    _check_can_end(unit, row)
    return _deactivate(unit, actor, row, proposal)


def withdraw(unit: Unit, actor: Actor, proposal_id: UUID) -> PolicyProposalRow:
    """Take a proposal back, or refuse to confirm it.

    Raises:
        RefusedError: the actor is no administrator.
        ConflictError: it was confirmed or withdrawn already, or its time has passed.
    """
    actor.require(Role.ADMINISTRATOR)
    change_policies(unit)
    proposal = _waiting(unit, proposal_id)
    proposal.state, proposal.ended_by, proposal.ended_at = ProposalState.WITHDRAWN.value, actor.id, unit.now
    unit.record(
        actor, "policy.proposal-withdrawn", proposal.id, {"state": proposal.state, "ended_at": proposal.ended_at}
    )
    return proposal


def list_proposals(unit: Unit) -> Sequence[PolicyProposalRow]:
    """Proposals that wait for a second administrator, the oldest first."""
    query = (
        select(PolicyProposalRow)
        .where(
            col(PolicyProposalRow.state) == ProposalState.WAITING.value, col(PolicyProposalRow.expires_at) > unit.now
        )
        .order_by(col(PolicyProposalRow.proposed_at), col(PolicyProposalRow.id))
    )
    return unit.session.execute(query).scalars().all()


def _waiting(unit: Unit, proposal_id: UUID) -> PolicyProposalRow:
    query = select(PolicyProposalRow).where(col(PolicyProposalRow.id) == proposal_id).with_for_update()
    row = unit.session.execute(query).scalar()
    if row is None:
        raise NotFoundError("policy proposal", proposal_id)
    read_clock_again(unit)
    if row.state != ProposalState.WAITING:
        raise ConflictError(f"This proposal was {row.state} already.")
    if row.expires_at <= unit.now:
        raise ConflictError("The time of this proposal has passed.", "Propose it again: `acta policy activate`.")
    return row


def _check_new(unit: Unit, policy: Policy) -> None:
    """Refuse a version that was activated before, and one that would make it unclear which policy governs."""
    known = select(PolicyRow).where(col(PolicyRow.name) == policy.name, col(PolicyRow.version) == policy.version)
    if unit.session.execute(known).scalar() is not None:
        raise ConflictError(
            f"The policy {policy.name} {policy.version} was activated before.", "Give the changed one a new version."
        )
    for other in policies_in_force(unit):
        if other.policy.name == policy.name:
            continue
        patterns = ambiguity(policy.governs, other.policy.governs)
        if patterns is not None:
            raise AmbiguousPoliciesError(f"{other.policy.name} {other.policy.version}", *patterns)


def _check_can_end(unit: Unit, row: PolicyRow) -> None:
    if row.ended_at is not None:
        raise ConflictError(f"The policy {row.name} {row.version} is not in force.")
    if len(policies_in_force(unit)) == 1:
        raise ConflictError("This is the only policy in force.", "Activate another one first.")


def _propose(unit: Unit, actor: Actor, kind: Proposal, policy: Policy, text: str) -> PolicyProposalRow:
    row = PolicyProposalRow(
        kind=kind.value,
        name=policy.name,
        version=policy.version,
        digest=hashlib.sha256(text.encode()).digest(),
        text=text,
        proposed_by=actor.id,
        proposed_at=unit.now,
        expires_at=unit.now + timedelta(days=CONFIRMATION_DAYS),
    )
    unit.session.add(row)
    changes: dict[str, Value] = {
        "kind": kind,
        "name": row.name,
        "version": row.version,
        "sha256": row.digest.hex(),
        "state": row.state,
        "proposed_at": row.proposed_at,
        "expires_at": row.expires_at,
    }
    unit.record(actor, "policy.proposed", row.id, changes)
    return row


def _activate(unit: Unit, actor: Actor, policy: Policy, text: str, proposal: PolicyProposalRow | None) -> PolicyRow:
    before = policies_in_force(unit)
    replaced = unit.session.execute(
        select(PolicyRow).where(col(PolicyRow.name) == policy.name, col(PolicyRow.ended_at).is_(None))
    ).scalar()
    if replaced is not None:
        replaced.ended_at = unit.now
        # Before the new row: of each name one version is in force.
        unit.session.flush()
    row = PolicyRow(
        name=policy.name,
        version=policy.version,
        digest=hashlib.sha256(text.encode()).digest(),
        text=text,
        activated_at=unit.now,
        activated_by=actor.id if proposal is None else proposal.proposed_by,
    )
    unit.session.add(row)
    unit.session.flush()
    changes: dict[str, Value] = {
        "name": policy.name,
        "version": policy.version,
        "sha256": row.digest.hex(),
        "governs": str(policy.governs),
        "activated_at": unit.now,
        "activated_by": row.activated_by,
        "replaces": None if replaced is None else replaced.id,
        "proposal_id": None if proposal is None else proposal.id,
    }
    unit.record(actor, "policy.activated", row.id, changes)
    active = ActivePolicy(row.id, row.digest, policy)
    kept = tuple(one for one in before if one.policy.name != policy.name)
    reassess(unit, actor, before, (active, *kept))
    return row


def _deactivate(unit: Unit, actor: Actor, row: PolicyRow, proposal: PolicyProposalRow | None) -> PolicyRow:
    before = policies_in_force(unit)
    row.ended_at = unit.now
    changes: dict[str, Value] = {
        "name": row.name,
        "version": row.version,
        "ended_at": unit.now,
        "proposal_id": None if proposal is None else proposal.id,
    }
    unit.record(actor, "policy.deactivated", row.id, changes)
    reassess(unit, actor, before, tuple(one for one in before if one.row_id != row.id))
    return row
