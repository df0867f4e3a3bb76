"""The result of an assessment: what was measured, how, and what it says. Plain values, written as JSON.

Measured numbers are JSON numbers of 12 significant digits; limits are decimal strings, as they were set.
Rates, differences and ratios are fractions from 0 to 1, never percentages.
`assessment.schema.json` beside this module describes the JSON.
"""

from typing import TYPE_CHECKING, Final, Literal

import msgspec

from fairness.errors import SourceError
from fairness.roles import ColumnRoles
from fairness.source import Source
from fairness.thresholds import Comparison, Threshold, Verdict
from fairness.wording import Wording

if TYPE_CHECKING:
    import pandas as pd

FORMAT: Final = "acta-fairness-assessment/1"

GroupName = tuple[str, ...]
"""One label for each feature of the set, in the same order."""


class Estimate(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A value and the bounds of its interval; `value` is None where it is 0 / 0."""

    value: float | None
    low: float
    high: float


class Rate(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One metric in one group, or over all rows.

    `base_rows`: the rows it is a share of. `rate`, `low`, `high`: None where there are none. `enough`: at least the
    minimum of rows, so that the group is compared. `verdict`: None where no limit judges it.
    """

    base_rows: int
    rate: float | None
    low: float | None
    high: float | None
    enough: bool
    verdict: Verdict | None = None


class Group(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A group, its rows, and its rates by metric."""

    name: GroupName
    rows: int
    rates: dict[str, Rate]


class Disparity(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How far apart the groups of one set of features lie in one metric.

    Only groups with enough rows are compared (`compared` of them); `too_few` names the others.
    `difference`: highest less lowest. `ratio`: lowest over highest. `excess`: how far the worst-off group lies
    beyond the overall rate. Each is None where fewer groups remain than it needs.
    `worst`: the group that the metric's harmful direction singles out.
    """

    metric: str
    criterion: str
    compared: int
    difference: Estimate | None
    ratio: Estimate | None
    excess: Estimate | None
    highest: GroupName | None
    lowest: GroupName | None
    worst: GroupName | None
    too_few: tuple[GroupName, ...]


class FeatureSet(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One sensitive feature, or several intersected: only combinations that occur in the data."""

    features: tuple[str, ...]
    groups: tuple[Group, ...]
    disparities: tuple[Disparity, ...]


class Finding(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one limit says about one set of features, with a sentence for people."""

    metric: str
    features: tuple[str, ...]
    kind: Comparison
    limit: str
    verdict: Verdict
    estimate: Estimate | None
    worst: GroupName | None
    too_few: tuple[GroupName, ...]
    sentence: str


class Methods(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How intervals were made; see `fairness.intervals` for the sources."""

    group_interval: str = "Wilson score; Bonferroni over all groups of the metric with as many features"
    difference_interval: str = "Newcombe hybrid score; Bonferroni over all pairs of groups; conservative"
    ratio_interval: str = "Wilson score, extremes of the rectangle; Bonferroni over all groups; conservative"
    excess_interval: str = "Group interval less the overall rate, which is a fixed benchmark"
    weighted_size: str = "Kish effective rows"


class Assessment(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Fairlearn's numbers for one set of predictions, their uncertainty, and a verdict.

    `overall`: each metric over all rows. `performance`: accuracy, balanced accuracy, precision, recall, f1, base
    rate and selection rate over all rows; with a score also `roc_auc` and, for probabilities, `brier`.
    `missing_rows`: rows without a value, by sensitive feature; they are the group "missing".
    """

    format: Literal["acta-fairness-assessment/1"] = FORMAT
    verdict: Verdict
    source: Source
    roles: ColumnRoles
    bands: dict[str, tuple[float, ...]]
    thresholds: dict[str, Threshold]
    confidence: float
    minimum_rows: int
    intersections: int
    wording: Wording
    methods: Methods
    versions: dict[str, str]
    performance: dict[str, float]
    missing_rows: dict[str, int]
    overall: dict[str, Rate]
    feature_sets: tuple[FeatureSet, ...]
    findings: tuple[Finding, ...]

    def of_order(self, order: int) -> tuple[FeatureSet, ...]:
        """The sets that intersect exactly `order` features; 1 is the features by themselves."""
        return tuple(each for each in self.feature_sets if len(each.features) == order)

    def to_json(self) -> str:
        """The assessment as JSON, in a fixed order of members."""
        return msgspec.json.encode(self, order="deterministic").decode()

    def to_frame(self) -> "pd.DataFrame":
        """One row per set of features, group and metric; rates as fractions."""
        import pandas as pd

        rows = [
            (
                " × ".join(each.features),
                " × ".join(group.name),
                metric,
                group.rows,
                rate.base_rows,
                rate.rate,
                rate.low,
                rate.high,
                rate.enough,
                rate.verdict.value if rate.verdict else None,
            )
            for each in self.feature_sets
            for group in each.groups
            for metric, rate in group.rates.items()
        ]
        names = ["features", "group", "metric", "rows", "base_rows", "rate", "low", "high", "enough", "verdict"]
        return pd.DataFrame(rows, columns=names)

    def _repr_html_(self) -> str:
        """What a notebook shows."""
        from fairness.notebook import page

        return page(self)


def from_json(text: str | bytes) -> Assessment:
    """An assessment as `to_json` wrote it.

    Raises:
        SourceError: not JSON, or not this format; names the member at fault.
    """
    try:
        return msgspec.json.decode(text, type=Assessment)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise SourceError(
            "assessment", str(text[:40]), f"it is not an assessment ({error}).", f"Give JSON of format {FORMAT}."
        ) from None


def json_schema() -> str:
    """The JSON Schema (draft 2020-12) of what `to_json` writes, as the file beside this module holds it."""
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Fairness assessment",
        **msgspec.json.schema(Assessment),
    }
    return msgspec.json.format(msgspec.json.encode(schema, order="deterministic"), indent=2).decode() + "\n"
