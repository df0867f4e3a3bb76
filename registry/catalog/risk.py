"""The risk of registered models: what was answered, the tier that follows by the policy in force, and all states since.

A state is one row: the answers, the tier, why, and by which policy. A new one begins where the answers change, and
where a policy that was activated or ended gives the same answers another tier.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import msgspec
from sqlalchemy import func, select
from sqlmodel import col

from registry.access.actor import Actor, Place, Role
from registry.catalog.facts import RiskProfile
from registry.catalog.tables import RegisteredModel, RiskRow
from registry.errors import RefusedError
from registry.policy.risk import OPEN_TIER
from registry.policy.service import ActivePolicy, find_policy_for
from registry.unit import Unit

UNGOVERNED = "No policy in force governs this model."


@dataclass(frozen=True)
class Assessed:
    """What a policy says of a model's answers."""

    tier: str
    reason: str
    policy_id: UUID | None
    tiers: Sequence[str] = ()
    """Of that policy, from the lowest to the highest."""

    def is_below(self, tier: str) -> bool:
        """Whether the tier is lower than another one of the same policy."""
        return tier in self.tiers and self.tiers.index(self.tier) < self.tiers.index(tier)


def assessed_under(active: ActivePolicy | None, profile: RiskProfile) -> Assessed:
    """The tier of answers by a policy; the open tier where none governs."""
    if active is None:
        return Assessed(OPEN_TIER, UNGOVERNED, None)
    rule = active.policy.risk_rule(profile)
    return Assessed(rule.tier, rule.sentence, active.row_id, active.policy.risk.tiers)


def assess_risk(unit: Unit, place: Place, profile: RiskProfile) -> Assessed:
    """The tier of answers by the policy that governs the model there now."""
    return assessed_under(find_policy_for(unit, place), profile)


def refuse_lowering(actor: Actor, place: Place, tier: str, found: Assessed) -> None:
    """A lower tier asks less of a version: who develops it does not choose that.

    Raises:
        RefusedError: the answers lower the tier, and the actor is no risk officer there.
    """
    if found.is_below(tier) and not actor.holds(Role.RISK_OFFICER, place):
        raise RefusedError(
            f"These answers lower the risk tier from {tier} to {found.tier}.",
            "Ask a risk officer to change the answers: nobody else lowers a tier.",
        )


def profile_of(model: RegisteredModel) -> RiskProfile:
    """A model's answers."""
    return msgspec.convert(model.risk_profile, RiskProfile)


def begin_state(unit: Unit, actor: Actor | None, model: RegisteredModel, found: Assessed) -> RiskRow:
    """Keep a new state of a model's risk, and put it into the log. `actor`: who answered, or changed the policy."""
    newest = select(func.coalesce(func.max(col(RiskRow.number)), 0)).where(col(RiskRow.model_id) == model.id)
    model.risk_tier = found.tier
    unit.session.add(model)
    unit.session.flush()
    row = RiskRow(
        model_id=model.id,
        number=unit.session.execute(newest).scalar_one() + 1,
        answers=model.risk_profile,
        answers_revision=model.risk_revision,
        tier=found.tier,
        reason=found.reason,
        policy_id=found.policy_id,
        assessed_at=unit.now,
        assessed_by=None if actor is None else actor.id,
    )
    unit.session.add(row)
    unit.record(
        actor,
        "model.risk-assessed",
        model.id,
        {
            "risk_id": row.id,
            "number": row.number,
            "answers": row.answers,
            "answers_revision": row.answers_revision,
            "tier": row.tier,
            "reason": row.reason,
            "policy_id": row.policy_id,
            "assessed_at": row.assessed_at,
        },
    )
    return row


def states_of(unit: Unit, model_id: UUID) -> list[RiskRow]:
    """All states of a model's risk, the present one first; at most 200."""
    query = select(RiskRow).where(col(RiskRow.model_id) == model_id).order_by(col(RiskRow.number).desc()).limit(200)
    return list(unit.session.execute(query).scalars())
