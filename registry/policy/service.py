"""Policies and gates: which policy governs, the tier that follows from it, and how far a version is at a gate."""

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import select
from sqlmodel import col

from registry.catalog.facts import RiskProfile, Stage
from registry.errors import NotFoundError, UnavailableError
from registry.policy.errors import NoGateError, NoPolicyError
from registry.policy.gate import Gate, evaluate
from registry.policy.gathering import gather
from registry.policy.policy import Policy, parse
from registry.policy.tables import PolicyRow
from registry.resources import default_policy_path
from registry.unit import Unit

if TYPE_CHECKING:
    from registry.catalog.service import FoundVersion


@dataclass(frozen=True)
class ActivePolicy:
    """A policy that was activated, and the row that says so."""

    row_id: UUID
    digest: bytes
    """SHA-256 of its text."""
    policy: Policy


def activate_default(unit: Unit) -> None:
    """Let the policy that comes with Acta govern, where none was ever activated. Repeating it changes nothing."""
    if unit.session.execute(select(col(PolicyRow.id)).limit(1)).first() is not None:
        return
    text = default_policy_path().read_text(encoding="utf-8")
    policy = parse(text)
    digest = hashlib.sha256(text.encode()).digest()
    row = PolicyRow(name=policy.name, version=policy.version, digest=digest, text=text, activated_at=unit.now)
    unit.session.add(row)
    unit.record(
        None,
        "policy.activated",
        row.id,
        {"name": policy.name, "version": policy.version, "sha256": digest.hex(), "activated_at": unit.now},
    )


def active_policy(unit: Unit) -> ActivePolicy:
    """The policy that governs now: the one activated last. One small statement once it was read before.

    Raises:
        NoPolicyError: none was ever activated.
    """
    found = unit.session.execute(
        select(col(PolicyRow.id), col(PolicyRow.digest)).order_by(col(PolicyRow.activated_at).desc()).limit(1)
    ).first()
    if found is None:
        raise NoPolicyError
    return _parsed(unit, *found)


def policy_of(unit: Unit, policy_id: UUID) -> ActivePolicy:
    """The policy in a row, which may no longer be the one that governs.

    Raises:
        NotFoundError: there is none.
    """
    found = unit.session.execute(
        select(col(PolicyRow.id), col(PolicyRow.digest)).where(col(PolicyRow.id) == policy_id)
    ).first()
    if found is None:
        raise NotFoundError("policy", policy_id)
    return _parsed(unit, *found)


def get_policy(unit: Unit, policy_id: UUID) -> PolicyRow:
    """The row of a policy, with its text.

    Raises:
        NotFoundError: there is none.
    """
    row = unit.session.get(PolicyRow, policy_id)
    if row is None:
        raise NotFoundError("policy", policy_id)
    return row


def list_policies(unit: Unit) -> list[PolicyRow]:
    """All policies that were ever activated, the present one first."""
    query = select(PolicyRow).order_by(col(PolicyRow.activated_at).desc())
    return list(unit.session.execute(query).scalars())


def risk_tier(unit: Unit, profile: RiskProfile) -> str:
    """The tier that follows from a risk profile by the active policy."""
    return active_policy(unit).policy.risk_rule(profile).tier


def gate_of(unit: Unit, found: "FoundVersion", target_stage: Stage) -> Gate:
    """How far a version is from entering a stage, by the active policy. At most eight statements.

    Raises:
        NoGateError: the policy lets no version of this tier into that stage.
    """
    return gate_under(unit, active_policy(unit), found, target_stage)


def gate_under(unit: Unit, active: ActivePolicy, found: "FoundVersion", target_stage: Stage) -> Gate:
    """How far a version is from entering a stage, by a given policy.

    Raises:
        NoGateError: the policy lets no version of this tier into that stage.
    """
    tier = found.model.risk_tier
    rule = active.policy.gate(target_stage, tier)
    if rule is None:
        raise NoGateError(active.policy.name, active.policy.version, target_stage.value, tier)
    evidence = gather(unit, found, target_stage)
    return evaluate(active.row_id, active.policy, rule, tier, evidence, unit.now)


def _parsed(unit: Unit, row_id: UUID, digest: bytes) -> ActivePolicy:
    policy = _PARSED.get(digest)
    if policy is None:
        text = unit.session.execute(select(col(PolicyRow.text)).where(col(PolicyRow.id) == row_id)).scalar_one()
        if hashlib.sha256(text.encode()).digest() != digest:
            raise UnavailableError(
                f"The text of policy {row_id} no longer has the SHA-256 under which it was activated.",
                "Restore it from a backup: somebody changed the row.",
            )
        policy = _PARSED[digest] = parse(text)
    return ActivePolicy(row_id, digest, policy)


_PARSED: dict[bytes, Policy] = {}
"""Policies that this process has read, by the SHA-256 of their text."""
