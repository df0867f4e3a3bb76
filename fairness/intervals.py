"""Confidence intervals of proportions, their differences and their ratios.

Everything here is closed form and conservative where many comparisons are made at once: the confidence
is corrected by Bonferroni, so that all intervals of one family hold together at the stated confidence.

Sources:
    E. B. Wilson (1927), Probable inference, JASA 22:209, for one proportion.
    R. G. Newcombe (1998), Interval estimation for the difference between independent proportions,
        Statistics in Medicine 17:873, method 10 (hybrid score), for a difference.
    L. Kish (1965), Survey Sampling, for the effective number of rows under weights.
"""

from collections.abc import Sequence
from math import sqrt
from statistics import NormalDist
from typing import NamedTuple


class Proportion(NamedTuple):
    """A rate from 0 to 1 seen in `size` rows (more than 0; effective rows under weights)."""

    rate: float
    size: float


class Interval(NamedTuple):
    """Bounds of a quantity."""

    low: float
    high: float


def critical_value(confidence: float, comparisons: int) -> float:
    """Two-sided normal quantile at which `comparisons` intervals hold together (Bonferroni)."""
    return NormalDist().inv_cdf(1 - (1 - confidence) / (2 * max(comparisons, 1)))


def wilson(proportion: Proportion, z: float) -> Interval:
    """Wilson score interval of one proportion, within 0 to 1. Wilson (1927)."""
    rate, size = proportion
    shrink = 1 + z * z / size
    centre = (rate + z * z / (2 * size)) / shrink
    half = z * sqrt(rate * (1 - rate) / size + z * z / (4 * size * size)) / shrink
    # At the ends the bound is the end itself; rounding would leave it at 1e-17.
    low = 0.0 if rate <= 0 else max(0.0, min(rate, centre - half))
    high = 1.0 if rate >= 1 else min(1.0, max(rate, centre + half))
    return Interval(low, high)


def newcombe(first: Proportion, second: Proportion, z: float) -> Interval:
    """Interval of `first.rate - second.rate` of independent groups, from -1 to 1. Newcombe (1998), method 10."""
    first_low, first_high = wilson(first, z)
    second_low, second_high = wilson(second, z)
    difference = first.rate - second.rate
    low = difference - sqrt((first.rate - first_low) ** 2 + (second_high - second.rate) ** 2)
    high = difference + sqrt((first_high - first.rate) ** 2 + (second.rate - second_low) ** 2)
    return Interval(low, high)


def ratio(first: Interval, second: Interval) -> Interval:
    """Bounds of first / second, where both rates lie within their simultaneous intervals.

    The extremes of the rectangle that both intervals span: conservative, and defined for rates of 0.
    A bound without limit is infinite.
    """
    low = first.low / second.high if second.high > 0 else 0.0
    high = first.high / second.low if second.low > 0 else float("inf")
    return Interval(low, high)


def greatest(intervals: Sequence[Interval]) -> Interval:
    """Bounds of the greatest of several quantities whose intervals hold together.

    It is at least every lower bound and at most the greatest upper bound, so no further correction is due.
    """
    return Interval(max(each.low for each in intervals), max(each.high for each in intervals))


def least(intervals: Sequence[Interval]) -> Interval:
    """Bounds of the least of several quantities whose intervals hold together."""
    return Interval(min(each.low for each in intervals), min(each.high for each in intervals))
