"""Findings as sentences that a person without statistics can read."""

from collections.abc import Sequence

import msgspec

from fairness.thresholds import Comparison, Verdict


class Wording(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How to speak of these people and decisions.

    `people`: plural. `outcome_…`: follows `people`. `predicted_…`: follows "is" or "are".
    """

    people: str = "people"
    outcome_positive: str = "with a positive outcome"
    outcome_negative: str = "with a negative outcome"
    predicted_positive: str = "predicted positive"
    predicted_negative: str = "predicted negative"

    def base(self, metric: str) -> str:
        """The people that a metric is a share of: "clients who repaid"."""
        match metric:
            case "true_positive_rate" | "false_negative_rate":
                return f"{self.people} {self.outcome_positive}"
            case "false_positive_rate":
                return f"{self.people} {self.outcome_negative}"
            case "precision":
                return f"{self.people} {self.predicted_positive}"
            case _:
                return self.people

    def event(self, metric: str) -> str:
        """What happens to those that a metric counts, after "is" or "are": "refused"."""
        match metric:
            case "false_negative_rate":
                return self.predicted_negative
            case "accuracy":
                return "predicted correctly"
            case "precision":
                return f"{self.people} {self.outcome_positive}"
            case _:
                return self.predicted_positive


def group_phrase(features: Sequence[str], name: Sequence[str]) -> str:
    """Where a group is: "sex is female and age is under 30"."""
    return " and ".join(f"{feature} is {label}" for feature, label in zip(features, name, strict=True))


def counted(rates: Sequence[float]) -> tuple[int, tuple[int, ...]]:
    """Rates as whole people out of 100, or of 1,000 or 10,000 where 100 would hide them or their difference."""
    different = max(rates) - min(rates) > 1e-9
    for scale in (100, 1_000):
        whole = tuple(round(rate * scale) for rate in rates)
        hidden = (different and len(set(whole)) == 1) or any(
            rate > 0 and count == 0 for rate, count in zip(rates, whole, strict=True)
        )
        if not hidden:
            return scale, whole
    return 10_000, tuple(round(rate * 10_000) for rate in rates)


def comparison_sentence(
    wording: Wording,
    metric: str,
    worst: tuple[str, float],
    reference: tuple[str, float],
) -> str:
    """Two groups side by side: "Of 100 clients who repaid, 12 are refused where sex is female; 9 where sex is male."

    `worst` and `reference`: where (a phrase) and the rate there.
    """
    scale, (first, second) = counted([worst[1], reference[1]])
    verb = "is" if first == 1 else "are"
    return (
        f"Of {scale:,} {wording.base(metric)}, {first:,} {verb} {wording.event(metric)} {worst[0]}; "
        f"{second:,} {reference[0]}."
    )


def limit_sentence(kind: Comparison, limit: float, low: float, high: float, verdict: Verdict) -> str:
    """What the limit allows, and where the interval lies."""
    if kind is Comparison.RATIO:
        allowed = f"The lowest rate must be at least {_percent(limit)} of the highest"
        interval = f"{_percent(low)} to {_percent(high)}"
        side = {Verdict.PASS: "lies above that", Verdict.FAIL: "lies below that"}
    else:
        where = "of difference between groups" if kind is Comparison.DIFFERENCE else "beyond the overall rate"
        allowed = f"The limit allows {_points(limit)} {where}"
        # A bound of -0.04 points would read "-0.0".
        interval = f"{round(low * 100, 1) + 0.0:.1f} to {round(high * 100, 1) + 0.0:.1f} points"
        side = {Verdict.PASS: "lies within it", Verdict.FAIL: "lies beyond it"}
    return f"{allowed}; the interval, {interval}, {side.get(verdict, 'does not decide it')}."


def too_few_sentence(people: str, minimum_rows: int, groups: Sequence[tuple[str, int]]) -> str:
    """Which groups are too small to judge; `groups`: where, and how many there are."""
    shown = "; ".join(f"{where} ({rows:,})" for where, rows in groups[:6])
    more = f"; and {len(groups) - 6:,} more groups" if len(groups) > 6 else ""
    return f"Too few {people} to judge where {shown}{more}. At least {minimum_rows:,} are needed in each group."


def _percent(fraction: float) -> str:
    return f"{fraction * 100:.1f}".removesuffix(".0") + " %"


def _points(fraction: float) -> str:
    points = f"{fraction * 100:.2f}".rstrip("0").rstrip(".")
    return f"{points} point" if points == "1" else f"{points} points"
