"""What a data set looks like, column by column: the reference with which data in operation are compared.

DuckDB's `SUMMARIZE` does it in one pass over the file, by the locked-down database of `fairness.source`. Of text
columns no values are kept: the first and the last of them may be somebody's name.
"""

import hashlib
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from registry.errors import InvalidInputError, UnprocessableError
from registry.names import checked_label

if TYPE_CHECKING:
    from fairness.source import File, Scan

MOST_COLUMNS = 2000
_SHARE_PLACES = Decimal("0.000001")
_WITHOUT_VALUES = ("VARCHAR", "BLOB", "UUID", "ENUM", "STRUCT", "MAP", "LIST", "UNION", "JSON")
"""Types, as DuckDB names them, whose values may be names, addresses or texts of persons."""


class ColumnProfile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A column. Quantiles are approximate; numbers and times are written as DuckDB writes them."""

    name: str
    type: str
    """As DuckDB names it: `BIGINT`, `VARCHAR`, `DECIMAL(10,2)`."""
    missing_share: str
    """From 0 to 1, to six places."""
    distinct: int
    """Approximately how many values there are."""
    minimum: str | None = None
    quantile_25: str | None = None
    median: str | None = None
    quantile_75: str | None = None
    maximum: str | None = None


class TrainingProfile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A data set as a whole."""

    rows: int
    columns: list[ColumnProfile]


def profile_digest(profile: TrainingProfile) -> bytes:
    """SHA-256 of the profile as JSON with its members in order."""
    return hashlib.sha256(msgspec.json.encode(profile, order="deterministic")).digest()


def profile_of_file(path: Path | str, expected_digest: bytes) -> TrainingProfile:
    """The profile of a Parquet or CSV file whose bytes are those that the lineage names. `path`: or a `file:` URI.

    Raises:
        UnprocessableError: another file, one that cannot be read, or one that changed meanwhile.
    """
    from fairness.errors import FairnessError
    from fairness.source import open_file, scan_file

    try:
        file = open_file(path)
        _require_digest(file, expected_digest)
        with scan_file(file) as scan:
            profile = _summarised(scan)
        file.check_unchanged()
    except FairnessError as error:
        raise UnprocessableError("training data", str(error)) from error
    return profile


def _require_digest(file: "File", expected: bytes) -> None:
    if file.sha256_hex != expected.hex():
        raise UnprocessableError(
            "training data",
            f"{file.path.name} has the SHA-256 {file.sha256_hex}; the lineage names {expected.hex()}.",
            "Restore the data set that the version was trained on.",
        )


def _summarised(scan: "Scan") -> TrainingProfile:
    import duckdb

    if len(scan.columns) > MOST_COLUMNS:
        raise UnprocessableError("training data", f"It has {len(scan.columns)} columns; at most {MOST_COLUMNS}.")
    # `relation` is one of three constants; the path is in the parameters.
    summarise = f"SUMMARIZE SELECT * FROM {scan.relation}"  # noqa: S608  # holds no text of the data
    try:
        result = scan.connection.execute(summarise, scan.parameters)
        names = [str(column[0]) for column in result.description]
        found = [dict(zip(names, row, strict=True)) for row in result.fetchall()]
    except duckdb.Error as error:
        reason = str(error).splitlines()[0][:200]
        raise UnprocessableError("training data", f"It cannot be read ({reason}).") from error
    rows = int(found[0]["count"]) if found else 0
    return TrainingProfile(rows, [_column(one) for one in found])


def _column(found: dict[str, object]) -> ColumnProfile:
    kind = str(found["column_type"])
    # DuckDB gives percent to two places.
    missing = (Decimal(str(found["null_percentage"] or 0)) / 100).quantize(_SHARE_PLACES)
    shown = not kind.endswith("]") and not kind.startswith(_WITHOUT_VALUES)

    def value(name: str) -> str | None:
        return None if not shown or found[name] is None else str(found[name])

    return ColumnProfile(
        name=str(found["column_name"]),
        type=kind,
        missing_share=f"{missing:f}",
        distinct=int(str(found["approx_unique"] or 0)),
        minimum=value("min"),
        quantile_25=value("q25"),
        median=value("q50"),
        quantile_75=value("q75"),
        maximum=value("max"),
    )


def check_profile(profile: TrainingProfile) -> None:
    """Refuse a stated profile that no data set has.

    Raises:
        InvalidInputError: naming the field, the value and the rule.
    """
    if not 0 <= profile.rows < 2**53:
        raise InvalidInputError("rows", profile.rows, "a data set has 0 to 2^53 - 1 rows")
    if not 1 <= len(profile.columns) <= MOST_COLUMNS:
        raise InvalidInputError("columns", len(profile.columns), f"a profile has 1 to {MOST_COLUMNS} columns")
    _check_names(profile.columns)
    for position, column in enumerate(profile.columns):
        field = f"columns[{position}]"
        try:
            share = Decimal(column.missing_share)
        except InvalidOperation:
            share = Decimal("NaN")
        if not share.is_finite() or not 0 <= share <= 1:
            raise InvalidInputError(f"{field}.missing_share", column.missing_share, "a share lies from 0 to 1")
        if not 0 <= column.distinct < 2**53:
            raise InvalidInputError(f"{field}.distinct", column.distinct, "it is a number of values")
        for name in ("type", "minimum", "quantile_25", "median", "quantile_75", "maximum"):
            value = getattr(column, name)
            if value is not None:
                checked_label(f"{field}.{name}", value)


def _check_names(columns: Sequence[ColumnProfile]) -> None:
    seen = set()
    for position, column in enumerate(columns):
        checked_label(f"columns[{position}].name", column.name)
        if column.name in seen:
            raise InvalidInputError(f"columns[{position}].name", column.name, "two columns have that name")
        seen.add(column.name)
