"""What can be wrong with data, column roles or settings.

FairnessError               names the field at fault, its value and the remedy; never a bug
├── SourceError             the data cannot be had: path, format, bytes
│   └── SourceChangedError  the file was written while it was read
├── EmptyDataError          no rows
├── MissingColumnError      a role names a column that is not there
├── ColumnRoleError         roles contradict each other
├── ColumnTypeError         a column of a type that its role cannot use
├── LabelTypeError          outcome, prediction and positive class are of different kinds
├── NullLabelsError         rows without outcome or prediction
├── SingleClassError        every outcome is the same
├── TooManyClassesError     more labels than two
├── PositiveClassError      the positive class is not among the labels
├── TooManyGroupsError      a sensitive feature with hundreds of values
├── BandsError              bands that are not ascending, or of something not a number
├── WeightError             weights that are missing, negative or all zero
├── ScoreError              scores that are missing
└── SettingError            thresholds, confidence, minimum of rows
"""

from collections.abc import Sequence


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:79] + "…"


class FairnessError(Exception):
    """An expected failure: `field` is at fault, `sentence` says how, `remedy` what to do."""

    def __init__(self, field: str, value: object, sentence: str, remedy: str) -> None:
        super().__init__(f"{field} is {_shown(value)}: {sentence} {remedy}")
        self.field = field
        self.value = value
        self.sentence = sentence
        self.remedy = remedy


class SourceError(FairnessError):
    """The data cannot be had."""


class SourceChangedError(SourceError):
    """The file was written while it was read: digest and numbers would not belong together."""


class EmptyDataError(FairnessError):
    """The data have no rows."""


class MissingColumnError(FairnessError):
    """A role names a column that is not in the data; `existing` are those that are."""

    def __init__(self, field: str, column: str, existing: Sequence[str]) -> None:
        shown = ", ".join(existing[:40]) + (f" and {len(existing) - 40} more" if len(existing) > 40 else "")
        super().__init__(
            field, column, "the data have no such column.", f"Name one of the {len(existing)} that exist: {shown}."
        )
        self.column = column
        self.existing = tuple(existing)


class ColumnRoleError(FairnessError):
    """Two roles contradict each other."""


class ColumnTypeError(FairnessError):
    """A column has a type that its role cannot use."""


class LabelTypeError(FairnessError):
    """Outcome, prediction and positive class are not labels of the same kind."""


class NullLabelsError(FairnessError):
    """Rows without an outcome or without a prediction; `null_rows` of them."""

    def __init__(self, field: str, column: str, null_rows: int, rows: int) -> None:
        super().__init__(
            field,
            column,
            f"{null_rows:,} of {rows:,} rows have no value there.",
            "Remove those rows or repair them before the assessment, and say so in the data's document.",
        )
        self.column = column
        self.null_rows = null_rows


class SingleClassError(FairnessError):
    """Every row has the same outcome, so no rate of error exists."""


class TooManyClassesError(FairnessError):
    """Outcome and prediction hold more than two labels."""


class PositiveClassError(FairnessError):
    """The positive class is not among the labels."""


class TooManyGroupsError(FairnessError):
    """A sensitive feature has more values than groups can be told apart."""


class BandsError(FairnessError):
    """Bands are not ascending numbers, or belong to something that is not a number."""


class WeightError(FairnessError):
    """Sample weights are missing, negative, infinite or all zero."""


class ScoreError(FairnessError):
    """Scores are missing or not finite."""


class SettingError(FairnessError):
    """A threshold, the confidence, or the minimum of rows is out of range."""
