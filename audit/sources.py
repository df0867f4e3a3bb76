"""Where a verifier reads a log from: what it asks for, and the log in its own database.

`audit.served` reads logs that somebody serves, or exported into a folder, as C2SP tlog-tiles.

A source hands out what is there and judges nothing; what cannot be read at all is a `SourceError`.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol, TypeVarTuple

from audit.errors import SourceError
from audit.tiles import TilePath

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row, Select

Columns = TypeVarTuple("Columns")

__all__ = [
    "DatabaseSource",
    "Extent",
    "Source",
    "StoredCheckpoint",
    "StoredEntry",
    "StoredText",
    "StoredTile",
]


class Extent(NamedTuple):
    """How much of a log there is, at one moment."""

    entries: int
    """Number of entries."""
    end: int
    """Highest sequence number plus one."""
    tree_size: int
    """Size of the newest checkpoint; 0 where there is none."""
    tiles: int | None
    """Number of full tiles; None where they are not counted."""


class StoredEntry(NamedTuple):
    """One entry as it is stored; the columns beside the leaf are None where the source has no such columns."""

    sequence: int
    leaf: bytes
    leaf_hash: bytes | None
    time: str | None
    actor: str | None
    action: str | None
    subject_kind: str | None
    subject_id: str | None


class StoredTile(NamedTuple):
    """One full tile as it is stored."""

    number: int
    hashes: bytes
    root: bytes | None
    """None where the source has only hashes."""


class StoredCheckpoint(NamedTuple):
    """One checkpoint as it is stored; size and root in columns of their own may contradict the note."""

    size: int
    root: bytes | None
    note: str


class StoredText(NamedTuple):
    """One text behind a commitment."""

    sequence: int
    path: str
    salt: bytes
    text: str


class Source(Protocol):
    """A log to be verified. `extent` is read once, first; nothing beyond it is asked for."""

    def extent(self) -> Extent:
        """How much there is."""

    def entries(self, after: int | None, limit: int) -> Sequence[StoredEntry]:
        """Up to `limit` entries with numbers above `after`, in order."""

    def full_tiles(self, level: int, first: int, end: int) -> Sequence[StoredTile]:
        """The full tiles of a level from index `first` up to, not including, `end`, in order."""

    def partial_tile(self, path: TilePath) -> bytes | None:
        """The hashes of a partial tile; None where the source stores none."""

    def checkpoints(self, after: int, up_to: int) -> Sequence[StoredCheckpoint]:
        """The checkpoints of sizes above `after`, up to and including `up_to`, in order."""

    def texts(self, first: int, end: int) -> Sequence[StoredText] | None:
        """The texts behind commitments of entries from `first` up to, not including, `end`; None: withheld."""


class DatabaseSource:
    """The log in its own database. The connection is best in one read transaction."""

    def __init__(self, connection: "Connection") -> None:
        self._connection = connection
        self._end = 0

    def extent(self) -> Extent:
        from sqlalchemy import func, select

        from audit.tables import CHECKPOINT, ENTRY, TILE

        # One statement, so that all is counted at one moment.
        query = select(
            select(func.count()).select_from(ENTRY).scalar_subquery(),
            select(func.max(ENTRY.c.sequence)).scalar_subquery(),
            select(func.max(CHECKPOINT.c.tree_size)).scalar_subquery(),
            select(func.count()).select_from(TILE).scalar_subquery(),
        )
        entries, last, tree_size, tiles = self._rows(query)[0]
        self._end = 0 if last is None else last + 1
        return Extent(entries, self._end, tree_size or 0, tiles)

    def entries(self, after: int | None, limit: int) -> Sequence[StoredEntry]:
        from sqlalchemy import select

        from audit.tables import ENTRY

        columns = ENTRY.c
        query = (
            select(
                columns.sequence,
                columns.leaf,
                columns.leaf_hash,
                columns.time,
                columns.actor,
                columns.action,
                columns.subject_kind,
                columns.subject_id,
            )
            .where(columns.sequence < self._end)
            .order_by(columns.sequence)
            .limit(limit)
        )
        if after is not None:
            query = query.where(columns.sequence > after)
        rows = [StoredEntry._make(row) for row in self._rows(query)]
        return [
            row
            if _are_bytes(row.leaf, row.leaf_hash)
            else row._replace(leaf=_bytes(row.leaf), leaf_hash=_bytes(row.leaf_hash))
            for row in rows
        ]

    def full_tiles(self, level: int, first: int, end: int) -> Sequence[StoredTile]:
        from sqlalchemy import select

        from audit.tables import TILE

        query = (
            select(TILE.c.tile_index, TILE.c.hashes, TILE.c.root)
            .where(TILE.c.level == level, TILE.c.tile_index >= first, TILE.c.tile_index < end)
            .order_by(TILE.c.tile_index)
        )
        return [StoredTile(number, _bytes(hashes), _bytes(root)) for number, hashes, root in self._rows(query)]

    def partial_tile(self, path: TilePath) -> bytes | None:
        return None

    def checkpoints(self, after: int, up_to: int) -> Sequence[StoredCheckpoint]:
        from sqlalchemy import select

        from audit.tables import CHECKPOINT

        query = (
            select(CHECKPOINT.c.tree_size, CHECKPOINT.c.root, CHECKPOINT.c.note)
            .where(CHECKPOINT.c.tree_size > after, CHECKPOINT.c.tree_size <= up_to)
            .order_by(CHECKPOINT.c.tree_size)
        )
        return [StoredCheckpoint(size, _bytes(root), str(note)) for size, root, note in self._rows(query)]

    def texts(self, first: int, end: int) -> Sequence[StoredText] | None:
        from sqlalchemy import select

        from audit.tables import TEXT

        query = select(TEXT.c.sequence, TEXT.c.path, TEXT.c.salt, TEXT.c.text).where(
            TEXT.c.sequence >= first, TEXT.c.sequence < end
        )
        return [
            StoredText(number, str(path), _bytes(salt), str(text)) for number, path, salt, text in self._rows(query)
        ]

    def _rows(self, query: "Select[*Columns]") -> "Sequence[Row[*Columns]]":
        from sqlalchemy.exc import DBAPIError

        try:
            return self._connection.execute(query).all()
        except DBAPIError as error:
            reason = str(error.orig).strip()
            holds_none = "no such table" in reason or "does not exist" in reason
            said = "The database holds no log" if holds_none else "The database could not be read"
            raise SourceError(f"{said}: {reason}.") from None


# SQLite keeps text in a column of bytes, if somebody puts it there.
def _are_bytes(one: object, other: object) -> bool:
    return isinstance(one, bytes) and isinstance(other, bytes)


def _bytes(value: object) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()
