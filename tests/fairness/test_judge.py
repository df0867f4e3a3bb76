"""Intervals, disparities and verdicts."""

from decimal import Decimal
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairness import Comparison, Harm, Threshold, Verdict
from fairness.assessment import Rate
from fairness.errors import SettingError
from fairness.intervals import Interval, Proportion, critical_value, newcombe, ratio, wilson
from fairness.judge import NamedGroup, Rules, judge
from fairness.metrics import METRICS, GroupRate
from fairness.thresholds import check_thresholds, summary
from fairness.wording import Wording, counted

proportions = st.builds(
    lambda size, share: Proportion(round(size * share) / size, size), st.integers(1, 10_000), st.floats(0, 1)
)


def judged(rates, threshold, *, metric="false_positive_rate", minimum_rows=100):
    """The judgement of groups given as name -> (rate, rows); every metric has that rate."""
    groups = [
        NamedGroup((name,), rows, {each: GroupRate(rate if rows else None, rows, float(rows)) for each in METRICS})
        for name, (rate, rows) in rates.items()
    ]
    total = sum(rows for _, rows in rates.values())
    mean = sum(rate * rows for rate, rows in rates.values()) / total
    overall = {each: Rate(base_rows=total, rate=mean, low=mean, high=mean, enough=True) for each in METRICS}
    rules = Rules({metric: threshold}, 0.95, minimum_rows, Wording(people="clients", outcome_negative="who repaid"))
    frame, findings = judge(("sex",), groups, overall, len(groups), rules)
    verdicts = {group.name[0]: group.rates[metric].verdict for group in frame.groups if metric in METRICS}
    return frame, findings, verdicts


def limit(kind, value, harm=None, order=None):
    return Threshold(kind, Decimal(value), harm, order)


def test_wilson_gives_the_published_interval():
    # R. G. Newcombe (1998), Two-sided confidence intervals for the single proportion, table I: 81 of 263, 0 of 20.
    z = critical_value(0.95, 1)
    assert wilson(Proportion(81 / 263, 263), z) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert wilson(Proportion(0.0, 20), z) == pytest.approx((0.0, 0.1611), abs=5e-5)


def test_newcombe_gives_the_published_interval():
    # R. G. Newcombe (1998), Statistics in Medicine 17:873, table II, method 10: 56/70 - 48/80, 10/10 - 0/10.
    z = critical_value(0.95, 1)
    assert newcombe(Proportion(56 / 70, 70), Proportion(48 / 80, 80), z) == pytest.approx((0.0524, 0.3339), abs=5e-5)
    assert newcombe(Proportion(1.0, 10), Proportion(0.0, 10), z) == pytest.approx((0.6075, 1.0), abs=5e-5)


@given(proportions, proportions, st.integers(1, 50))
def test_intervals_hold_their_estimate_and_widen_with_the_number_of_comparisons(first, second, comparisons):
    narrow, wide = critical_value(0.95, comparisons), critical_value(0.95, comparisons + 1)
    low, high = wilson(first, narrow)
    assert 0 <= low <= first.rate <= high <= 1
    assert wilson(first, wide).low <= low
    assert wilson(first, wide).high >= high
    low, high = newcombe(first, second, narrow)
    assert -1 - 1e-9 <= low <= first.rate - second.rate <= high <= 1 + 1e-9
    mirrored = newcombe(second, first, narrow)
    assert (low, high) == pytest.approx((-mirrored.high, -mirrored.low))
    if second.rate > 0:
        bounds = ratio(wilson(first, narrow), wilson(second, narrow))
        assert bounds.low <= first.rate / second.rate <= bounds.high


@pytest.mark.parametrize(
    "kind, low, high, verdict",
    [
        (Comparison.DIFFERENCE, 0.01, 0.05, Verdict.PASS),
        (Comparison.DIFFERENCE, 0.01, 0.0501, Verdict.INCONCLUSIVE),
        (Comparison.DIFFERENCE, 0.05, 0.09, Verdict.INCONCLUSIVE),
        (Comparison.DIFFERENCE, 0.0501, 0.09, Verdict.FAIL),
        (Comparison.EXCESS, -0.2, -0.1, Verdict.PASS),
        (Comparison.RATIO, 0.05, 0.5, Verdict.PASS),
        (Comparison.RATIO, 0.04, 0.05, Verdict.INCONCLUSIVE),
        (Comparison.RATIO, 0.01, 0.0499, Verdict.FAIL),
    ],
)
def test_the_interval_decides_and_not_the_point(kind, low, high, verdict):
    assert limit(kind, "0.05").verdict(Interval(low, high)) is verdict


@pytest.mark.parametrize("order", list(permutations([Verdict.PASS, Verdict.INCONCLUSIVE, Verdict.TOO_FEW])))
def test_only_passes_make_a_pass_and_one_failure_fails(order):
    assert summary([Verdict.PASS, Verdict.PASS]) is Verdict.PASS
    assert summary(order) is Verdict.INCONCLUSIVE
    assert summary([Verdict.PASS, Verdict.TOO_FEW]) is Verdict.INCONCLUSIVE
    assert summary([*order, Verdict.FAIL]) is Verdict.FAIL
    assert summary([]) is Verdict.INCONCLUSIVE


@given(
    st.lists(st.tuples(st.floats(0, 1), st.integers(100, 100_000)), min_size=2, max_size=6),
    st.sampled_from(list(Comparison)),
    st.sampled_from(list(Harm)),
    st.decimals("0", "1", places=2),
)
def test_a_set_of_features_is_as_good_as_its_worst_group(pairs, kind, harm, value):
    rates = {f"g{place}": pair for place, pair in enumerate(pairs)}
    _, findings, verdicts = judged(rates, Threshold(kind, value, harm))
    (finding,) = findings
    worst = (
        Verdict.FAIL
        if Verdict.FAIL in verdicts.values()
        else Verdict.INCONCLUSIVE
        if Verdict.INCONCLUSIVE in verdicts.values()
        else Verdict.PASS
    )
    assert finding.verdict is worst


def test_a_small_group_is_a_finding_and_is_not_compared():
    rates = {"a": (0.10, 10_000), "b": (0.10, 10_000), "c": (0.9, 99), "d": (0.0, 0)}
    frame, findings, verdicts = judged(rates, limit(Comparison.DIFFERENCE, "0.05"))
    assert [finding.verdict for finding in findings] == [Verdict.PASS, Verdict.TOO_FEW]
    assert findings[1].too_few == (("c",), ("d",))
    assert findings[1].sentence == (
        "Too few clients who repaid to judge where sex is c (99); sex is d (0). At least 100 are needed in each group."
    )
    assert verdicts == {"a": "pass", "b": "pass", "c": "too few", "d": "too few"}
    (disparity,) = (each for each in frame.disparities if each.metric == "false_positive_rate")
    assert disparity.difference.value == 0
    assert frame.groups[3].rates["false_positive_rate"].rate is None


def test_a_single_group_is_nothing_to_compare_and_no_pass():
    _, findings, verdicts = judged({"a": (0.1, 5_000)}, limit(Comparison.RATIO, "0.8"))
    assert [finding.verdict for finding in findings] == [Verdict.TOO_FEW]
    assert "nothing to compare" in findings[0].sentence
    assert verdicts == {"a": "too few"}


@pytest.mark.parametrize(
    "harm, failing", [(Harm.HIGHER, {"high"}), (Harm.LOWER, {"low"}), (Harm.EITHER, {"high", "low"})]
)
@pytest.mark.parametrize("kind, value", [(Comparison.DIFFERENCE, "0.2"), (Comparison.RATIO, "0.8")])
def test_the_harmful_direction_says_which_group_fails(harm, failing, kind, value):
    rates = {"low": (0.10, 9_000), "middle": (0.30, 9_000), "high": (0.50, 9_000)}
    if kind is Comparison.RATIO:
        rates["middle"] = (0.24, 9_000) if harm is Harm.EITHER else rates["middle"]
    _, findings, verdicts = judged(rates, limit(kind, value, harm))
    assert findings[0].verdict is Verdict.FAIL
    assert failing <= {name for name, verdict in verdicts.items() if verdict is Verdict.FAIL}
    harmless = {Harm.HIGHER: "low", Harm.LOWER: "high"}.get(harm)
    assert harmless is None or verdicts[harmless] is Verdict.PASS


def test_an_excess_is_held_against_the_overall_rate():
    rates = {"a": (0.05, 50_000), "b": (0.20, 5_000)}
    _, findings, verdicts = judged(rates, limit(Comparison.EXCESS, "0.04", Harm.HIGHER))
    assert verdicts == {"a": "pass", "b": "fail"}
    assert findings[0].worst == ("b",)
    assert findings[0].sentence == (
        "Of 100 clients who repaid, 20 are predicted positive where sex is b; 6 overall. "
        "The limit allows 4 points beyond the overall rate; the interval, 12.4 to 14.9 points, lies beyond it."
    )


def test_equalized_odds_take_the_worse_of_both_rates():
    rates = {"a": (0.10, 50_000), "b": (0.30, 50_000)}
    frame, findings, _ = judged(rates, limit(Comparison.DIFFERENCE, "0.1"), metric="equalized_odds")
    assert findings[0].verdict is Verdict.FAIL
    odds = frame.disparities[-1]
    plain = next(each for each in frame.disparities if each.metric == "false_positive_rate")
    assert odds.difference.value == plain.difference.value
    # Two rates are compared at once, so the interval is wider than that of either.
    assert odds.difference.low < plain.difference.low
    assert odds.difference.high > plain.difference.high


def test_a_limit_of_order_one_leaves_intersections_unjudged():
    assert limit(Comparison.DIFFERENCE, "0.1", order=1).judges(1)
    assert not limit(Comparison.DIFFERENCE, "0.1", order=1).judges(2)
    assert limit(Comparison.DIFFERENCE, "0.1").judges(9)


@pytest.mark.parametrize(
    "name, threshold",
    [
        ("accuracy", limit(Comparison.DIFFERENCE, "5")),
        ("accuracy", limit(Comparison.DIFFERENCE, "NaN")),
        ("accuracy", limit(Comparison.DIFFERENCE, "-0.1")),
        ("accuracy", limit(Comparison.DIFFERENCE, "0.1", order=0)),
        ("equalized_odds", limit(Comparison.EXCESS, "0.1")),
        ("equalized_odds", limit(Comparison.RATIO, "0.8", Harm.LOWER)),
    ],
)
def test_a_limit_that_makes_no_sense_is_refused(name, threshold):
    with pytest.raises(SettingError) as caught:
        check_thresholds({name: threshold}, [*METRICS, "equalized_odds"])
    assert caught.value.field.startswith(f"thresholds.{name}")


@pytest.mark.parametrize(
    "rates, expected",
    [
        ([0.12, 0.09], (100, (12, 9))),
        ([0.101, 0.102], (1_000, (101, 102))),
        ([0.002, 0.5], (1_000, (2, 500))),
        ([0.5, 0.5], (100, (50, 50))),
        ([0.0, 0.3], (100, (0, 30))),
        ([0.00012, 0.0002], (10_000, (1, 2))),
    ],
)
def test_sentences_count_people_so_that_the_difference_shows(rates, expected):
    assert counted(rates) == expected
