"""What was seen in a file."""

from collections.abc import Iterable
from dataclasses import dataclass, field


@dataclass
class Seen:
    """Everything that loading a file would look up or do, as far as it matters for safety.

    `dangers`: what no list can allow. `globals_named`: functions and classes, as `module.name`.
    """

    kinds: list[str] = field(default_factory=list)
    globals_named: set[str] = field(default_factory=set)
    dangers: list[str] = field(default_factory=list)

    def add_danger(self, danger: str) -> None:
        """Keep it once."""
        if danger not in self.dangers:
            self.dangers.append(danger)

    def beyond(self, allowed: Iterable[str]) -> list[str]:
        """The names that are not allowed."""
        return sorted(self.globals_named - set(allowed))


class UnreadableFormatError(Exception):
    """The bytes are not what they seem to be, or of a kind that is not known: nothing can be said of their safety.

    `seen`: what was seen before that, which loading them might do before it fails.
    """

    def __init__(self, problem: str, seen: Seen | None = None) -> None:
        super().__init__(problem)
        self.seen = seen or Seen()


class BrokenPickleError(UnreadableFormatError):
    """Whoever loads the pickle fails at this point, too."""
