"""From rates by group to disparities, their intervals, and verdicts. No data, no libraries: arithmetic."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec

from fairness import intervals, wording
from fairness.assessment import Disparity, Estimate, FeatureSet, Finding, Group, GroupName, Rate
from fairness.intervals import Interval, Proportion
from fairness.metrics import EQUALIZED_ODDS, EQUALIZED_ODDS_PARTS, METRICS, GroupRate
from fairness.thresholds import Comparison, Harm, Threshold, Verdict
from fairness.wording import Wording


class Rules(NamedTuple):
    """By what a table of rates is judged."""

    thresholds: Mapping[str, Threshold]
    confidence: float
    minimum_rows: int
    wording: Wording


class NamedGroup(NamedTuple):
    """A measured group with its labels."""

    name: GroupName
    rows: int
    rates: Mapping[str, GroupRate]


class _Compared(NamedTuple):
    """Groups with enough rows, and simultaneous intervals between them.

    differences[i][j]: of rate i less rate j. ratios[i][j]: of rate i over rate j. Diagonals are meaningless.
    """

    places: tuple[int, ...]
    rates: tuple[float, ...]
    differences: list[list[Interval]]
    ratios: list[list[Interval]]

    def difference(self) -> Estimate | None:
        if len(self.rates) < 2:
            return None
        low, high = intervals.greatest(_off_diagonal(self.differences))
        return _estimate(max(self.rates) - min(self.rates), Interval(max(low, 0.0), high))

    def ratio(self) -> Estimate | None:
        if len(self.rates) < 2:
            return None
        low, high = intervals.least(_off_diagonal(self.ratios))
        most = max(self.rates)
        return _estimate(min(self.rates) / most if most > 0 else None, Interval(low, min(high, 1.0)))


def rounded(value: float) -> float:
    """To 12 significant digits: what the JSON holds, whatever the order of summation was."""
    return float(f"{value:.12g}")


def rate_of(measured: GroupRate, z: float, *, enough: bool) -> Rate:
    """A rate with its Wilson interval; without a base it has neither."""
    if measured.rate is None:
        return Rate(base_rows=measured.base_rows, rate=None, low=None, high=None, enough=False)
    low, high = intervals.wilson(Proportion(measured.rate, measured.size), z)
    return Rate(
        base_rows=measured.base_rows, rate=rounded(measured.rate), low=rounded(low), high=rounded(high), enough=enough
    )


def judge(
    features: tuple[str, ...],
    groups: Sequence[NamedGroup],
    overall: Mapping[str, Rate],
    family: int,
    rules: Rules,
) -> tuple[FeatureSet, tuple[Finding, ...]]:
    """One set of features: rates with intervals, disparities by metric, and a finding for each limit.

    `family`: how many groups are shown together with these, for the correction of their intervals.
    """
    z = intervals.critical_value(rules.confidence, family)
    rates: list[dict[str, Rate]] = [{} for _ in groups]
    disparities: list[Disparity] = []
    findings: list[Finding] = []
    for metric in METRICS.values():
        threshold = rules.thresholds.get(metric.name)
        if threshold is not None and not threshold.judges(len(features)):
            threshold = None
        harm = (threshold.harm if threshold else None) or metric.harm
        column = [
            rate_of(measured, z, enough=measured.rate is not None and measured.base_rows >= rules.minimum_rows)
            for measured in (group.rates[metric.name] for group in groups)
        ]
        compared = _compare(groups, metric.name, rules, families=1)
        benchmark = overall[metric.name].rate or 0.0
        excess = [_excess(rate, benchmark, harm) for rate in column]
        disparity = _disparity(features, groups, metric.name, compared, excess, harm, benchmark)
        disparities.append(disparity)
        for place, rate in enumerate(column):
            verdict = _group_verdict(place, rate, compared, excess[place], threshold, harm)
            rates[place][metric.name] = msgspec.structs.replace(rate, verdict=verdict)
        if threshold is not None:
            findings += _findings(features, groups, disparity, column, threshold, harm, benchmark, rules)
    odds = _equalized_odds(groups, disparities, rules)
    disparities.append(odds)
    limit = rules.thresholds.get(EQUALIZED_ODDS)
    if limit is not None and limit.judges(len(features)):
        findings += _odds_findings(features, groups, odds, limit, rules)
    shown = tuple(
        Group(name=group.name, rows=group.rows, rates=each) for group, each in zip(groups, rates, strict=True)
    )
    return FeatureSet(features=features, groups=shown, disparities=tuple(disparities)), tuple(findings)


def _compare(groups: Sequence[NamedGroup], metric: str, rules: Rules, *, families: int) -> _Compared:
    """Every pair of groups with enough rows; `families` such comparisons hold together."""
    places = tuple(
        place
        for place, group in enumerate(groups)
        if group.rates[metric].rate is not None and group.rates[metric].base_rows >= rules.minimum_rows
    )
    proportions = [
        Proportion(groups[place].rates[metric].rate or 0.0, groups[place].rates[metric].size) for place in places
    ]
    size = len(places)
    pair_z = intervals.critical_value(rules.confidence, families * size * (size - 1) // 2)
    single_z = intervals.critical_value(rules.confidence, families * size)
    alone = [intervals.wilson(each, single_z) for each in proportions]
    return _Compared(
        places,
        tuple(each.rate for each in proportions),
        [[intervals.newcombe(first, second, pair_z) for second in proportions] for first in proportions],
        [[intervals.ratio(first, second) for second in alone] for first in alone],
    )


def _off_diagonal(square: list[list[Interval]]) -> list[Interval]:
    return [each for row, line in enumerate(square) for place, each in enumerate(line) if row != place]


def _estimate(value: float | None, interval: Interval) -> Estimate:
    return Estimate(
        value=None if value is None else rounded(value), low=rounded(interval.low), high=rounded(interval.high)
    )


def _excess(rate: Rate, benchmark: float, harm: Harm) -> Estimate | None:
    """How far a group lies beyond the benchmark on the harmful side; below 0 on the harmless one."""
    if not rate.enough or rate.rate is None or rate.low is None or rate.high is None:
        return None
    above = Interval(rate.low - benchmark, rate.high - benchmark)
    below = Interval(benchmark - rate.high, benchmark - rate.low)
    match harm:
        case Harm.HIGHER:
            return _estimate(rate.rate - benchmark, above)
        case Harm.LOWER:
            return _estimate(benchmark - rate.rate, below)
        case Harm.EITHER:
            low = max(above.low, below.low, 0.0)
            return _estimate(abs(rate.rate - benchmark), Interval(low, max(above.high, below.high)))


def _group_verdict(
    place: int,
    rate: Rate,
    compared: _Compared,
    excess: Estimate | None,
    threshold: Threshold | None,
    harm: Harm,
) -> Verdict | None:
    """A group's own verdict: held against each other group, or against the overall rate."""
    if threshold is None:
        return None
    if not rate.enough or excess is None:
        return Verdict.TOO_FEW
    if threshold.kind is Comparison.EXCESS:
        return threshold.verdict(Interval(excess.low, excess.high))
    if len(compared.places) < 2:
        return Verdict.TOO_FEW
    mine = compared.places.index(place)
    table = compared.differences if threshold.kind is Comparison.DIFFERENCE else compared.ratios
    as_first = [each for other, each in enumerate(table[mine]) if other != mine]
    as_second = [line[mine] for other, line in enumerate(table) if other != mine]
    # In a difference the harmed group is the minuend when higher hurts; in a ratio it is then the denominator.
    first_when = Harm.HIGHER if threshold.kind is Comparison.DIFFERENCE else Harm.LOWER
    chosen = as_first + as_second if harm is Harm.EITHER else as_first if harm is first_when else as_second
    extreme = intervals.greatest if threshold.kind is Comparison.DIFFERENCE else intervals.least
    return threshold.verdict(extreme(chosen))


def _disparity(
    features: tuple[str, ...],
    groups: Sequence[NamedGroup],
    metric: str,
    compared: _Compared,
    excess: Sequence[Estimate | None],
    harm: Harm,
    benchmark: float,
) -> Disparity:
    names = [groups[place].name for place in compared.places]
    judged = [each for each in excess if each is not None]
    highest = lowest = worst = None
    if names:
        highest = names[compared.rates.index(max(compared.rates))]
        lowest = names[compared.rates.index(min(compared.rates))]
        distances = [abs(rate - benchmark) for rate in compared.rates]
        farthest = names[distances.index(max(distances))]
        worst = {Harm.HIGHER: highest, Harm.LOWER: lowest, Harm.EITHER: farthest}[harm]
    most = None
    if judged:
        interval = intervals.greatest([Interval(each.low, each.high) for each in judged])
        most = _estimate(max(each.value or 0.0 for each in judged), interval)
    return Disparity(
        metric=metric,
        criterion=METRICS[metric].criterion,
        compared=len(names),
        difference=compared.difference(),
        ratio=compared.ratio(),
        excess=most,
        highest=highest,
        lowest=lowest,
        worst=worst,
        too_few=tuple(group.name for place, group in enumerate(groups) if place not in compared.places),
    )


def _equalized_odds(groups: Sequence[NamedGroup], disparities: Sequence[Disparity], rules: Rules) -> Disparity:
    """The larger difference and the smaller ratio of both rates, as Fairlearn's `worst_case` takes them."""
    parts = [_compare(groups, name, rules, families=2) for name in EQUALIZED_ODDS_PARTS]
    plain = [each for each in disparities if each.metric in EQUALIZED_ODDS_PARTS]
    differences = [each for each in (part.difference() for part in parts) if each is not None]
    ratios = [each for each in (part.ratio() for part in parts) if each is not None]
    complete = len(differences) == len(ratios) == len(parts)
    dominant = max(plain, key=lambda each: (each.difference.value or 0.0) if each.difference else 0.0)
    undefined = any(each.value is None for each in ratios)
    few = {name for each in plain for name in each.too_few}
    return Disparity(
        metric=EQUALIZED_ODDS,
        criterion="equalized odds",
        compared=min(len(part.places) for part in parts),
        difference=_estimate(
            max(each.value or 0.0 for each in differences),
            intervals.greatest([Interval(each.low, each.high) for each in differences]),
        )
        if complete
        else None,
        ratio=_estimate(
            None if undefined else min(each.value or 0.0 for each in ratios),
            intervals.least([Interval(each.low, each.high) for each in ratios]),
        )
        if complete
        else None,
        excess=None,
        highest=dominant.highest if complete else None,
        lowest=dominant.lowest if complete else None,
        worst=dominant.worst if complete else None,
        too_few=tuple(group.name for group in groups if group.name in few),
    )


def _judged(disparity: Disparity, threshold: Threshold) -> Estimate | None:
    match threshold.kind:
        case Comparison.DIFFERENCE:
            return disparity.difference
        case Comparison.RATIO:
            return disparity.ratio
        case Comparison.EXCESS:
            return disparity.excess


def _finding(
    features: tuple[str, ...], disparity: Disparity, threshold: Threshold, verdict: Verdict, sentence: str
) -> Finding:
    few = verdict is Verdict.TOO_FEW
    return Finding(
        metric=disparity.metric,
        features=features,
        kind=threshold.kind,
        limit=str(threshold.limit),
        verdict=verdict,
        estimate=None if few else _judged(disparity, threshold),
        worst=None if few else disparity.worst,
        too_few=disparity.too_few if few else (),
        sentence=sentence,
    )


def _findings(
    features: tuple[str, ...],
    groups: Sequence[NamedGroup],
    disparity: Disparity,
    column: Sequence[Rate],
    threshold: Threshold,
    harm: Harm,
    benchmark: float,
    rules: Rules,
) -> list[Finding]:
    """What the limit says of the groups compared, and which groups it cannot judge."""
    found: list[Finding] = []
    people = rules.wording.base(disparity.metric)
    rates = {group.name: rate for group, rate in zip(groups, column, strict=True)}
    estimate = _judged(disparity, threshold)
    if estimate is not None and disparity.worst and disparity.highest and disparity.lowest:
        low_harms = harm is Harm.LOWER
        pair = (disparity.lowest, disparity.highest) if low_harms else (disparity.highest, disparity.lowest)
        if threshold.kind is Comparison.EXCESS:
            first = (_where(features, disparity.worst), rates[disparity.worst].rate or 0.0)
            second = ("overall", benchmark)
        else:
            first = (_where(features, pair[0]), rates[pair[0]].rate or 0.0)
            second = (_where(features, pair[1]), rates[pair[1]].rate or 0.0)
        verdict = threshold.verdict(Interval(estimate.low, estimate.high))
        sentence = wording.comparison_sentence(rules.wording, disparity.metric, first, second)
        limit = wording.limit_sentence(threshold.kind, float(threshold.limit), estimate.low, estimate.high, verdict)
        found.append(_finding(features, disparity, threshold, verdict, f"{sentence} {limit}"))
    if disparity.too_few:
        small = [(wording.group_phrase(features, name), rates[name].base_rows) for name in disparity.too_few]
        sentence = wording.too_few_sentence(people, rules.minimum_rows, small)
        found.append(_finding(features, disparity, threshold, Verdict.TOO_FEW, sentence))
    elif estimate is None:
        sentence = f"There is nothing to compare: all {people} are in one group by {' and '.join(features)}."
        found.append(_finding(features, disparity, threshold, Verdict.TOO_FEW, sentence))
    return found


def _odds_findings(
    features: tuple[str, ...], groups: Sequence[NamedGroup], odds: Disparity, threshold: Threshold, rules: Rules
) -> list[Finding]:
    found: list[Finding] = []
    estimate = _judged(odds, threshold)
    if estimate is not None:
        verdict = threshold.verdict(Interval(estimate.low, estimate.high))
        limit = wording.limit_sentence(threshold.kind, float(threshold.limit), estimate.low, estimate.high, verdict)
        sentence = f"Of the true-positive and the false-positive rate, the one that differs more counts. {limit}"
        found.append(_finding(features, odds, threshold, verdict, sentence))
    if odds.too_few or estimate is None:
        few = [group for group in groups if group.name in odds.too_few] or list(groups)
        rows = {group.name: min(group.rates[name].base_rows for name in EQUALIZED_ODDS_PARTS) for group in few}
        small = [(wording.group_phrase(features, name), count) for name, count in rows.items()]
        people = f"{rules.wording.people} of either outcome"
        sentence = wording.too_few_sentence(people, rules.minimum_rows, small)
        found.append(_finding(features, odds, threshold, Verdict.TOO_FEW, sentence))
    return found


def _where(features: tuple[str, ...], name: GroupName) -> str:
    return f"where {wording.group_phrase(features, name)}"
