"""Limits that somebody sets, and what an interval says about one.

A verdict rests on the interval, never on the point: the whole interval within the limit passes, the whole
interval beyond it fails, and what straddles it is inconclusive.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from enum import StrEnum

import msgspec

from fairness.errors import SettingError
from fairness.intervals import Interval


class Verdict(StrEnum):
    """What an interval says about a limit."""

    PASS = "pass"  # noqa: S105  # a verdict, not a password
    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"
    TOO_FEW = "too few"
    """Not enough rows to judge: a finding, never a pass."""


class Comparison(StrEnum):
    """What is held against the limit."""

    DIFFERENCE = "difference"
    """Highest less lowest rate among the groups; at most the limit."""
    RATIO = "ratio"
    """Lowest over highest rate among the groups; at least the limit (four-fifths rule: 0.8)."""
    EXCESS = "excess over overall"
    """How far a group lies beyond the overall rate, in the harmful direction; at most the limit.

    The overall rate seen in these data is the fixed benchmark; its own uncertainty, shared with the groups, is
    not added."""


class Harm(StrEnum):
    """Which side of a rate hurts a group."""

    HIGHER = "higher"
    LOWER = "lower"
    EITHER = "either"


class Threshold(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A limit on one metric.

    `limit`: from 0 to 1. `harm`: None takes the metric's own direction. `order`: the largest number of features
    that are intersected and still judged; None judges every intersection that is assessed.
    """

    kind: Comparison
    limit: Decimal
    harm: Harm | None = None
    order: int | None = None

    def judges(self, features: int) -> bool:
        """Whether a set of that many intersected features is held against this limit."""
        return self.order is None or features <= self.order

    def verdict(self, interval: Interval) -> Verdict:
        """What an interval of the compared quantity says."""
        limit = float(self.limit)
        if self.kind is Comparison.RATIO:
            within, beyond = interval.low >= limit, interval.high < limit
        else:
            within, beyond = interval.high <= limit, interval.low > limit
        return Verdict.PASS if within else Verdict.FAIL if beyond else Verdict.INCONCLUSIVE


def check_thresholds(thresholds: Mapping[str, Threshold], names: Iterable[str]) -> dict[str, Threshold]:
    """The thresholds by metric, checked against the metrics that exist.

    Raises:
        SettingError: an unknown metric, a limit outside 0 to 1, an order below 1, or no threshold at all.
    """
    known = sorted(names)
    if not thresholds:
        raise SettingError("thresholds", {}, "no limit is set.", f"Set one for at least one of {', '.join(known)}.")
    for name, threshold in thresholds.items():
        if name not in known:
            raise SettingError("thresholds", name, "no metric has that name.", f"Name one of {', '.join(known)}.")
        if not threshold.limit.is_finite() or not 0 <= threshold.limit <= 1:
            raise SettingError(
                f"thresholds.{name}.limit", str(threshold.limit), "a limit lies from 0 to 1.", "Write 5 points as 0.05."
            )
        if threshold.order is not None and threshold.order < 1:
            raise SettingError(
                f"thresholds.{name}.order", threshold.order, "an order is at least 1.", "Leave it out to judge all."
            )
        if name == "equalized_odds" and (threshold.kind is Comparison.EXCESS or threshold.harm is not None):
            raise SettingError(
                f"thresholds.{name}",
                threshold.kind.value,
                "equalized odds joins two rates with opposite harms.",
                "Limit its difference or its ratio, without a direction.",
            )
    return dict(thresholds)


def summary(verdicts: Iterable[Verdict]) -> Verdict:
    """The verdict over all findings: one failure fails; anything undecided or too few is inconclusive."""
    found = set(verdicts)
    if Verdict.FAIL in found:
        return Verdict.FAIL
    return Verdict.PASS if found == {Verdict.PASS} else Verdict.INCONCLUSIVE
