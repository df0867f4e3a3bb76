"""Kinds of arguments that several commands take."""

from typing import TYPE_CHECKING, Literal
from uuid import UUID

import click

if TYPE_CHECKING:
    from registry.client.answers import Reference


class _Whole(click.IntRange):
    """A whole number, called by what it numbers in the error that refuses another."""

    def __init__(self, name: str, least: int, most: int) -> None:
        super().__init__(least, most)
        self.name = name


VERSION = _Whole("version number", 1, 2**53 - 1)
"""Number of a version of a model."""

DAYS = _Whole("number of days", 1, 3650)


class _Evidence(click.ParamType["Reference"]):
    """`document=ID`, `assessment=ID` or `check-result=ID`."""

    name = "KIND=ID"

    def convert(self, value: object, parameter: click.Parameter | None, context: click.Context | None) -> "Reference":
        """The reference in a word."""
        from registry.client.answers import Reference

        kind, _, identity = str(value).partition("=")
        match kind:
            case "document" | "assessment":
                word: Literal["document", "assessment", "check result"] = kind
            case "check-result":
                word = "check result"
            case _:
                self.fail(f"{value!r} does not begin with document=, assessment= or check-result=.", parameter, context)
        try:
            return Reference(word, UUID(identity))
        except ValueError:
            self.fail(f"{identity!r} is no id.", parameter, context)


REFERENCE = _Evidence()
