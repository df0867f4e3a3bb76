"""Appending to the log, inside the caller's transaction.

An append inserts one row for each entry, a tile for every 256, and one signed checkpoint, and commits nothing: the
entries become true together with the state change that they record. On PostgreSQL it takes a lock that is held to
the end of the transaction, so append last. On SQLite the caller's transaction must have begun IMMEDIATE.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection, Table

from audit.checkpoint import Checkpoint, open_checkpoint, sign_checkpoint
from audit.driver import batch, rows_of, send
from audit.entry import SALT_BYTES, Draft, Entry, compose, format_time, parse_time
from audit.errors import CheckpointError, KeyFormatError, LeafError, LogInconsistentError, NotInLogError
from audit.hashes import stored_hashes
from audit.note import Signer
from audit.tables import CHECKPOINT, ENTRY, TEXT, TILE
from audit.tiles import TILE_WIDTH
from audit.tree import CompactRange, root_hash

__all__ = ["Log", "random_salt"]

ADVISORY_LOCK = 0x61637461_6C6F6700
"""Key of the PostgreSQL lock that orders appends: "actalog" in ASCII."""

# Driver SQL, with parameters by position: SQLAlchemy's own statements took twice as long as all else in an append.
_LOCK = f"SELECT pg_advisory_xact_lock({ADVISORY_LOCK})"
# One statement, so that all is read from one snapshot.
_HEAD = (
    "SELECT checkpoint.tree_size, checkpoint.root, checkpoint.note, checkpoint.frontier, entry.sequence, entry.time "
    "FROM (SELECT 1 AS present) AS log "
    "LEFT JOIN (SELECT tree_size, root, note, frontier FROM acta_log_checkpoint ORDER BY tree_size DESC LIMIT 1)"
    " AS checkpoint ON true "
    "LEFT JOIN (SELECT sequence, time FROM acta_log_entry ORDER BY sequence DESC LIMIT 1) AS entry ON true"
)


def _insert(table: Table) -> Mapping[str, str]:
    """The table's INSERT for each dialect; values come in the order of its columns."""
    names = ", ".join(table.c.keys())
    places = {"sqlite": "?", "postgresql": "%s"}
    return {
        dialect: f"INSERT INTO {table.name} ({names}) VALUES ({', '.join([place] * len(table.c))})"  # noqa: S608 - names of our own tables
        for dialect, place in places.items()
    }


_INSERT_ENTRY = _insert(ENTRY)
_INSERT_TEXT = _insert(TEXT)
_INSERT_TILE = _insert(TILE)
_INSERT_CHECKPOINT = _insert(CHECKPOINT)

_Row = tuple[int | str | bytes, ...]


def random_salt() -> bytes:
    """16 fresh bytes from the operating system."""
    return os.urandom(SALT_BYTES)


@dataclass(frozen=True)
class _Head:
    tree: CompactRange
    time: datetime
    """Of the last entry."""


class Log:
    """One transparency log: who signs it, and under which name it is known.

    `origin` is fixed with the first entry, and is the name of the signer's key. `salt` makes the salts of committed
    texts; only a test that must reproduce bytes replaces it.
    """

    def __init__(self, origin: str, signer: Signer, salt: Callable[[], bytes] = random_salt) -> None:
        if signer.verifier_key.name != origin:
            raise KeyFormatError(
                f"The log {origin!r} cannot be signed by the key {signer.verifier_key.name!r}: "
                "a log's key bears the log's name (C2SP tlog-checkpoint)."
            )
        self.origin = origin
        self.signer = signer
        self._salt = salt
        # The last note seen to be well signed, and what it says: verifying takes longer than all else in an append.
        self._opened: tuple[str, Checkpoint] | None = None

    def append(self, connection: Connection, drafts: Sequence[Draft], now: datetime) -> list[Entry]:
        """Append entries, in order, and one checkpoint. The caller commits.

        A `now` before the last entry's time counts as that time.

        Raises:
            EntryError: a draft that cannot be written; nothing was.
            LogInconsistentError: the database contradicts its last checkpoint.
        """
        if not drafts:
            return []
        dialect = connection.dialect.name
        with batch(connection):
            if dialect == "postgresql":
                send(connection, _LOCK, ())
            head = self._read_head(connection)
        tree = head.tree
        first = tree.size
        time = max(now.astimezone(UTC), head.time)
        composed = [compose(draft, first + number, time, self._salt) for number, draft in enumerate(drafts)]
        hashes = [entry.leaf_hash for entry, _ in composed]
        tiles = _filled_tiles(connection, first, hashes)
        tree.extend(hashes)
        written_at = format_time(time)
        rows = [_entry_row(entry, written_at, digest) for (entry, _), digest in zip(composed, hashes, strict=True)]
        texts: list[_Row] = [
            (entry.sequence, side.path, side.salt, side.text) for entry, sides in composed for side in sides
        ]
        checkpoint = Checkpoint(self.origin, tree.size, tree.root())
        note = sign_checkpoint(checkpoint, self.signer)
        row: _Row = (tree.size, checkpoint.root, note, tree.frontier(), written_at)
        with batch(connection):
            send(connection, _INSERT_ENTRY[dialect], *rows)
            send(connection, _INSERT_TEXT[dialect], *texts)
            send(connection, _INSERT_TILE[dialect], *tiles)
            send(connection, _INSERT_CHECKPOINT[dialect], row)
        self._opened = (note, checkpoint)
        return [entry for entry, _ in composed]

    def _read_head(self, connection: Connection) -> _Head:
        ((size, root, note, frontier, last, time),) = rows_of(connection, _HEAD)
        if size is None:
            if last is not None:
                raise LogInconsistentError(f"there are entries up to {last}, but no checkpoint")
            return _Head(CompactRange(), datetime.min.replace(tzinfo=UTC))
        if last is None or last + 1 != size:
            there = "there is no entry" if last is None else f"the last entry is {last}"
            raise LogInconsistentError(f"the last checkpoint is of {size} entries, but {there}")
        checkpoint = self._open(note)
        try:
            tree = CompactRange.of_frontier(size, frontier)
        except ValueError as error:
            raise LogInconsistentError(f"the checkpoint of {size} entries has {error}") from None
        if (checkpoint.size, checkpoint.root) != (size, root) or tree.root() != root:
            raise LogInconsistentError(f"the checkpoint of {size} entries is not what its signed note says")
        try:
            return _Head(tree, parse_time(time))
        except LeafError as error:
            raise LogInconsistentError(f"of entry {last}, {error}") from None

    def _open(self, note: str) -> Checkpoint:
        if self._opened is not None and self._opened[0] == note:
            return self._opened[1]
        try:
            checkpoint = open_checkpoint(note, self.signer.verifier_key)
        except CheckpointError as error:
            raise LogInconsistentError(f"its note is not this log's ({error})") from None
        self._opened = (note, checkpoint)
        return checkpoint


def _filled_tiles(connection: Connection, first: int, hashes: list[bytes]) -> list[_Row]:
    """Rows of the tiles, on all levels, that new leaves from number `first` on complete."""
    rows: list[_Row] = []
    level = 0
    while first // TILE_WIDTH != (first + len(hashes)) // TILE_WIDTH:
        index, waiting = divmod(first, TILE_WIDTH)
        try:
            row = stored_hashes(connection, level, index * TILE_WIDTH, waiting) + hashes
        except NotInLogError as error:
            raise LogInconsistentError(str(error).rstrip(".")) from None
        roots = []
        for start in range(0, len(row) - TILE_WIDTH + 1, TILE_WIDTH):
            tile = row[start : start + TILE_WIDTH]
            roots.append(root_hash(tile))
            rows.append((level, index, b"".join(tile), roots[-1]))
            index += 1
        first //= TILE_WIDTH
        hashes = roots
        level += 1
    return rows


def _entry_row(entry: Entry, time: str, leaf_hash: bytes) -> _Row:
    return (
        entry.sequence,
        time,
        entry.actor,
        entry.action,
        entry.subject_kind,
        entry.subject_id,
        entry.leaf,
        leaf_hash,
    )
