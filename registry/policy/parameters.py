"""What a policy may tell each automatic check."""

from collections.abc import Mapping
from typing import Annotated

import msgspec


class LineageParameters(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`lineage-complete` takes none."""


class DigestParameters(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`digest-verified` takes none."""


class AssessmentParameters(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What `assessment-passed` asks of the newest assessment."""

    max_age_days: Annotated[int, msgspec.Meta(ge=1, le=3650)] = 180
    minimum_rows: Annotated[int, msgspec.Meta(ge=1)] = 1000
    """Rows of the test set as a whole; the groups' own minimum stands under `assessment`."""


CHECK_PARAMETERS: Mapping[str, type[msgspec.Struct]] = {
    "lineage-complete": LineageParameters,
    "digest-verified": DigestParameters,
    "assessment-passed": AssessmentParameters,
}
"""The checks that exist, by name."""
