"""What a bias assessment says. Apart from the tables, so that the process of a check loads no database library."""

from enum import StrEnum


class Verdict(StrEnum):
    """What the assessment says."""

    PASS = "pass"  # noqa: S105 (a verdict, not a password)
    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"
