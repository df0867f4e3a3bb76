"""Checks of measured values: against a floor of the policy, and against the version in production."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, ClassVar

import msgspec

from registry.policy.checks.facts import CheckFacts, Files
from registry.policy.checks.protocol import ROWS_ONLY, Finding, Reads
from registry.policy.checks.wording import hex_of
from registry.policy.outcomes import Outcome

DecimalText = Annotated[str, msgspec.Meta(pattern=r"^-?[0-9]{1,12}(\.[0-9]{1,12})?$")]
"""A decimal number as text, so that no rounding comes between policy and comparison."""


class Better(StrEnum):
    """Which values of a metric are the better ones."""

    HIGHER = "higher"
    LOWER = "lower"


class MetricAtFloor(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A metric that the version's run logged is at least as good as the policy demands."""

    metric: Annotated[str, msgspec.Meta(min_length=1, max_length=250)]
    floor: DecimalText
    """A value equal to it passes."""
    better: Better = Better.HIGHER

    name: ClassVar[str] = "metric-at-floor"
    version: ClassVar[int] = 1
    reads: ClassVar[frozenset[Reads]] = ROWS_ONLY

    def inputs(self, facts: CheckFacts, now: datetime) -> tuple[str, ...]:
        return (facts.metrics.get(self.metric, "none"),)

    def examine(self, facts: CheckFacts, now: datetime, files: Files) -> Finding:
        value = _finite(facts, self.metric)
        if value is None:
            return _unmeasured(facts, self.metric)
        evidence = {self.metric: str(value), "floor": self.floor, "better": self.better.value}
        shortfall = _shortfall(value, Decimal(self.floor), self.better)
        if shortfall > 0:
            side = "below" if self.better is Better.HIGHER else "above"
            return Finding(Outcome.FAILED, f"{self.metric} is {value}: {side} {self.floor}.", evidence)
        return Finding(Outcome.PASSED, f"{self.metric} is {value}; the policy asks for {self.floor}.", evidence)


class NoWorseThanProduction(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A metric that the version's run logged is not worse, by more than a margin, than that of the version of this
    model that is in production.
    """

    metric: Annotated[str, msgspec.Meta(min_length=1, max_length=250)]
    margin: DecimalText = "0"
    better: Better = Better.HIGHER

    name: ClassVar[str] = "no-worse-than-production"
    version: ClassVar[int] = 1
    reads: ClassVar[frozenset[Reads]] = ROWS_ONLY

    def inputs(self, facts: CheckFacts, now: datetime) -> tuple[str, ...]:
        rival = facts.in_production
        theirs = () if rival is None else (hex_of(rival.content_digest), rival.metrics.get(self.metric, "none"))
        return (facts.metrics.get(self.metric, "none"), *theirs)

    def examine(self, facts: CheckFacts, now: datetime, files: Files) -> Finding:
        rival = facts.in_production
        if rival is None:
            return Finding(Outcome.NOT_APPLICABLE, "No other version of this model is in production.")
        value = _finite(facts, self.metric)
        if value is None:
            return _unmeasured(facts, self.metric)
        theirs = _decimal(rival.metrics.get(self.metric))
        if theirs is None:
            reason = f"Version {rival.number}, which is in production, has no {self.metric} to compare with."
            return Finding(Outcome.INCONCLUSIVE, reason)
        evidence = {
            self.metric: str(value),
            f"{self.metric} of version {rival.number}": str(theirs),
            "margin": self.margin,
        }
        shortfall = _shortfall(value, theirs, self.better)
        if shortfall > Decimal(self.margin):
            reason = f"{self.metric} is {value}: worse than the {theirs} of version {rival.number} by {shortfall}."
            return Finding(Outcome.FAILED, reason, evidence)
        reason = f"{self.metric} is {value}; version {rival.number} in production has {theirs}."
        return Finding(Outcome.PASSED, reason, evidence)


def _shortfall(value: Decimal, wanted: Decimal, better: Better) -> Decimal:
    return wanted - value if better is Better.HIGHER else value - wanted


def _finite(facts: CheckFacts, metric: str) -> Decimal | None:
    return _decimal(facts.metrics.get(metric))


def _decimal(text: str | None) -> Decimal | None:
    """A logged value; None where there is none, or where NaN or an infinity was logged."""
    value = None if text is None else Decimal(text)
    return value if value is not None and value.is_finite() else None


def _unmeasured(facts: CheckFacts, metric: str) -> Finding:
    logged = facts.metrics.get(metric)
    reason = f"The run logged no {metric}." if logged is None else f"The run logged {metric} as {logged}: no number."
    return Finding(Outcome.INCONCLUSIVE, reason, {"metrics": ", ".join(sorted(facts.metrics))})
