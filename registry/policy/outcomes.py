"""What an automatic check can find. Apart from the tables, so that the process of a check loads no database library."""

from enum import StrEnum


class Outcome(StrEnum):
    """What a check found. Only passed and not applicable meet an item."""

    PASSED = "passed"
    FAILED = "failed"
    INCONCLUSIVE = "inconclusive"
    NOT_APPLICABLE = "not applicable"
    ERROR = "error"
