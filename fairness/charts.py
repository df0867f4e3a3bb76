"""The table is the chart: one SVG beside the numbers of each group, with interval, point and limit.

A chart is a value that a template prints: texts, and SVG as markup of our own that holds no text of the data.
For the web it is drawn in percentages with classes only, so that the page's stylesheet and a strict
Content-Security-Policy rule; for print in points with colours written out.
"""

from enum import StrEnum
from math import ceil, floor
from typing import NamedTuple

from fairness.assessment import Assessment, FeatureSet, Rate
from fairness.drawing import Label, Marks, Theme, axis_svg, head_svg, row_svg
from fairness.errors import SettingError
from fairness.metrics import METRICS, Base, Metric
from fairness.thresholds import Comparison, Harm, Threshold, Verdict

__all__ = ["Band", "ChartRow", "ChartTable", "State", "Theme", "chart_table"]


class State(StrEnum):
    """The class that the stylesheets give a verdict; empty where nothing was judged."""

    PASSED = "passed"
    FAILED = "failed"
    UNSURE = "unsure"
    OPEN = "open"
    NONE = ""


_STATES = {
    Verdict.PASS: State.PASSED,
    Verdict.FAIL: State.FAILED,
    Verdict.INCONCLUSIVE: State.UNSURE,
    Verdict.TOO_FEW: State.OPEN,
    None: State.NONE,
}


class ChartRow(NamedTuple):
    """One group. `base`: rows that the rate is a share of; rates are fractions; texts are ready to print."""

    label: str
    base: int
    rate: float | None
    low: float | None
    high: float | None
    verdict: Verdict | None
    svg: str

    @property
    def state(self) -> State:
        return _STATES[self.verdict]

    @property
    def base_text(self) -> str:
        return grouped(self.base)

    @property
    def rate_text(self) -> str:
        return "–" if self.rate is None else percent(self.rate)

    @property
    def interval_text(self) -> str:
        return "–" if self.low is None or self.high is None else f"{self.low * 100:.1f} to {self.high * 100:.1f}"


class Band(NamedTuple):
    """The groups of one set of features. `limit_text`: where its limit lies, if it has one of its own."""

    title: str
    limit_text: str | None
    rows: tuple[ChartRow, ...]


class ChartTable(NamedTuple):
    """A table with a drawn column. `head_svg` stands in that column's head, `axis_svg` below its last row."""

    metric: str
    caption: str
    base_title: str
    head_svg: str
    axis_svg: str
    bands: tuple[Band, ...]


class _Scale(NamedTuple):
    low: float
    high: float
    step: float

    def place(self, rate: float) -> float:
        """From 0 to 1 across the drawing; what lies outside is drawn at its edge."""
        return min(1.0, max(0.0, (rate - self.low) / (self.high - self.low)))


def grouped(number: int) -> str:
    """A count with a narrow no-break space between thousands."""
    return f"{number:,}".replace(",", "\u202f")


def percent(rate: float) -> str:
    """A fraction as a percentage of one decimal, with a narrow no-break space."""
    return f"{rate * 100:.1f}\u202f%"


def chart_table(assessment: Assessment, metric: str, *, order: int = 1, theme: Theme = Theme.WEB) -> ChartTable:
    """The chart of one metric over all features, or over all intersections of `order` features.

    Raises:
        SettingError: no such metric.
    """
    if metric not in METRICS:
        raise SettingError("metric", metric, "there is no chart of it.", f"Name one of {', '.join(METRICS)}.")
    described = METRICS[metric]
    sets = assessment.of_order(order)
    threshold = assessment.thresholds.get(metric)
    if threshold is not None and not threshold.judges(order):
        threshold = None
    harm = (threshold.harm if threshold else None) or described.harm
    overall = assessment.overall[metric].rate or 0.0
    limits = [_limits(each, metric, threshold, harm, overall) for each in sets]
    common = limits[0] if limits and threshold and threshold.kind is Comparison.EXCESS else ()
    scale = _scale(sets, metric, overall, [limit for each in limits for limit in each], common, harm)
    bands = []
    for each, own in zip(sets, limits, strict=True):
        rows = [_row(" × ".join(group.name), group.rates[metric], scale, overall, own, theme) for group in each.groups]
        bands.append(Band(_title(each.features), None if common else _limit_text(own), tuple(rows)))
    labels = _head_labels(scale, overall, common)
    ticks = [scale.low + index * scale.step for index in range(round((scale.high - scale.low) / scale.step) + 1)]
    return ChartTable(
        metric=metric,
        caption=_caption(assessment, described, sum(len(each.groups) for each in sets), common, threshold),
        base_title=_base_title(assessment, described),
        head_svg=head_svg(labels, theme),
        axis_svg=axis_svg([(scale.place(tick), f"{tick * 100:g}") for tick in ticks], theme),
        bands=tuple(bands),
    )


def _limits(
    each: FeatureSet, metric: str, threshold: Threshold | None, harm: Harm, overall: float
) -> tuple[float, ...]:
    """Where the limit lies among the rates of one set of features: one line, or one on either side."""
    rates = [
        rate.rate for rate in (group.rates[metric] for group in each.groups) if rate.enough and rate.rate is not None
    ]
    if threshold is None or (threshold.kind is not Comparison.EXCESS and len(rates) < 2):
        return ()
    limit = float(threshold.limit)
    if threshold.kind is Comparison.EXCESS:
        upper, lower = overall + limit, overall - limit
    elif threshold.kind is Comparison.DIFFERENCE:
        upper, lower = min(rates) + limit, max(rates) - limit
    else:
        upper, lower = (min(rates) / limit if limit > 0 else 1.0), max(rates) * limit
    chosen = {Harm.HIGHER: (upper,), Harm.LOWER: (lower,), Harm.EITHER: (lower, upper)}[harm]
    return tuple(each for each in chosen if 0 <= each <= 1)


def _scale(
    sets: tuple[FeatureSet, ...],
    metric: str,
    overall: float,
    limits: list[float],
    common: tuple[float, ...],
    harm: Harm,
) -> _Scale:
    """A range with round ends that holds every compared interval; wider ones are cut at the edge."""
    rates = [group.rates[metric] for each in sets for group in each.groups]
    values = [overall, *limits, *(rate.rate for rate in rates if rate.rate is not None)]
    values += [end for rate in rates if rate.enough for end in (rate.low, rate.high) if end is not None]
    low, high = min(values), max(values)
    if low < (high - low):  # a scale from 0 where it costs less than half of the width
        low = 0.0
    # Room for the words "limit 13.2 %" beside a line that all bands share.
    if common and harm is Harm.HIGHER:
        high = max(high, low + (common[0] - low) / 0.66)
    if common and harm is Harm.LOWER:
        low = min(low, high - (high - common[0]) / 0.66)
    low, high = max(low, 0.0), min(high, 1.0)
    step = next((step for step in (0.01, 0.02, 0.05, 0.1, 0.2) if (high - low) / step <= 6), 0.25)
    low, high = floor(low / step + 1e-9) * step, ceil(high / step - 1e-9) * step
    if high - low < step:  # one and the same rate everywhere
        low, high = (low, low + step) if low + step <= 1 else (low - step, low)
    return _Scale(max(low, 0.0), min(high, 1.0), step)


def _row(label: str, rate: Rate, scale: _Scale, overall: float, limits: tuple[float, ...], theme: Theme) -> ChartRow:
    verdict = rate.verdict if rate.verdict is not None or rate.enough else Verdict.TOO_FEW
    marks = Marks(
        reference=scale.place(overall),
        limits=tuple(scale.place(limit) for limit in limits),
        low=None if rate.low is None else scale.place(rate.low),
        high=None if rate.high is None else scale.place(rate.high),
        point=None if rate.rate is None else scale.place(rate.rate),
        few=not rate.enough,
        state=_STATES[verdict].value,
    )
    return ChartRow(label, rate.base_rows, rate.rate, rate.low, rate.high, verdict, row_svg(marks, theme))


def _head_labels(scale: _Scale, overall: float, common: tuple[float, ...]) -> list[Label]:
    """Words above the lines, placed so that they neither overlap nor leave the drawing."""
    place, room = scale.place(overall), 0.3
    words = f"all {percent(overall)}"
    if len(common) != 1:
        return [Label(max(place, room), "end", words, limit=False)]
    limit, limit_words = scale.place(common[0]), f"limit {percent(common[0])}"
    if common[0] >= overall:
        return [
            Label(max(place, room), "end", words, limit=False),
            Label(min(max(limit, room), 1 - room), "start", limit_words, limit=True),
        ]
    return [
        Label(max(min(limit, 1 - room), room), "end", limit_words, limit=True),
        Label(min(place, 1 - room), "start", words, limit=False),
    ]


def _caption(
    assessment: Assessment, metric: Metric, groups: int, common: tuple[float, ...], threshold: Threshold | None
) -> str:
    wording = assessment.wording
    event, base = wording.event(metric.name), wording.base(metric.name)
    caption = (
        f"{event[:1].upper()}{event[1:]} among {base} ({metric.title}), {grouped(assessment.source.rows)} "
        f"{wording.people}, {assessment.confidence * 100:g}\u202f% intervals corrected for {groups} groups"
    )
    if len(common) == 2:
        caption += f"; limits {percent(common[0])} and {percent(common[1])}"
    if threshold is not None and threshold.kind is not Comparison.EXCESS:
        caption += "; verdicts rest on the intervals between groups"
    return caption


def _base_title(assessment: Assessment, metric: Metric) -> str:
    wording = assessment.wording
    phrase = {
        Base.ALL: wording.people,
        Base.OUTCOME_POSITIVE: wording.outcome_positive,
        Base.OUTCOME_NEGATIVE: wording.outcome_negative,
        Base.PREDICTION_POSITIVE: wording.predicted_positive,
    }[metric.base]
    short = phrase.removeprefix("who ").removeprefix("with a ")
    return short[:1].upper() + short[1:]


def _title(features: tuple[str, ...]) -> str:
    title = " × ".join(feature.replace("_", " ") for feature in features)
    return title[:1].upper() + title[1:]


def _limit_text(limits: tuple[float, ...]) -> str | None:
    if not limits:
        return None
    return ("limit " if len(limits) == 1 else "limits ") + " and ".join(percent(limit) for limit in limits)
