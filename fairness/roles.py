"""Which column means what, and how numbers become groups."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from math import isfinite

import msgspec

from fairness.errors import BandsError, ColumnRoleError, MissingColumnError

Label = bool | int | str
"""A class label, as the outcome and the prediction carry it."""

MISSING = "missing"
"""The group of rows without a value: a group like the others, never dropped."""


class ColumnRoles(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which column of the data holds what. `positive` is the label that counts as 1."""

    outcome: str
    prediction: str
    sensitive: tuple[str, ...]
    positive: Label
    score: str | None = None
    weight: str | None = None

    def columns(self) -> tuple[tuple[str, str], ...]:
        """Every (role, column), each role once for each of its columns."""
        named = [("outcome", self.outcome), ("prediction", self.prediction)]
        named += [("sensitive", column) for column in self.sensitive]
        named += [("score", self.score)] if self.score is not None else []
        named += [("weight", self.weight)] if self.weight is not None else []
        return tuple(named)

    def check(self) -> None:
        """Refuse roles that contradict each other.

        Raises:
            ColumnRoleError: no sensitive feature, or one column in two roles.
        """
        if not self.sensitive:
            raise ColumnRoleError(
                "sensitive", self.sensitive, "no sensitive feature is named.", "Name at least one column."
            )
        seen: dict[str, str] = {}
        for role, column in self.columns():
            if column in seen:
                raise ColumnRoleError(
                    role, column, f"the same column is already the {seen[column]}.", "Give each role its own column."
                )
            seen[column] = role

    def check_present(self, existing: Sequence[str]) -> None:
        """Refuse roles whose column is not among `existing`.

        Raises:
            MissingColumnError: names the role, the column and those that exist.
        """
        for role, column in self.columns():
            if column not in existing:
                raise MissingColumnError(role, column, existing)


def check_bands(bands: Mapping[str, Sequence[float]], sensitive: Sequence[str]) -> dict[str, tuple[float, ...]]:
    """The lower edges of bands by sensitive feature, checked.

    Raises:
        BandsError: for a column that is not sensitive, without edges, not finite or not ascending.
    """
    checked: dict[str, tuple[float, ...]] = {}
    for feature, edges in bands.items():
        field = f"bands.{feature}"
        values = tuple(float(edge) for edge in edges)
        if feature not in sensitive:
            raise BandsError(field, list(edges), "that column is not a sensitive feature.", "Name it in `sensitive`.")
        if not values or not all(isfinite(value) for value in values):
            raise BandsError(field, list(edges), "bands need at least one finite edge.", "Give edges as [30, 40, 50].")
        if any(left >= right for left, right in pairwise(values)):
            raise BandsError(field, list(edges), "the edges do not ascend.", "Give each edge once, smallest first.")
        checked[feature] = values
    return checked


def band_labels(edges: Sequence[float], *, whole_numbers: bool) -> tuple[str, ...]:
    """Names of the bands that `edges` cut, lowest first: one more than there are edges.

    For whole numbers: `under 30`, `30–39`, `40 and over`; otherwise `30 to under 40`.
    """
    shown = [f"{edge:g}" for edge in edges]
    between = [
        _whole_band(low, high) if whole_numbers else f"{low:g} to under {high:g}" for low, high in pairwise(edges)
    ]
    return (f"under {shown[0]}", *between, f"{shown[-1]} and over")


def _whole_band(low: float, high: float) -> str:
    last = high - 1
    return f"{low:g}" if last == low else f"{low:g}–{last:g}"
