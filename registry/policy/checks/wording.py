"""How checks write digests, times and lists."""

from collections.abc import Iterable, Sequence
from datetime import datetime

MOST_NAMED = 20
"""Things that a reason or an evidence names at most; the rest is counted."""


def hex_of(digest: bytes | None) -> str:
    """A digest in hexadecimal, or nothing."""
    return "" if digest is None else digest.hex()


def time_of(at: datetime | None) -> str:
    """A time to the second, or nothing."""
    return "" if at is None else at.isoformat(timespec="seconds")


def listed(words: Sequence[str]) -> str:
    """Words as people list them."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def some_of(words: Iterable[str]) -> str:
    """The first twenty, and how many more there are."""
    named = list(words)
    shown = ", ".join(named[:MOST_NAMED])
    return shown if len(named) <= MOST_NAMED else f"{shown} and {len(named) - MOST_NAMED} more"
