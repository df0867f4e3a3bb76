"""Goes through the pages of a long answer."""

from collections.abc import Iterator, Mapping
from typing import TypeVar

from registry.client.answers import Page
from registry.client.connection import Connection

Item = TypeVar("Item")


def pages(
    connection: Connection, path: str, kind: type[Page[Item]], query: Mapping[str, str | int | None]
) -> Iterator[Item]:
    """All items at `path`, page after page."""
    cursor: str | None = None
    while True:
        page = connection.get(path, kind, {**query, "cursor": cursor})
        yield from page.items
        if page.next_cursor is None:
            return
        cursor = page.next_cursor
