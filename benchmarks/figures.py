"""How every benchmark ends: one line a figure, judged against `goals.toml` by one function.

figure <name> <value> <unit> goal <value> met|short
"""

import json
import statistics
import sys
import tomllib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

GOALS = Path(__file__).with_name("goals.toml")


@dataclass(frozen=True)
class Goal:
    """What a figure should reach: `bound` is "at_least" or "at_most"."""

    says: str
    bound: str
    value: float


@dataclass(frozen=True)
class Figure:
    """One measured figure: the median of its rounds, or None where it was not measured in this run."""

    name: str
    unit: str
    rounds: Sequence[float] = field(default=())

    @property
    def value(self) -> float | None:
        """Median of the rounds."""
        return statistics.median(self.rounds) if self.rounds else None


def load_goals() -> dict[str, Goal]:
    """Goals by the name of their figure.

    Raises:
        ValueError: a goal with no bound or two.
    """
    goals = {}
    for name, table in tomllib.loads(GOALS.read_text()).items():
        bounds = [bound for bound in ("at_least", "at_most") if bound in table]
        if len(bounds) != 1:
            raise ValueError(f"goals.toml: {name} needs either at_least or at_most")
        goals[name] = Goal(table["says"], bounds[0], float(table[bounds[0]]))
    return goals


def judge(value: float | None, goal: Goal | None) -> str:
    """`met`, `short`, `not measured`, or `no goal`."""
    if value is None:
        return "not measured"
    if goal is None:
        return "no goal"
    met = value >= goal.value if goal.bound == "at_least" else value <= goal.value
    return "met" if met else "short"


def line(figure: Figure, goal: Goal | None) -> str:
    """The line that ends a benchmark."""
    verdict = judge(figure.value, goal)
    value = "-" if figure.value is None else f"{figure.value:.4g}"
    wanted = "-" if goal is None else f"{goal.value:g}"
    return f"figure {figure.name} {value} {figure.unit} goal {wanted} {verdict}"


def conclude(figures: Sequence[Figure], *, as_json: bool) -> None:
    """Print all figures: lines, or one JSON object with the raw rounds."""
    goals = load_goals()
    if as_json:
        shown = [
            asdict(figure) | {"value": figure.value, "verdict": judge(figure.value, goals.get(figure.name))}
            for figure in figures
        ]
        json.dump({"figures": shown}, sys.stdout, indent=2)
        print()
        return
    for figure in figures:
        print(line(figure, goals.get(figure.name)))
