"""Where a verifier reads a log from: the database itself, or a web server that serves C2SP tlog-tiles.

A source hands out what is there and judges nothing; what cannot be read at all is a `SourceError`.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol, TypeVarTuple

from audit.checkpoint import read_checkpoint
from audit.errors import CheckpointError, SourceError
from audit.tiles import TILE_WIDTH, TilePath, decode_bundle, hashes_at, width_in

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row, Select

Columns = TypeVarTuple("Columns")

__all__ = [
    "DatabaseSource",
    "Extent",
    "HttpSource",
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


class HttpSource:
    """A log served as C2SP tlog-tiles below `<base_url>/log/`.

    Redirects are not followed, so that the token reaches no other server. Side texts are not served there.
    """

    MAX_RESPONSE_BYTES = TILE_WIDTH * (65_535 + 2)

    def __init__(self, base_url: str, token: str | None = None, timeout_seconds: float = 30.0) -> None:
        import httpx

        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        self._prefix = base_url.rstrip("/") + "/log/"
        self._client = httpx.Client(headers=headers, timeout=timeout_seconds)
        self._checkpoint = StoredCheckpoint(0, None, "")

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def extent(self) -> Extent:
        try:
            note = self._get("checkpoint").decode()
            size = read_checkpoint(note).size
        except (CheckpointError, UnicodeDecodeError) as error:
            raise SourceError(f"{self._prefix}checkpoint holds no checkpoint: {error}") from None
        self._checkpoint = StoredCheckpoint(size, None, note)
        return Extent(size, size, size, None)

    def entries(self, after: int | None, limit: int) -> Sequence[StoredEntry]:
        first = 0 if after is None else after + 1
        end = min(first + limit, self._checkpoint.size)
        found: list[StoredEntry] = []
        for index in range(first // TILE_WIDTH, -(-end // TILE_WIDTH)):
            width = width_in(0, index, self._checkpoint.size)
            bundle = self._get_tile(TilePath(None, index, width))
            try:
                leaves = decode_bundle(bundle)[:width]
            except ValueError as error:
                raise SourceError(f"{self._prefix}{TilePath(None, index, width)}: {error}.") from None
            if len(leaves) < width:
                raise SourceError(f"{self._prefix}{TilePath(None, index, width)} has only {len(leaves)} entries.")
            found += [
                StoredEntry(number, leaf, None, None, None, None, None, None)
                for number, leaf in enumerate(leaves, index * TILE_WIDTH)
                if first <= number < end
            ]
        return found

    def full_tiles(self, level: int, first: int, end: int) -> Sequence[StoredTile]:
        last = hashes_at(level, self._checkpoint.size) // TILE_WIDTH
        return [
            StoredTile(index, self._get_tile(TilePath(level, index)), None) for index in range(first, min(end, last))
        ]

    def partial_tile(self, path: TilePath) -> bytes | None:
        return self._get_tile(path)[: path.width * 32]

    def checkpoints(self, after: int, up_to: int) -> Sequence[StoredCheckpoint]:
        return [self._checkpoint] if after < self._checkpoint.size <= up_to else []

    def texts(self, first: int, end: int) -> Sequence[StoredText] | None:
        return None

    def _get_tile(self, path: TilePath) -> bytes:
        try:
            return self._get(str(path))
        except SourceError:
            if path.width == TILE_WIDTH:
                raise
            # A log may drop a partial tile once the full one exists.
            return self._get(str(TilePath(path.level, path.index)))

    def _get(self, path: str) -> bytes:
        import httpx

        url = self._prefix + path
        try:
            with self._client.stream("GET", url) as response:
                if response.status_code != httpx.codes.OK:
                    raise SourceError(f"{url} answered {response.status_code}.{_remedy(response.status_code)}")
                body = bytearray()
                for part in response.iter_bytes():
                    body += part
                    if len(body) > self.MAX_RESPONSE_BYTES:
                        raise SourceError(f"{url} sent more than {self.MAX_RESPONSE_BYTES:,} bytes.")
                return bytes(body)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise SourceError(f"{url} could not be read: {error}.") from None


# SQLite keeps text in a column of bytes, if somebody puts it there.
def _are_bytes(one: object, other: object) -> bool:
    return isinstance(one, bytes) and isinstance(other, bytes)


def _bytes(value: object) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()


def _remedy(status: int) -> str:
    return " It wants an API token that may read the log, from a file (--token-file)." if status in (401, 403) else ""
