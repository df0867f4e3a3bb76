"""Pages of results by cursor. A cursor is the last key of a page, in URL-safe base64; clients hand it back unread."""

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import Annotated, Generic, TypeVar

import msgspec
from litestar.params import QueryParameter

from registry.errors import InvalidInputError

Row = TypeVar("Row")
View = TypeVar("View")

LARGEST_PAGE = 500
LONGEST_NUMBER = 18
"""Digits: what is longer does not fit into 64 bits."""

Limit = Annotated[int, QueryParameter(ge=1, le=LARGEST_PAGE, description="How many results to a page.")]
Cursor = Annotated[str | None, QueryParameter(description="`next_cursor` of the page before.")]


class Page(msgspec.Struct, Generic[View]):
    """Some results, and where the next ones begin: None on the last page."""

    items: list[View]
    next_cursor: str | None


def page_of(rows: Sequence[Row], limit: int, present: Callable[[Row], View], key: Callable[[Row], str]) -> Page[View]:
    """A page from up to `limit` + 1 rows: the one too many says that there is a next page."""
    shown = rows[:limit]
    following = encode_cursor(key(shown[-1])) if len(rows) > limit else None
    return Page([present(row) for row in shown], following)


def encode_cursor(key: str) -> str:
    """A key as a cursor."""
    return base64.urlsafe_b64encode(key.encode()).decode().rstrip("=")


def decode_cursor(cursor: str | None) -> str | None:
    """The key in a cursor.

    Raises:
        InvalidInputError: it was not made by `encode_cursor`.
    """
    if cursor is None:
        return None
    try:
        return base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode()
    except (binascii.Error, UnicodeDecodeError, ValueError):
        raise InvalidInputError("cursor", cursor, "use the next_cursor of the page before, unchanged") from None


def number_in(key: str) -> int:
    """The number that a cursor's key is.

    Raises:
        InvalidInputError: it is none, or has more digits than any row's.
    """
    if not (key.isascii() and key.isdecimal() and len(key) <= LONGEST_NUMBER):
        raise InvalidInputError("cursor", "(not shown)", "use the next_cursor of the page before, unchanged")
    return int(key)
