"""Reduces rows to a contingency table: sensitive features x outcome x prediction, with counts.

One scan, in DuckDB; what comes back has as many rows as there are different combinations, however many rows
the data have. Every metric of a classification follows from this table exactly.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from fairness.errors import (
    BandsError,
    ColumnTypeError,
    EmptyDataError,
    LabelTypeError,
    NullLabelsError,
    PositiveClassError,
    SingleClassError,
    TooManyClassesError,
    TooManyGroupsError,
    WeightError,
)
from fairness.roles import MISSING, ColumnRoles, Label, band_labels
from fairness.source import Scan, quoted, unreadable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MAXIMUM_GROUPS = 100
"""Values of one sensitive feature; more is a number or an identifier that wants bands."""

MAXIMUM_CELLS = 200_000
"""Combinations of all features, outcome and prediction."""

_INTEGERS = frozenset("TINYINT SMALLINT INTEGER BIGINT HUGEINT UTINYINT USMALLINT UINTEGER UBIGINT UHUGEINT".split())
_FRACTIONS = frozenset(("FLOAT", "DOUBLE", "DECIMAL"))
_TEXTS = frozenset(("VARCHAR", "ENUM"))
_OTHER_SCALARS = frozenset(("BOOLEAN", "DATE", "UUID"))

Row = tuple[Label | float | None, ...]


class Feature(NamedTuple):
    """A sensitive feature and its groups, in the order in which they are shown."""

    name: str
    groups: tuple[str, ...]
    missing_rows: int


class Cells(NamedTuple):
    """The contingency table. All arrays have one element per cell.

    outcome, prediction: 1 for the positive class, else 0. codes: index of the group in each feature's `groups`.
    rows: count. weight, weight_squared: sums over the cell's rows; equal to `rows` without weights.
    """

    features: tuple[Feature, ...]
    codes: "tuple[NDArray[np.int64], ...]"
    outcome: "NDArray[np.int64]"
    prediction: "NDArray[np.int64]"
    rows: "NDArray[np.int64]"
    weight: "NDArray[np.float64]"
    weight_squared: "NDArray[np.float64]"
    positive: Label
    negative: Label


def count(scan: Scan, roles: ColumnRoles, bands: Mapping[str, Sequence[float]]) -> Cells:
    """The contingency table of a scan; its columns are known to exist.

    Raises:
        ColumnTypeError, LabelTypeError, NullLabelsError, SingleClassError, TooManyClassesError,
        PositiveClassError, TooManyGroupsError, BandsError, WeightError, EmptyDataError: see `fairness.errors`.
        SourceError: the data break off or break their format.
    """
    types = {column.name: _base_type(column.type) for column in scan.columns}
    outcome = _label_expression("outcome", roles.outcome, types)
    prediction = _label_expression("prediction", roles.prediction, types)
    if (types[roles.outcome] in _TEXTS) != (types[roles.prediction] in _TEXTS):
        raise LabelTypeError(
            "prediction",
            roles.prediction,
            f"it holds {types[roles.prediction]}, but the outcome {roles.outcome!r} holds {types[roles.outcome]}.",
            "Write both columns with the same labels.",
        )
    sensitive = [_group_expression(name, types, bands.get(name)) for name in roles.sensitive]
    weights = _weight_expressions(roles.weight, types)
    wanted = ", ".join([outcome, prediction, *sensitive, "count(*)", *weights])
    query = f"SELECT {wanted} FROM {scan.relation} GROUP BY ALL LIMIT {MAXIMUM_CELLS + 1}"  # noqa: S608  # quoted names
    table = _run(scan, query, roles)
    if not table:
        raise EmptyDataError("data", 0, "it has no rows.", "Assess data with rows.")
    _check_weights(roles.weight, table)
    positive, negative = _classes(roles, table, text=types[roles.outcome] in _TEXTS)
    return _arrange(scan, roles, bands, types, table, positive, negative)


def _base_type(name: str) -> str:
    return name.split("(", 1)[0] if not name.endswith("]") else name


def _label_expression(role: str, column: str, types: Mapping[str, str]) -> str:
    name, kind = quoted(column), types[column]
    if kind in _INTEGERS or kind == "BOOLEAN":
        return f"CAST({name} AS BIGINT)"
    if kind in _TEXTS:
        return f"CAST({name} AS VARCHAR)"
    if kind in _FRACTIONS:
        # Labels stored as 0.0 and 1.0 are whole; anything else becomes one label that no class can have.
        value = f"CAST({name} AS DOUBLE)"
        whole = f"{value} = trunc({value}) AND abs({value}) < 1e15"
        return (
            f"CASE WHEN {name} IS NULL OR isnan({value}) THEN NULL WHEN {whole} THEN CAST({value} AS BIGINT) "
            f"ELSE {_FRACTIONAL} END"
        )
    raise LabelTypeError(role, column, f"it holds {kind}.", "Labels are text, whole numbers or true and false.")


_FRACTIONAL = -(2**62)


def _group_expression(column: str, types: Mapping[str, str], edges: Sequence[float] | None) -> str:
    name, kind = quoted(column), types[column]
    numeric = kind in _INTEGERS or kind in _FRACTIONS
    if edges is not None:
        if not numeric:
            raise BandsError(
                f"bands.{column}", list(edges), f"the column holds {kind}, not numbers.", "Band numeric columns only."
            )
        value = f"CAST({name} AS DOUBLE)"
        cases = " ".join(f"WHEN {value} < {edge!r} THEN {index}" for index, edge in enumerate(edges))
        return f"CASE WHEN {name} IS NULL OR isnan({value}) THEN NULL {cases} ELSE {len(edges)} END"
    if kind in _TEXTS:
        text = f"CAST({name} AS VARCHAR)"
        return f"CASE WHEN trim({text}) = '' THEN NULL ELSE {text} END"
    if kind in _FRACTIONS:
        value = f"CAST({name} AS DOUBLE)"
        return f"CASE WHEN isnan({value}) THEN NULL ELSE CAST({name} AS VARCHAR) END"
    if kind in _INTEGERS or kind in _OTHER_SCALARS:
        return f"CAST({name} AS VARCHAR)"
    raise ColumnTypeError(
        "sensitive", column, f"it holds {kind}.", "Groups are text, numbers, dates or true and false."
    )


def _weight_expressions(column: str | None, types: Mapping[str, str]) -> tuple[str, str, str]:
    """Sum of weights, sum of their squares, and the number of weights that are none."""
    if column is None:
        return "count(*)", "count(*)", "count(*) FILTER (false)"
    if types[column] not in _INTEGERS and types[column] not in _FRACTIONS:
        raise ColumnTypeError("weight", column, f"it holds {types[column]}.", "Weights are numbers.")
    value = f"CAST({quoted(column)} AS DOUBLE)"
    unusable = f"count(*) FILTER ({quoted(column)} IS NULL OR NOT isfinite({value}) OR {value} < 0)"
    return f"coalesce(fsum({value}), 0)", f"coalesce(fsum({value} * {value}), 0)", unusable


def _run(scan: Scan, query: str, roles: ColumnRoles) -> list[Row]:
    import duckdb

    try:
        table: list[Row] = scan.connection.execute(query, scan.parameters).fetchall()
    except duckdb.OutOfMemoryException:
        raise _too_many(scan, roles) from None
    except duckdb.Error as error:
        raise unreadable("the data", error) from None
    if len(table) > MAXIMUM_CELLS:
        raise _too_many(scan, roles)
    return table


def _too_many(scan: Scan, roles: ColumnRoles) -> TooManyGroupsError:
    """Find the column at fault by a second scan with sketches of constant size."""
    names = [column for role, column in roles.columns() if role in ("outcome", "prediction", "sensitive")]
    sketches = ", ".join(f"approx_count_distinct({quoted(name)})" for name in names)
    query = f"SELECT {sketches} FROM {scan.relation}"  # noqa: S608  # quoted names
    found = scan.connection.execute(query, scan.parameters).fetchall()[0]
    values, column = max(zip((int(value) for value in found), names, strict=True))
    return _groups_error("sensitive" if column in roles.sensitive else "outcome", column, values, "about ")


def _groups_error(role: str, column: str, values: int, about: str = "") -> TooManyGroupsError:
    return TooManyGroupsError(
        role,
        column,
        f"it has {about}{values:,} different values; at most {MAXIMUM_GROUPS} are groups.",
        "Give bands for a number (age: 30, 40, 50), or join its rare values before the assessment.",
    )


def _check_weights(column: str | None, table: Sequence[Row]) -> None:
    if column is None:
        return
    unusable = sum(_whole(row[-1]) for row in table)
    if unusable:
        raise WeightError(
            "weight", column, f"{unusable:,} rows have none, or a negative or infinite one.", "Give each row a weight."
        )
    if not any(row[-3] for row in table):
        raise WeightError("weight", column, "all weights are 0.", "Give at least one row a weight.")


def _classes(roles: ColumnRoles, table: Sequence[Row], *, text: bool) -> tuple[Label, Label]:
    """The positive and the negative label, as the table holds them."""
    total = sum(_rows_of(row) for row in table)
    for field, column, index in (("outcome", roles.outcome, 0), ("prediction", roles.prediction, 1)):
        null_rows = sum(_rows_of(row) for row in table if row[index] is None)
        if null_rows:
            raise NullLabelsError(field, column, null_rows, total)
        if any(row[index] == _FRACTIONAL for row in table):
            raise LabelTypeError(
                field, column, "it holds fractions, as a score does.", "Name a column of labels; scores go in `score`."
            )
    outcomes = {_label(row[0]) for row in table}
    labels = outcomes | {_label(row[1]) for row in table}
    shown = ", ".join(sorted(map(str, labels))[:10])
    if len(outcomes) < 2:
        raise SingleClassError(
            "outcome", roles.outcome, f"every row has the outcome {shown}.", "Assess data that hold both classes."
        )
    if len(labels) > 2:
        raise TooManyClassesError(
            "prediction",
            roles.prediction,
            f"outcome and prediction hold {len(labels)} labels ({shown}).",
            "Reduce both to two: the class in question, and the rest.",
        )
    positive = _as_label(roles.positive, text=text)
    if positive not in labels:
        raise PositiveClassError(
            "positive", roles.positive, f"the labels are {shown}.", "Name the one that counts as 1."
        )
    (negative,) = labels - {positive}
    return positive, negative


def _as_label(positive: Label, *, text: bool) -> Label:
    """`positive` as the columns would hold it: the command line gives `1` as text."""
    if text:
        return str(positive)
    if isinstance(positive, str):
        spelled = {"true": 1, "false": 0}.get(positive.lower())
        try:
            return int(positive) if spelled is None else spelled
        except ValueError:
            return positive
    return int(positive)


def _arrange(
    scan: Scan,
    roles: ColumnRoles,
    bands: Mapping[str, Sequence[float]],
    types: Mapping[str, str],
    table: list[Row],
    positive: Label,
    negative: Label,
) -> Cells:
    import numpy as np

    features: list[Feature] = []
    codes: list[list[int]] = []
    for index, name in enumerate(roles.sensitive, start=2):
        values = {row[index] for row in table}
        present = sorted((value for value in values if value is not None), key=_natural)
        if len(values) > MAXIMUM_GROUPS:
            raise _groups_error("sensitive", name, len(values))
        labels = [str(value) for value in present]
        if name in bands:
            whole = types[name] in _INTEGERS and all(float(edge).is_integer() for edge in bands[name])
            every = band_labels(bands[name], whole_numbers=whole)
            labels = [every[_whole(value)] for value in present]
        missing_rows = sum(_rows_of(row) for row in table if row[index] is None)
        # A group that really is called "missing" stays apart from the rows without a value.
        missing = [MISSING if MISSING not in labels else f"{MISSING} (no value)"] if missing_rows else []
        code: dict[Label | float | None, int] = {value: position for position, value in enumerate(present)}
        code[None] = len(present)
        features.append(Feature(name, (*labels, *missing), missing_rows))
        codes.append([code[row[index]] for row in table])
    # The order in which threads finish must not show in the last digit of a sum.
    sortable = [
        [*column, str(row[0]), str(row[1])] for column, row in zip(zip(*codes, strict=True), table, strict=True)
    ]
    order = sorted(range(len(table)), key=sortable.__getitem__)
    return Cells(
        features=tuple(features),
        codes=tuple(np.asarray(column, dtype=np.int64)[order] for column in codes),
        outcome=np.asarray([row[0] == positive for row in table], dtype=np.int64)[order],
        prediction=np.asarray([row[1] == positive for row in table], dtype=np.int64)[order],
        rows=np.asarray([_rows_of(row) for row in table], dtype=np.int64)[order],
        weight=np.asarray([row[-3] for row in table], dtype=np.float64)[order],
        weight_squared=np.asarray([row[-2] for row in table], dtype=np.float64)[order],
        positive=positive,
        negative=negative,
    )


def _natural(value: Label | float) -> tuple[int, float, str]:
    """Numbers by size before text by letters."""
    try:
        return 0, float(value), str(value)
    except ValueError:
        return 1, 0.0, str(value)


def _rows_of(row: Row) -> int:
    return _whole(row[-4])


def _whole(value: Label | float | None) -> int:
    return int(value) if value is not None else 0


def _label(value: Label | float | None) -> Label:
    return value if isinstance(value, bool | int | str) else str(value)
