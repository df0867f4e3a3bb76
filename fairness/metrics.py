"""Fairlearn's metrics, by group, on a contingency table.

One `MetricFrame` per set of features, with `sample_weight`: its numbers are Fairlearn's over the counted rows.
Differences and ratios are taken from that frame afterwards, since each further Fairlearn call costs as much as
the frame itself.
"""

from collections.abc import Callable, Sequence
from enum import StrEnum
from itertools import combinations
from typing import TYPE_CHECKING, NamedTuple

from fairness.thresholds import Harm

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from fairness.cells import Cells


class Base(StrEnum):
    """The rows that a rate is a share of."""

    ALL = "all"
    OUTCOME_POSITIVE = "outcome positive"
    OUTCOME_NEGATIVE = "outcome negative"
    PREDICTION_POSITIVE = "prediction positive"


class Metric(NamedTuple):
    """A rate from 0 to 1. `criterion`: the fairness criterion that asks for it to be equal in all groups."""

    name: str
    title: str
    criterion: str
    base: Base
    harm: Harm


METRICS = {
    metric.name: metric
    for metric in (
        Metric("selection_rate", "selection rate", "demographic parity", Base.ALL, Harm.EITHER),
        Metric("accuracy", "accuracy", "accuracy equality", Base.ALL, Harm.LOWER),
        Metric("true_positive_rate", "true-positive rate", "equal opportunity", Base.OUTCOME_POSITIVE, Harm.LOWER),
        Metric("false_positive_rate", "false-positive rate", "predictive equality", Base.OUTCOME_NEGATIVE, Harm.HIGHER),
        Metric(
            "false_negative_rate",
            "false-negative rate",
            "false-negative rate balance",
            Base.OUTCOME_POSITIVE,
            Harm.HIGHER,
        ),
        Metric("precision", "precision", "predictive parity", Base.PREDICTION_POSITIVE, Harm.LOWER),
    )
}

EQUALIZED_ODDS = "equalized_odds"
"""Not a rate: the larger of the disparities in true-positive and false-positive rate."""

EQUALIZED_ODDS_PARTS = ("true_positive_rate", "false_positive_rate")


class GroupRate(NamedTuple):
    """A rate in one group: `rate` is None where the base has no weight. `size`: effective rows of the base."""

    rate: float | None
    base_rows: int
    size: float


class MeasuredGroup(NamedTuple):
    """`codes`: the group's index in each feature of its set. `rates`: by metric name."""

    codes: tuple[int, ...]
    rows: int
    rates: dict[str, GroupRate]


class MeasuredFrame(NamedTuple):
    """Fairlearn's `MetricFrame` of one set of features: only combinations that occur in the data."""

    features: tuple[int, ...]
    groups: tuple[MeasuredGroup, ...]


def feature_sets(features: int, order: int) -> tuple[tuple[int, ...], ...]:
    """Indices of every set of 1 to `order` of so many features, single ones first."""
    sizes = range(1, min(order, features) + 1)
    return tuple(chosen for size in sizes for chosen in combinations(range(features), size))


def measure(cells: "Cells", features: tuple[int, ...]) -> MeasuredFrame:
    """All metrics in each group that these features cut; `()` measures the whole."""
    import numpy as np

    keys = np.stack([cells.codes[index] for index in features], axis=1) if features else np.zeros((len(cells.rows), 1))
    groups, group = np.unique(keys.astype(np.int64), axis=0, return_inverse=True)
    group = group.reshape(-1)
    values = _by_group(cells, group)
    bases = _bases(cells)
    rows = np.bincount(group, weights=cells.rows, minlength=len(groups))
    measured = []
    for index in range(len(groups)):
        rates: dict[str, GroupRate] = {}
        for name, metric in METRICS.items():
            chosen = bases[metric.base] & (group == index)
            weight, squared = float(cells.weight[chosen].sum()), float(cells.weight_squared[chosen].sum())
            rates[name] = GroupRate(
                rate=float(values[name][index]) if weight > 0 else None,
                base_rows=int(cells.rows[chosen].sum()),
                size=weight * weight / squared if squared > 0 else 0.0,
            )
        codes = tuple(int(code) for code in groups[index]) if features else ()
        measured.append(MeasuredGroup(codes, int(rows[index]), rates))
    return MeasuredFrame(features, tuple(measured))


def _bases(cells: "Cells") -> "dict[Base, NDArray[np.bool_]]":
    return {
        Base.ALL: cells.outcome >= 0,
        Base.OUTCOME_POSITIVE: cells.outcome == 1,
        Base.OUTCOME_NEGATIVE: cells.outcome == 0,
        Base.PREDICTION_POSITIVE: cells.prediction == 1,
    }


def _fairlearn_functions() -> dict[str, Callable[..., float]]:
    from fairlearn.metrics import (
        false_negative_rate,
        false_positive_rate,
        selection_rate,
        true_positive_rate,
    )
    from sklearn.metrics import accuracy_score, precision_score

    def precision(y_true: object, y_pred: object, *, sample_weight: object) -> float:
        return float(precision_score(y_true, y_pred, sample_weight=sample_weight, zero_division=0.0))

    return {
        "selection_rate": selection_rate,
        "accuracy": accuracy_score,
        "true_positive_rate": true_positive_rate,
        "false_positive_rate": false_positive_rate,
        "false_negative_rate": false_negative_rate,
        "precision": precision,
    }


def _by_group(cells: "Cells", group: "NDArray[np.int64]") -> "dict[str, Sequence[float]]":
    """Each metric by group, in the order of the group's index. Equal to Fairlearn's over the counted rows."""
    import numpy as np
    from fairlearn.metrics import MetricFrame
    from sklearn import config_context

    functions = _fairlearn_functions()
    # Cells that agree in group, outcome and prediction are one row to every metric here: fewer rows, same sums.
    key = (group * 2 + cells.outcome) * 2 + cells.prediction
    joined, place = np.unique(key, return_inverse=True)
    weight = np.bincount(place.reshape(-1), weights=cells.weight)
    # The table is our own and sound: scikit-learn need not look at it again for every group.
    with config_context(skip_parameter_validation=True, assume_finite=True):
        frame = MetricFrame(
            metrics=functions,
            y_true=joined // 2 % 2,
            y_pred=joined % 2,
            sensitive_features=joined // 4,
            sample_params={name: {"sample_weight": weight} for name in functions},
        )
    by_group = frame.by_group.sort_index()
    return {name: by_group[name].to_numpy(dtype=float) for name in functions}
