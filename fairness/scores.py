"""How well scores rank: area under the ROC curve and Brier score, from one query."""

from math import isfinite
from typing import NamedTuple

from fairness.errors import ColumnTypeError, ScoreError
from fairness.roles import Label
from fairness.source import Scan, quoted, unreadable

_NUMBERS = frozenset("TINYINT SMALLINT INTEGER BIGINT UTINYINT USMALLINT UINTEGER UBIGINT FLOAT DOUBLE".split())


class ScoreQuality(NamedTuple):
    """`roc_auc`: from 0 to 1, ties counting half. `brier`: None unless all scores lie from 0 to 1."""

    roc_auc: float
    brier: float | None


def score_quality(scan: Scan, score: str, outcome: str, positive: Label, weight: str | None) -> ScoreQuality:
    """Rank the scores of both classes against each other (Mann-Whitney).

    Equal to scikit-learn's `roc_auc_score` and `brier_score_loss`. Groups rows by score: needs memory for the
    distinct scores, within the database's limit.

    Raises:
        ColumnTypeError: the score is not a number.
        ScoreError: rows without a finite score, or more distinct scores than the memory limit holds.
    """
    import duckdb

    kind = next(column.type for column in scan.columns if column.name == score).split("(", 1)[0]
    if kind not in _NUMBERS and kind != "DECIMAL":
        raise ColumnTypeError("score", score, f"it holds {kind}.", "Scores are numbers.")
    value = f"CAST({quoted(score)} AS DOUBLE)"
    weighed = f"CAST({quoted(weight)} AS DOUBLE)" if weight is not None else "1.0"
    # The positive class enters as a parameter; booleans are compared as the numbers that the counts hold.
    label = f"CAST({quoted(outcome)} AS {'VARCHAR' if isinstance(positive, str) else 'DOUBLE'})"
    query = f"""
        WITH counted AS (
            SELECT {value} AS s, {label} = ? AS y, fsum({weighed}) AS w, count(*) AS n FROM {scan.relation} GROUP BY ALL
        ), ranked AS (
            SELECT s, sum(n) AS n, coalesce(fsum(w) FILTER (y), 0) AS pos, coalesce(fsum(w) FILTER (NOT y), 0) AS neg
            FROM counted GROUP BY s
        ), below AS (
            SELECT *, sum(neg) OVER (ORDER BY s ROWS UNBOUNDED PRECEDING) - neg AS lower FROM ranked
        )
        SELECT sum(n) FILTER (s IS NULL OR NOT isfinite(s)), fsum(pos * (lower + neg / 2)), fsum(pos), fsum(neg),
               fsum(pos * (1 - s) * (1 - s) + neg * s * s), min(s), max(s)
        FROM below
    """  # noqa: S608  # columns are quoted names that exist in the data; values are parameters
    try:
        found = scan.connection.execute(query, [positive, *scan.parameters]).fetchall()[0]
    except duckdb.OutOfMemoryException:
        raise ScoreError(
            "score", score, "it has too many distinct values for the memory limit.", "Round the scores to 6 digits."
        ) from None
    except duckdb.Error as error:
        raise unreadable("the data", error) from None
    if found[0]:
        raise ScoreError("score", score, f"{int(found[0]):,} rows have no finite score.", "Give each row a score.")
    above, positives, negatives, squares, least, most = (float(number) for number in found[1:])
    area = above / (positives * negatives)
    brier = squares / (positives + negatives) if least >= 0 and most <= 1 else None
    return ScoreQuality(area if isfinite(area) else float("nan"), brier)
