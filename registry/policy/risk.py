"""The rules of a policy over the answers of a model's risk questionnaire. No I/O."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Annotated

import msgspec

from registry.catalog.facts import Autonomy, Impact, LegalDomain, PersonalData, Reversibility, RiskProfile
from registry.policy.errors import PolicyError
from registry.policy.words import Text, check_known, check_unique

OPEN_TIER = "open"
"""The tier of models that no policy governs: no gate lets them anywhere, so that they never are in production."""

Tier = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,49}$")]

QUESTIONS: Mapping[str, tuple[str, ...]] = {
    "financial_impact": tuple(impact.value for impact in Impact),
    "reputational_impact": tuple(impact.value for impact in Impact),
    "affects_persons": ("yes", "no"),
    "personal_data": tuple(data.value for data in PersonalData),
    "decision_autonomy": tuple(autonomy.value for autonomy in Autonomy),
    "reversibility": tuple(reversibility.value for reversibility in Reversibility),
    "legal_domain": tuple(domain.value for domain in LegalDomain),
}
"""The questions of a risk profile, and the answers that each may have."""


class RiskRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Gives a tier where each question named has one of the answers listed; without questions, always.

    `law`: the provision on which it rests, and `applies_from` the day from which that applies; shown with the reason.
    """

    tier: Tier
    reason: Text
    when: dict[str, list[str]] = {}
    law: Text | None = None
    applies_from: date | None = None

    def matches(self, answers: Mapping[str, str]) -> bool:
        """Whether every condition holds."""
        return all(answers[question] in wanted for question, wanted in self.when.items())

    @property
    def sentence(self) -> str:
        """The reason, with the provision and its day."""
        if self.law is None:
            return self.reason
        day = "" if self.applies_from is None else f"; applies from {self.applies_from.isoformat()}"
        return f"{self.reason} {self.law}{day}."


class Risk(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The tiers, from the lowest to the highest, and the rules in the order in which they are tried.

    `sources`: the texts on which the rules rest, as of when, and what else to read.
    """

    tiers: Annotated[list[Tier], msgspec.Meta(min_length=1)]
    rules: list[RiskRule]
    sources: list[Text] = []

    def rule_for(self, profile: RiskProfile) -> RiskRule:
        """The first rule that matches."""
        answers = profile.answers()
        return next(rule for rule in self.rules if rule.matches(answers))


def check_risk(risk: Risk) -> None:
    """Refuse rules that name what there is not, or leave some profile without a tier.

    Raises:
        PolicyError: naming the path.
    """
    check_unique("risk.tiers", risk.tiers)
    if OPEN_TIER in risk.tiers:
        raise PolicyError("risk.tiers", f"{OPEN_TIER!r} is the tier of models that no policy governs.", "Rename it.")
    for index, rule in enumerate(risk.rules):
        path = f"risk.rules[{index}]"
        check_known(f"{path}.tier", rule.tier, risk.tiers)
        _check_conditions(path, rule.when.items())
    if not risk.rules or risk.rules[-1].when:
        raise PolicyError(
            "risk.rules", "some profiles would match no rule.", "End with a rule without `when`, for all others."
        )


def _check_conditions(path: str, conditions: Iterable[tuple[str, list[str]]]) -> None:
    for question, answers in conditions:
        check_known(f"{path}.when", question, QUESTIONS)
        for answer in answers:
            check_known(f"{path}.when.{question}", answer, QUESTIONS[question])
