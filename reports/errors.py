"""What can go wrong with a card. Every message says the field, the value, and the remedy.

ReportError
 +-- CardContentError      a fact or chart that a card cannot show
 +-- RenderingError        the page could not be laid out, or asked for something outside the card
 +-- SealExistsError       a seal would have been overwritten
 +-- SealMissingError      no seal where one was looked for
 +-- SealingError          the file has no place for the seal
"""

from __future__ import annotations


class ReportError(Exception):
    """Root of every error that `reports` raises."""


class CardContentError(ReportError):
    """A fact, a chart or a log proof cannot be shown on a card."""

    def __init__(self, field: str, value: str, remedy: str) -> None:
        shown = value if len(value) <= 80 else f"{value[:77]}..."
        super().__init__(f"{field} is {shown!r}: {remedy}")
        self.field = field
        self.remedy = remedy


class RenderingError(ReportError):
    """The card could not be rendered; no part of it was kept."""


class SealExistsError(ReportError):
    """The directory holds a seal already: creating another would orphan every card under it."""


class SealMissingError(ReportError):
    """The directory holds no complete seal."""


class SealingError(ReportError):
    """The PDF cannot be sealed: it has no prepared field, or carries a signature already."""
