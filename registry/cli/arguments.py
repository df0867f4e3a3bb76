"""Kinds of arguments that several commands take."""

import click


class _Whole(click.IntRange):
    """A whole number, called by what it numbers in the error that refuses another."""

    def __init__(self, name: str, least: int, most: int) -> None:
        super().__init__(least, most)
        self.name = name


VERSION = _Whole("version number", 1, 2**53 - 1)
"""Number of a version of a model."""

DAYS = _Whole("number of days", 1, 3650)
