"""Policies and gates: which policy governs, the tier that follows from it, and how far a version is at a gate."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from uuid import UUID

import msgspec
from sqlalchemy import select
from sqlmodel import col

from registry.access.actor import Place
from registry.catalog.facts import RiskProfile, Stage
from registry.errors import NotFoundError, UnavailableError
from registry.policy.errors import NoGateError, NoPolicyError, UngovernedError
from registry.policy.gate import Gate, evaluate
from registry.policy.gathering import gather
from registry.policy.policy import Policy, parse
from registry.policy.tables import PolicyRow
from registry.resources import default_policy_path
from registry.unit import Unit

if TYPE_CHECKING:
    from registry.catalog.service import FoundVersion
    from registry.catalog.tables import RegisteredModel


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


def policies_in_force(unit: Unit) -> tuple[ActivePolicy, ...]:
    """The policies that govern now, the one activated last first. One small statement once they were read before.

    Raises:
        NoPolicyError: there is none.
    """
    found = unit.session.execute(
        select(col(PolicyRow.id), col(PolicyRow.digest))
        .where(col(PolicyRow.ended_at).is_(None))
        .order_by(col(PolicyRow.activated_at).desc(), col(PolicyRow.name))
    ).all()
    if not found:
        raise NoPolicyError
    return tuple(_parsed(unit, row_id, digest) for row_id, digest in found)


def governing(policies: Iterable[ActivePolicy], place: Place) -> ActivePolicy | None:
    """Of several policies the one that says most about a model (`registry.policy.governs`); None where none governs."""
    ranked = [(active.policy.governs.rank(place.model or "", place.team or ""), active) for active in policies]
    known = [(rank, active) for rank, active in ranked if rank is not None]
    return max(known, key=lambda pair: pair[0])[1] if known else None


def find_policy_for(unit: Unit, place: Place) -> ActivePolicy | None:
    """The policy that governs a model now; None where none does.

    Raises:
        NoPolicyError: no policy is in force at all.
    """
    return governing(policies_in_force(unit), place)


def policy_for(unit: Unit, place: Place) -> ActivePolicy:
    """The policy that governs a model now.

    Raises:
        NoPolicyError: no policy is in force at all.
        UngovernedError: none of those that are governs this model.
    """
    found = find_policy_for(unit, place)
    if found is None:
        raise UngovernedError(place.model or "")
    return found


def active_policy(unit: Unit) -> ActivePolicy:
    """The policy that was activated last. Of a model, `policy_for` says which one governs it.

    Raises:
        NoPolicyError: no policy is in force.
    """
    return policies_in_force(unit)[0]


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
    """All policies that were ever activated: first those in force, then those that ended, the newest first."""
    query = select(PolicyRow).order_by(
        col(PolicyRow.ended_at).is_not(None), col(PolicyRow.activated_at).desc(), col(PolicyRow.name)
    )
    return list(unit.session.execute(query).scalars())


def gate_of(unit: Unit, found: "FoundVersion", target_stage: Stage) -> Gate:
    """How far a version is from entering a stage, by the policy that governs its model. At most nine statements.

    Raises:
        UngovernedError: no policy governs the model.
        NoGateError: the policy lets no version of this tier into that stage.
    """
    return gate_under(unit, policy_for(unit, found.place), found, target_stage)


def gate_under(
    unit: Unit,
    active: ActivePolicy,
    found: "FoundVersion",
    target_stage: Stage,
    executing: frozenset[UUID] = frozenset(),
) -> Gate:
    """How far a version is from entering a stage, by a given policy and the risk tier that it gives the model.

    `executing`: the persons who would execute the request now, whose grants of roles no approval may rest on.

    Raises:
        NoGateError: the policy lets no version of this tier into that stage.
    """
    tier = tier_under(active.policy, found.model)
    rule = active.policy.gate(target_stage, tier, Stage(found.version.stage))
    if rule is None:
        raise NoGateError(active.policy.name, active.policy.version, target_stage.value, tier)
    evidence = replace(gather(unit, found, target_stage), executing=executing)
    return evaluate(active.row_id, active.policy, rule, tier, evidence, unit.now)


def tier_under(policy: Policy, model: "RegisteredModel") -> str:
    """The tier that a policy gives a model, which need not be the one that governs it now."""
    return policy.risk_rule(msgspec.convert(model.risk_profile, RiskProfile)).tier


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
