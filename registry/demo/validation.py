"""The tour's independent validation: its figures computed again, from the files alone and by other means.

The training measures with scikit-learn in its own process. Here DuckDB counts in SQL, over the files that the version's
lineage names.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from registry.demo.dataset import IDENTIFIER, LABEL, MODEL_INPUTS, sha256_of
from registry.demo.training import TrainingOutcome

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

TOLERANCE = 1e-9
"""Two ways to add the same floating-point numbers differ by less."""


@dataclass(frozen=True, slots=True)
class Compared:
    """A figure of the run, from 0 to 1, and the same one computed again."""

    name: str
    logged: float
    found: float

    @property
    def same(self) -> bool:
        """Whether they are equal but for the order of summation."""
        return abs(self.logged - self.found) <= TOLERANCE


@dataclass(frozen=True, slots=True)
class Validation:
    """What somebody who did not make the model found in its files."""

    rows: int
    """Rows of the hold-out predictions."""
    figures: tuple[Compared, ...]
    digests_match: bool
    """Training and hold-out files have the SHA-256 that the version's lineage names."""
    clients_in_both: int
    """Clients that are in the training and in the hold-out file."""
    changed_rows: int
    """Clients whose hold-out row and predicted row differ in an input or the outcome, or that one of them lacks."""

    @property
    def confirmed(self) -> bool:
        """Whether everything was as the run said."""
        agree = all(figure.same for figure in self.figures)
        return agree and self.digests_match and self.clients_in_both == 0 and self.changed_rows == 0


def validate(outcome: TrainingOutcome) -> Validation:
    """Compute the hold-out figures again and look for leaks between the parts."""
    import duckdb

    with duckdb.connect() as connection:
        for name, path in (
            ("training", outcome.training.path),
            ("holdout", outcome.holdout.path),
            ("predicted", outcome.predictions),
        ):
            _view(connection, name, path)
        rows, *shares = _one(connection, _FIGURES)
        (auc,) = _one(connection, _ROC_AUC)
        (shared,) = _one(connection, f"SELECT count(*) FROM holdout SEMI JOIN training USING ({IDENTIFIER})")
        compared = ", ".join((IDENTIFIER, LABEL, *MODEL_INPUTS))
        (changed,) = _one(
            connection,
            f"""SELECT count(DISTINCT {IDENTIFIER}) FROM (
                    (SELECT {compared} FROM holdout EXCEPT SELECT {compared} FROM predicted)
                    UNION ALL (SELECT {compared} FROM predicted EXCEPT SELECT {compared} FROM holdout))""",
        )
    stated = outcome.evaluation
    named = ("accuracy", "precision", "recall", "selection_rate", "brier")
    figures = [Compared(name, getattr(stated, name), found) for name, found in zip(named, shares, strict=True)]
    parts = (outcome.training, outcome.holdout)
    return Validation(
        rows=int(rows),
        figures=(Compared("roc_auc", stated.roc_auc, auc), *figures),
        digests_match=all(sha256_of(part.path) == part.sha256 for part in parts),
        clients_in_both=int(shared),
        changed_rows=int(changed),
    )


_FIGURES = f"""
    SELECT count(*),
           avg(({LABEL} = prediction)::DOUBLE),
           sum({LABEL} * prediction) / sum(prediction),
           sum({LABEL} * prediction) / sum({LABEL}),
           avg(prediction),
           avg(pow(score - {LABEL}, 2))
      FROM predicted"""

_ROC_AUC = f"""
    WITH tied AS (
        SELECT score, count(*) AS everyone, sum({LABEL}) AS defaults FROM predicted GROUP BY score
    ), ranked AS (
        SELECT defaults, everyone, sum(everyone) OVER (ORDER BY score) - (everyone - 1) / 2 AS mean_rank FROM tied
    )
    SELECT (sum(defaults * mean_rank) - sum(defaults) * (sum(defaults) + 1) / 2)
           / (sum(defaults) * (sum(everyone) - sum(defaults)))
      FROM ranked"""
"""The Mann-Whitney statistic over mean ranks, divided by the number of pairs of one default and one payer: Hanley and
McNeil, "The meaning and use of the area under a ROC curve", Radiology 143 (1982).
"""


def _view(connection: "DuckDBPyConnection", name: str, path: Path) -> None:
    connection.read_parquet(str(path)).create_view(name)


def _one(connection: "DuckDBPyConnection", query: str) -> tuple[float, ...]:
    row = connection.execute(query).fetchone()
    assert row is not None, "an aggregate always has one row"
    return tuple(float(value) for value in row)
