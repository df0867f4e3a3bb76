"""How the tour speaks: numbered steps, what happens in plain words, and the command that does the same by hand."""

import shlex
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

Progress = Callable[[str], None]


class Narrator:
    """Prints the tour to one console, and keeps how long each step took."""

    def __init__(self, console: "Console", steps: int) -> None:
        self.console = console
        self.steps = steps
        self.seconds: list[tuple[str, float]] = []
        self._began: tuple[str, float] | None = None

    def step(self, title: str) -> None:
        """Begin a step."""
        self.end_step()
        self._began = (title, time.monotonic())
        self.console.print()
        self.console.rule(f"[bold]{len(self.seconds) + 1} of {self.steps}  {title}", align="left", style="dim")

    def end_step(self) -> None:
        """Note how long the step took that is under way."""
        if self._began is not None:
            title, began = self._began
            self.seconds.append((title, time.monotonic() - began))
            self._began = None

    def say(self, text: str) -> None:
        """A sentence."""
        self.console.print(text, markup=False, highlight=False)

    def good(self, text: str) -> None:
        """Something that is as it should be."""
        self.console.print(f"✓ {text}", style="green", markup=False, highlight=False)

    def bad(self, text: str) -> None:
        """Something that is not as it should be, or not yet."""
        self.console.print(f"✗ {text}", style="red", markup=False, highlight=False)

    def command(self, who: str, *words: str) -> None:
        """The command that does this by hand, and who gives it."""
        self.console.print(
            f"  {who} $ {shlex.join(words)}", style="cyan", markup=False, highlight=False, soft_wrap=True
        )

    def table(self, headings: Sequence[str], rows: Sequence[Sequence[str]], title: str | None = None) -> None:
        """A table of text."""
        from rich.table import Table
        from rich.text import Text

        table = Table(*headings, title=title, title_justify="left", header_style="bold", expand=False)
        for row in rows:
            table.add_row(*map(Text, row))
        self.console.print(table)

    @contextmanager
    def working(self, what: str) -> Iterator[Progress]:
        """Show that work is going on; the callback says how far it is."""
        with self.console.status(what) as status:
            yield lambda text: status.update(f"{what} · {text}")
