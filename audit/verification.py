"""What verifying a log showed."""

from dataclasses import dataclass
from enum import StrEnum

from audit.checkpoint import Checkpoint

__all__ = ["Problem", "ProblemKind", "Verification", "not_shown"]


class ProblemKind(StrEnum):
    """What contradicts what."""

    MISSING = "missing"
    LEAF = "leaf"
    TIME = "time"
    ROW = "row"
    TEXT = "text"
    TILE = "tile"
    CHECKPOINT = "checkpoint"
    OUTSIDE = "outside-checkpoint"


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with the log."""

    kind: ProblemKind
    sentence: str
    sequence: int | None = None
    """The entry concerned, or the first of those among which it is."""
    size: int | None = None
    """Size of the checkpoint concerned."""


@dataclass(frozen=True)
class Verification:
    """What verifying a log showed."""

    entries: int
    """Number of entries seen."""
    checkpoints: int
    """Number of checkpoints seen."""
    root: bytes | None
    """Root of the tree over all entries; None where one is missing."""
    problems: tuple[Problem, ...]
    """The first hundred, in the order in which they were met."""
    problem_count: int
    texts: int
    """Side texts that fit their commitments."""
    texts_absent: int
    """Commitments without a text: erased, or withheld by the source."""
    not_shown: str
    """One sentence: what even a log without problems leaves open."""

    @property
    def verified(self) -> bool:
        """Whether nothing is wrong, within what `not_shown` leaves open."""
        return not self.problem_count

    @property
    def first_bad_entry(self) -> int | None:
        """The lowest entry that a problem names."""
        return min((problem.sequence for problem in self.problems if problem.sequence is not None), default=None)


def not_shown(outside: Checkpoint | None) -> str:
    """One sentence: what no verification of a log can show, given a checkpoint kept outside or none."""
    if outside is None:
        return (
            "Not shown, because no checkpoint kept outside was given: a log rebuilt from its beginning and signed "
            "again with its key, or one with its tail cut off, would look the same."
        )
    return (
        f"Not shown: whatever was written after the checkpoint kept outside (of {outside.size} entries) may have been "
        "rebuilt or cut off since; only a later checkpoint kept outside would show it."
    )
