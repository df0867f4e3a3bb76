"""One assessment from data to verdict: check, scan once, measure with Fairlearn, judge."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from typing import TYPE_CHECKING

from fairness import cells as counting
from fairness import metrics, scores
from fairness.assessment import Assessment, FeatureSet, Finding, Methods, Rate
from fairness.errors import SettingError
from fairness.intervals import critical_value
from fairness.judge import NamedGroup, Rules, judge, rate_of, rounded
from fairness.roles import ColumnRoles, Label, check_bands
from fairness.source import ArrowStream, Data, Scan, Source, frame_columns, open_file, scan_file, scan_frame
from fairness.thresholds import Threshold, check_thresholds, summary
from fairness.wording import Wording

if TYPE_CHECKING:
    from fairness.cells import Cells
    from fairness.source import File

MINIMUM_ROWS = 100


def assess(
    data: Data,
    *,
    outcome: str,
    prediction: str,
    sensitive: Sequence[str],
    thresholds: Mapping[str, Threshold],
    score: str | None = None,
    positive: Label = 1,
    bands: Mapping[str, Sequence[float]] | None = None,
    weight: str | None = None,
    confidence: float = 0.95,
    minimum_rows: int = MINIMUM_ROWS,
    intersections: int = 2,
    wording: Wording | None = None,
) -> Assessment:
    """Assess the predictions of a binary classifier for bias.

    Args:
        data: one Parquet or CSV file (path or `file:` URI), or a frame of pandas, polars or pyarrow.
        outcome: the column of what really happened.
        prediction: the column of what the model said, with the same labels.
        sensitive: the columns whose groups are compared. Rows without a value are the group "missing".
        thresholds: limits by metric (`fairness.metrics.METRICS`, or "equalized_odds"); see `fairness.presets`.
        score: a numeric column; adds the area under the ROC curve to the performance.
        positive: the label that counts as 1.
        bands: ascending lower edges by numeric sensitive feature: `{"age": [30, 40]}` cuts three bands.
        weight: a column of sample weights.
        confidence: of all intervals of one family together, between 0.5 and 1.
        minimum_rows: a group with fewer rows in a metric's base is *too few*, and not compared.
        intersections: the largest number of features that are intersected.
        wording: how findings speak of people and decisions.

    Raises:
        FairnessError: names the field at fault, its value and the remedy.
    """
    if isinstance(sensitive, str):
        sensitive = (sensitive,)
    roles = ColumnRoles(
        outcome=outcome,
        prediction=prediction,
        sensitive=tuple(sensitive),
        positive=positive,
        score=score,
        weight=weight,
    )
    roles.check()
    edges = check_bands(bands or {}, roles.sensitive)
    limits = check_thresholds(thresholds, [*metrics.METRICS, metrics.EQUALIZED_ODDS])
    _check_settings(confidence, minimum_rows, intersections)
    rules = Rules(limits, confidence, minimum_rows, wording or Wording())

    with _scan(data, roles) as (scan, file):
        cells = counting.count(scan, roles, edges)
        quality = scores.score_quality(scan, score, outcome, cells.positive, weight) if score is not None else None
    if file is not None:
        file.check_unchanged()

    whole, overall = _overall(cells, rules)
    sets, findings = _judged(cells, overall, intersections, rules)
    performance = _performance(cells, whole)
    if quality is not None:
        performance["roc_auc"] = rounded(quality.roc_auc)
        if quality.brier is not None:
            performance["brier"] = rounded(quality.brier)
    return Assessment(
        verdict=summary(finding.verdict for finding in findings),
        source=Source(
            name=file.path.name if file else None,
            format=file.format if file else "frame",
            rows=int(cells.rows.sum()),
            size_bytes=file.stamp.size_bytes if file else None,
            sha256_hex=file.sha256_hex if file else None,
        ),
        roles=roles,
        bands=edges,
        thresholds=limits,
        confidence=confidence,
        minimum_rows=minimum_rows,
        intersections=intersections,
        wording=rules.wording,
        methods=Methods(),
        versions={"fairness": version("acta-registry"), "fairlearn": version("fairlearn"), "duckdb": version("duckdb")},
        performance=performance,
        missing_rows={feature.name: feature.missing_rows for feature in cells.features if feature.missing_rows},
        overall=overall,
        feature_sets=sets,
        findings=findings,
    )


def _check_settings(confidence: float, minimum_rows: int, intersections: int) -> None:
    if not 0.5 <= confidence < 1:
        raise SettingError("confidence", confidence, "it lies between 0.5 and 1.", "Write 95 % as 0.95.")
    if minimum_rows < 1:
        raise SettingError("minimum_rows", minimum_rows, "a group has at least one row.", "Give 1 or more.")
    if intersections < 1:
        raise SettingError("intersections", intersections, "one feature is the least.", "Give 1 or more.")


@contextmanager
def _scan(data: Data, roles: ColumnRoles) -> "Iterator[tuple[Scan, File | None]]":
    """The data, opened where only they can be read; the roles' columns are there."""
    if isinstance(data, str | os.PathLike):
        file = open_file(data)
        with scan_file(file) as scan:
            roles.check_present([column.name for column in scan.columns])
            yield scan, file
        return
    if not isinstance(data, ArrowStream):
        raise SettingError(
            "data", type(data).__name__, "that is neither a path nor a frame.", "Give a file, or a frame of columns."
        )
    roles.check_present(frame_columns(data))
    with scan_frame(data, [column for _, column in roles.columns()]) as scan:
        yield scan, None


def _overall(cells: "Cells", rules: Rules) -> tuple[metrics.MeasuredGroup, dict[str, Rate]]:
    whole = metrics.measure(cells, ()).groups[0]
    z = critical_value(rules.confidence, 1)
    rates = {
        name: rate_of(measured, z, enough=measured.base_rows >= rules.minimum_rows)
        for name, measured in whole.rates.items()
    }
    return whole, rates


def _judged(
    cells: "Cells", overall: Mapping[str, Rate], intersections: int, rules: Rules
) -> tuple[tuple[FeatureSet, ...], tuple[Finding, ...]]:
    frames = [metrics.measure(cells, chosen) for chosen in metrics.feature_sets(len(cells.features), intersections)]
    # Groups that are shown together, in one table per metric, share one correction.
    family: dict[int, int] = {}
    for frame in frames:
        family[len(frame.features)] = family.get(len(frame.features), 0) + len(frame.groups)
    sets: list[FeatureSet] = []
    findings: list[Finding] = []
    for frame in frames:
        features = [cells.features[index] for index in frame.features]
        groups = [
            NamedGroup(
                tuple(feature.groups[code] for feature, code in zip(features, group.codes, strict=True)),
                group.rows,
                group.rates,
            )
            for group in frame.groups
        ]
        names = tuple(feature.name for feature in features)
        judged, found = judge(names, groups, overall, family[len(names)], rules)
        sets.append(judged)
        findings += found
    return tuple(sets), tuple(findings)


def _performance(cells: "Cells", whole: metrics.MeasuredGroup) -> dict[str, float]:
    """Performance over all rows, from the same table as the fairness metrics."""
    rates = {name: measured.rate or 0.0 for name, measured in whole.rates.items()}
    recall, precision = rates["true_positive_rate"], rates["precision"]
    values = {
        "accuracy": rates["accuracy"],
        "balanced_accuracy": (recall + 1 - rates["false_positive_rate"]) / 2,
        "precision": precision,
        "recall": recall,
        "f1": 2 * precision * recall / (precision + recall) if precision + recall > 0 else 0.0,
        "selection_rate": rates["selection_rate"],
        "base_rate": float(cells.weight[cells.outcome == 1].sum() / cells.weight.sum()),
    }
    return {name: rounded(value) for name, value in values.items()}
