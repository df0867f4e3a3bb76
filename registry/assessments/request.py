"""What a request for an assessment says about the data, checked as far as the columns' names allow. No I/O."""

from collections.abc import Sequence

import msgspec

from fairness.errors import FairnessError
from fairness.presets import PRESETS
from fairness.roles import ColumnRoles, Label, check_bands
from registry.errors import InvalidInputError, UnprocessableError
from registry.names import checked_digest


class AssessmentRoles(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which column holds what, and which test set the data say they are.

    `positive`: the label that counts as 1. `bands`: ascending lower edges by numeric sensitive column.
    `preset`: how findings speak of people and decisions (`fairness.presets`); limits come from the policy alone.
    `declared_digest`: SHA-256 of a test set in the version's lineage, 64 hexadecimal digits.
    """

    outcome: str
    prediction: str
    sensitive: tuple[str, ...]
    positive: Label = 1
    score: str | None = None
    weight: str | None = None
    bands: dict[str, tuple[float, ...]] = {}
    preset: str | None = None
    declared_digest: str | None = None

    def column_roles(self) -> ColumnRoles:
        """The part that `fairness` knows."""
        return ColumnRoles(
            outcome=self.outcome,
            prediction=self.prediction,
            sensitive=self.sensitive,
            positive=self.positive,
            score=self.score,
            weight=self.weight,
        )


def parse_roles(text: str) -> AssessmentRoles:
    """The roles in JSON text.

    Raises:
        InvalidInputError: not JSON, an unknown or missing member, a value of another type; names the member.
    """
    try:
        return msgspec.json.decode(text, type=AssessmentRoles)
    except (msgspec.DecodeError, RecursionError) as error:
        raise InvalidInputError("roles", text, f"{error}") from None


def check_roles(roles: AssessmentRoles, existing: Sequence[str]) -> bytes | None:
    """Refuse roles that cannot be assessed on data with the columns `existing`; the declared digest, as bytes.

    Raises:
        UnprocessableError: contradictory roles, bad bands, or a column that is not there, with those that are.
        InvalidInputError: an unknown preset, or a digest that is none.
    """
    try:
        named = roles.column_roles()
        named.check()
        named.check_present(existing)
        check_bands(roles.bands, roles.sensitive)
    except FairnessError as error:
        raise unprocessable(error) from None
    if roles.preset is not None and roles.preset not in PRESETS:
        raise InvalidInputError("preset", roles.preset, f"it is one of {', '.join(PRESETS)}")
    return None if roles.declared_digest is None else checked_digest("declared_digest", roles.declared_digest)


def unprocessable(error: FairnessError) -> UnprocessableError:
    """An error of `fairness` as one of ours: the same sentence, the same field."""
    return UnprocessableError(error.field, str(error))
