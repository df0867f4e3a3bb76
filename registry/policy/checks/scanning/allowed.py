"""The list of classes and functions that files of models may name: `allowed_globals.txt` beside this module."""

from functools import cache
from importlib.resources import files


@cache
def allowed_globals() -> frozenset[str]:
    """All names of the list."""
    text = files(__package__).joinpath("allowed_globals.txt").read_text(encoding="utf-8")
    return frozenset(line for line in text.splitlines() if line and not line.startswith("#"))
