"""The data of the tour: what they hold, which columns a model may see, and how they are divided."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pandas import DataFrame

SOURCE = Path(__file__).parent / "data" / "credit_default.parquet"
LABEL = "default_next_month"
IDENTIFIER = "id"
# Characteristics that lending law in many places protects. No candidate sees them: a bank could not defend
# an answer that depends on them. They stay in the files, because unfairness by proxy is found only with them.
SENSITIVE_FEATURES = ("sex", "education", "marriage", "age_band")
MODEL_INPUTS = (
    "limit_bal",
    *(f"pay_{month}" for month in (0, 2, 3, 4, 5, 6)),
    *(f"bill_amt{month}" for month in range(1, 7)),
    *(f"pay_amt{month}" for month in range(1, 7)),
)
AGE_BANDS = ("under 30", "30 to 39", "40 to 49", "50 to 59", "60 and over")
HOLDOUT_SHARE = 0.3
SEED = 20_050_930  # the last day of the observed months


@dataclass(frozen=True, slots=True)
class GroupCount:
    """Rows of one group of a sensitive feature, and the share of them (0 to 1) that defaulted."""

    feature: str
    group: str
    rows: int
    default_rate: float


@dataclass(frozen=True, slots=True)
class DataFacts:
    """What was counted in the data before anything was trained."""

    source_sha256: str
    rows: int
    columns: tuple[str, ...]
    missing_values: int
    duplicate_identifiers: int
    duplicate_rows: int
    """Rows that repeat an earlier one in everything but the identifier."""
    undocumented_payment_codes: int
    """Rows with a repayment state (-2 or 0) that the source does not document; used as they are."""
    default_rate: float
    groups: tuple[GroupCount, ...]


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the divided data, as a file."""

    path: Path
    sha256: str
    rows: int
    default_rate: float


@dataclass(frozen=True, slots=True)
class SplitFacts:
    """What was counted across the two parts."""

    shared_identifiers: int
    identical_rows: int
    """Hold-out rows that equal a training row in all model inputs and the label."""


def read(rows: int | None) -> "DataFrame":
    """The data with `age_band` added; `rows` takes a fixed random sample of so many rows, in file order."""
    import pandas

    frame = pandas.read_parquet(SOURCE)
    if rows is not None:
        frame = frame.sample(rows, random_state=SEED).sort_values(IDENTIFIER).reset_index(drop=True)
    edges = [0, 30, 40, 50, 60, 200]
    frame["age_band"] = pandas.cut(frame["age"], edges, right=False, labels=list(AGE_BANDS)).astype(str)
    return frame


def divide(frame: "DataFrame") -> tuple["DataFrame", "DataFrame"]:
    """Training and hold-out rows, 70 to 30, with the same share of defaults; both in file order."""
    from sklearn.model_selection import train_test_split

    training, holdout = train_test_split(
        frame, test_size=HOLDOUT_SHARE, stratify=frame[LABEL], random_state=SEED, shuffle=True
    )
    return training.sort_values(IDENTIFIER), holdout.sort_values(IDENTIFIER)


def write_part(frame: "DataFrame", path: Path) -> Part:
    """Write rows as Parquet; the same rows give the same bytes."""
    import pyarrow
    import pyarrow.parquet

    # Without pandas' own metadata, which names versions that have nothing to do with the data.
    table = pyarrow.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata(None)
    pyarrow.parquet.write_table(table, path, compression="zstd")
    return Part(path, sha256_of(path), len(frame), float(frame[LABEL].mean()))


def sha256_of(path: Path) -> str:
    """SHA-256 of a file in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def describe(frame: "DataFrame") -> DataFacts:
    """Count what a reader of the data must know."""
    payment_states = frame[[name for name in MODEL_INPUTS if name.startswith("pay_") and "amt" not in name]]
    groups = [
        GroupCount(feature, str(group), len(labels), float(labels.mean()))
        for feature in SENSITIVE_FEATURES
        for group, labels in frame.groupby(feature)[LABEL]
    ]
    return DataFacts(
        source_sha256=sha256_of(SOURCE),
        rows=len(frame),
        columns=tuple(str(name) for name in frame.columns),
        missing_values=int(frame.isna().sum().sum()),
        duplicate_identifiers=int(frame[IDENTIFIER].duplicated().sum()),
        duplicate_rows=int(frame.drop(columns=IDENTIFIER).duplicated().sum()),
        undocumented_payment_codes=int(payment_states.isin([-2, 0]).any(axis=1).sum()),
        default_rate=float(frame[LABEL].mean()),
        groups=tuple(groups),
    )


def compare(training: "DataFrame", holdout: "DataFrame") -> SplitFacts:
    """Count what both parts share: identifiers must not, equal rows may where clients behave alike."""
    compared = [*MODEL_INPUTS, LABEL]
    known = set(training[compared].itertuples(index=False, name=None))
    return SplitFacts(
        shared_identifiers=int(holdout[IDENTIFIER].isin(training[IDENTIFIER]).sum()),
        identical_rows=sum(row in known for row in holdout[compared].itertuples(index=False, name=None)),
    )
