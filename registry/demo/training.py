"""Trains the tour's model: compares candidates, chooses a threshold, evaluates once, logs everything to MLflow.

The hold-out rows are looked at once, after candidate and threshold are chosen on the training rows alone.
Same data, same packages: same model, same numbers.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from registry.demo import dataset
from registry.demo.dataset import LABEL, MODEL_INPUTS, SEED, DataFacts, Part, SplitFacts
from registry.demo.run_log import Classifier, Logged, log_run

if TYPE_CHECKING:
    from numpy import float64, int64
    from numpy.typing import NDArray
    from pandas import DataFrame

Report = Callable[[str], None]
FOLDS = 5
SENSITIVE_COLUMNS = ("sex", "education", "marriage", "age")
"""What the version declares sensitive: an assessment must compare the groups of each, and of their intersections."""
THRESHOLD_RULE = (
    "the score at which recall minus false positive rate (Youden's J) is greatest over the out-of-fold "
    "scores of the training rows, rounded to four decimals"
)
SELECTION_RULE = "the greatest mean ROC AUC over the folds"


@dataclass(frozen=True, slots=True)
class Candidate:
    """One kind of model and how it did in cross-validation: mean and standard deviation over the folds, 0 to 1."""

    name: str
    description: str
    roc_auc_mean: float
    roc_auc_deviation: float
    average_precision_mean: float
    average_precision_deviation: float
    brier_mean: float


@dataclass(frozen=True, slots=True)
class Confusion:
    """Hold-out rows by truth and decision; positive is a default."""

    true_negatives: int
    false_positives: int
    false_negatives: int
    true_positives: int


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The chosen model on the hold-out rows. Every figure lies between 0 and 1."""

    roc_auc: float
    average_precision: float
    brier: float
    accuracy: float
    balanced_accuracy: float
    precision: float
    recall: float
    f1: float
    selection_rate: float
    """Share of clients for whom a default is predicted."""
    confusion: Confusion
    score_quantiles: tuple[float, float, float, float, float]
    """Least, lower quartile, median, upper quartile and greatest score."""

    def metrics(self) -> dict[str, float]:
        """The figures under the names that MLflow gets."""
        names = ("roc_auc", "average_precision", "brier", "accuracy", "balanced_accuracy", "precision", "recall", "f1")
        return {f"holdout_{name}": float(getattr(self, name)) for name in (*names, "selection_rate")}


@dataclass(frozen=True, slots=True)
class TrainingOutcome:
    """Everything the documents, the registration and the assessment of the tour need."""

    data: DataFacts
    split: SplitFacts
    training: Part
    holdout: Part
    predictions: Path
    """Hold-out columns, `prediction` (1: default) and `score` (probability of default), as Parquet."""
    predictions_sha256: str
    candidates: tuple[Candidate, ...]
    chosen: Candidate
    folds: int
    seed: int
    threshold: float
    evaluation: Evaluation
    repeatable: bool
    """A second fit with the same seed gave exactly the same hold-out scores."""
    logged: Logged


@dataclass(frozen=True, slots=True)
class _Tried:
    candidate: Candidate
    scores: "NDArray[float64]"
    """Out-of-fold scores of the training rows."""


def tracking_uri_in(directory: Path) -> str:
    """An SQLite tracking store in a directory. MLflow no longer writes its folder store without being forced to."""
    return f"sqlite:///{directory.resolve() / 'mlflow.db'}"


def train(
    directory: Path, tracking_uri: str, experiment: str, report: Report, rows: int | None = None
) -> TrainingOutcome:
    """Train, evaluate and log; files go to `directory/data` and `directory/artifacts`.

    `report` hears one sentence per step. `rows` trains on a fixed sample of so many rows.
    """
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # it ships no types

    directory = directory.resolve()
    data_directory = directory / "data"
    data_directory.mkdir(parents=True, exist_ok=True)

    report("Reading and dividing the data")
    frame = dataset.read(rows)
    training, holdout = dataset.divide(frame)
    training_part = dataset.write_part(training, data_directory / "training.parquet")
    holdout_part = dataset.write_part(holdout, data_directory / "holdout.parquet")
    labels = training[LABEL].to_numpy()
    inputs, holdout_inputs = _inputs(training), _inputs(holdout)

    # One thread: the sums, and so the numbers, do not depend on how many cores a machine has, and two threads
    # that wait for each other on a busy machine were seen to take twenty times as long as one.
    with threadpool_limits(1):
        tried = []
        for name, (description, build) in _candidates().items():
            report(f"Cross-validating {name} on {len(training):,} rows")
            tried.append(_cross_validate(name, description, build, inputs, labels))
        best = max(tried, key=lambda one: one.candidate.roc_auc_mean)
        threshold = _youden_threshold(labels, best.scores)

        report(f"Fitting {best.candidate.name}, evaluating on {len(holdout):,} rows")
        build = _candidates()[best.candidate.name][1]
        model = _with_threshold(build().fit(inputs, labels), threshold, inputs, labels)
        scores = model.predict_proba(holdout_inputs)[:, 1]
        decisions = model.predict(holdout_inputs)
        again = build().fit(inputs, labels).predict_proba(holdout_inputs)[:, 1]
        predicted = holdout.assign(prediction=decisions.astype("int8"), score=scores)
        predictions = dataset.write_part(predicted, data_directory / "holdout-predictions.parquet")
        evaluation = _evaluate(holdout[LABEL].to_numpy(), decisions, scores)

    report("Logging data, parameters, metrics and model to MLflow")
    logged = log_run(
        directory=directory,
        tracking_uri=tracking_uri,
        experiment=experiment,
        model=model,
        example=holdout_inputs.head(3),
        parameters={
            "candidate": best.candidate.name,
            "threshold": threshold,
            "folds": FOLDS,
            "seed": SEED,
            "selection_rule": SELECTION_RULE,
            "threshold_rule": THRESHOLD_RULE,
            "inputs": len(MODEL_INPUTS),
            "sensitive_features": ",".join(SENSITIVE_COLUMNS),
        },
        metrics=evaluation.metrics() | _cross_validation_metrics(tried),
        parts={"training": (training, training_part), "test": (holdout, holdout_part)},
    )
    return TrainingOutcome(
        data=dataset.describe(frame),
        split=dataset.compare(training, holdout),
        training=training_part,
        holdout=holdout_part,
        predictions=predictions.path,
        predictions_sha256=predictions.sha256,
        candidates=tuple(one.candidate for one in tried),
        chosen=best.candidate,
        folds=FOLDS,
        seed=SEED,
        threshold=threshold,
        evaluation=evaluation,
        repeatable=bool((scores == again).all()),
        logged=logged,
    )


def _inputs(frame: "DataFrame") -> "DataFrame":
    # As floating point, because a value that is never missing here may be missing in production.
    return frame[list(MODEL_INPUTS)].astype("float64")


def _candidates() -> dict[str, tuple[str, Callable[[], Classifier]]]:
    from sklearn.dummy import DummyClassifier
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return {
        "prior": ("the share of defaults for everybody: what a model must beat", DummyClassifier),
        "logistic-regression": (
            "standardised inputs, L2 penalty, C = 1",
            lambda: make_pipeline(StandardScaler(), LogisticRegression(max_iter=500, random_state=SEED)),
        ),
        "gradient-boosting": (
            "histogram gradient boosting, 100 trees of at most 15 leaves, learning rate 0.08",
            lambda: HistGradientBoostingClassifier(
                learning_rate=0.08, max_iter=100, max_leaf_nodes=15, min_samples_leaf=50, random_state=SEED
            ),
        ),
    }


def _cross_validate(
    name: str,
    description: str,
    build: Callable[[], Classifier],
    inputs: "DataFrame",
    labels: "NDArray[int64]",
) -> _Tried:
    import numpy
    from sklearn.metrics import average_precision_score, brier_score_loss, roc_auc_score
    from sklearn.model_selection import StratifiedKFold

    scores = numpy.zeros(len(labels))
    figures = []
    for fitted_on, left_out in StratifiedKFold(FOLDS, shuffle=True, random_state=SEED).split(inputs, labels):
        model = build().fit(inputs.iloc[fitted_on], labels[fitted_on])
        fold_scores = model.predict_proba(inputs.iloc[left_out])[:, 1]
        scores[left_out] = fold_scores
        truth = labels[left_out]
        figures.append(
            (
                roc_auc_score(truth, fold_scores),
                average_precision_score(truth, fold_scores),
                brier_score_loss(truth, fold_scores),
            )
        )
    means, deviations = numpy.mean(figures, axis=0), numpy.std(figures, axis=0)
    candidate = Candidate(
        name=name,
        description=description,
        roc_auc_mean=float(means[0]),
        roc_auc_deviation=float(deviations[0]),
        average_precision_mean=float(means[1]),
        average_precision_deviation=float(deviations[1]),
        brier_mean=float(means[2]),
    )
    return _Tried(candidate, scores)


def _youden_threshold(labels: "NDArray[int64]", scores: "NDArray[float64]") -> float:
    from sklearn.metrics import roc_curve

    false_positive_rates, recalls, thresholds = roc_curve(labels, scores)
    return round(float(thresholds[(recalls - false_positive_rates).argmax()]), 4)


def _with_threshold(fitted: Classifier, threshold: float, inputs: "DataFrame", labels: "NDArray[int64]") -> Classifier:
    """The fitted model, deciding at `threshold`: the threshold is then part of the logged bytes."""
    from sklearn.frozen import FrozenEstimator
    from sklearn.model_selection import FixedThresholdClassifier

    model: Classifier = FixedThresholdClassifier(
        FrozenEstimator(fitted), threshold=threshold, response_method="predict_proba"
    )
    return model.fit(inputs, labels)


def _evaluate(truth: "NDArray[int64]", decisions: "NDArray[int64]", scores: "NDArray[float64]") -> Evaluation:
    import numpy
    from sklearn import metrics

    negatives, false_positives, false_negatives, positives = metrics.confusion_matrix(truth, decisions).ravel()
    least, lower, median, upper, greatest = (float(value) for value in numpy.quantile(scores, [0, 0.25, 0.5, 0.75, 1]))
    return Evaluation(
        roc_auc=float(metrics.roc_auc_score(truth, scores)),
        average_precision=float(metrics.average_precision_score(truth, scores)),
        brier=float(metrics.brier_score_loss(truth, scores)),
        accuracy=float(metrics.accuracy_score(truth, decisions)),
        balanced_accuracy=float(metrics.balanced_accuracy_score(truth, decisions)),
        precision=float(metrics.precision_score(truth, decisions)),
        recall=float(metrics.recall_score(truth, decisions)),
        f1=float(metrics.f1_score(truth, decisions)),
        selection_rate=float(decisions.mean()),
        confusion=Confusion(int(negatives), int(false_positives), int(false_negatives), int(positives)),
        score_quantiles=(least, lower, median, upper, greatest),
    )


def _cross_validation_metrics(tried: list[_Tried]) -> dict[str, float]:
    named = {one.candidate.name.replace("-", "_"): one.candidate for one in tried}
    return {f"cv_roc_auc_{name}": candidate.roc_auc_mean for name, candidate in named.items()} | {
        f"cv_average_precision_{name}": candidate.average_precision_mean for name, candidate in named.items()
    }
