"""Reading the log from the database: entries, the texts behind their commitments, checkpoints."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Select, bindparam, select

from audit.checkpoint import Checkpoint, read_checkpoint
from audit.entry import Entry, format_time, parse_leaf
from audit.errors import LeafError, NotInLogError
from audit.tables import CHECKPOINT, ENTRY, TEXT

__all__ = [
    "EntryFilter",
    "SignedCheckpoint",
    "checkpoint_at",
    "entries_after",
    "entries_before",
    "entry",
    "latest_checkpoint",
    "texts",
]

_CHUNK = 500

_ENTRY = select(ENTRY.c.sequence, ENTRY.c.leaf)
_ONE_ENTRY = _ENTRY.where(ENTRY.c.sequence == bindparam("sequence"))
_TEXTS = select(TEXT.c.sequence, TEXT.c.path, TEXT.c.text).where(
    TEXT.c.sequence.in_(bindparam("sequences", expanding=True))
)
_LATEST = select(CHECKPOINT.c.note).order_by(CHECKPOINT.c.tree_size.desc()).limit(1)
_AT = select(CHECKPOINT.c.note).where(CHECKPOINT.c.tree_size == bindparam("size"))


@dataclass(frozen=True)
class EntryFilter:
    """Which entries are wanted; what is None is not asked for."""

    actor: str | None = None
    action: str | None = None
    subject_kind: str | None = None
    subject_id: str | None = None
    since: datetime | None = None
    """Entries at or after this time."""
    until: datetime | None = None
    """Entries before this time."""


@dataclass(frozen=True)
class SignedCheckpoint:
    """A checkpoint and the signed note that carries it."""

    checkpoint: Checkpoint
    note: str


def entry(connection: Connection, sequence: int) -> Entry:
    """One entry, as its leaf says.

    Raises:
        NotInLogError: there is none of that number.
        LeafError: what the database holds in its place is no entry.
    """
    row = connection.execute(_ONE_ENTRY, {"sequence": sequence}).one_or_none()
    if row is None:
        raise NotInLogError(f"The log has no entry {sequence}.")
    return _parse(row.sequence, row.leaf)


def entries_after(connection: Connection, where: EntryFilter, after: int | None, limit: int) -> list[Entry]:
    """Up to `limit` entries, oldest first, with numbers above `after` (None: from the first on).

    Raises:
        LeafError: what the database holds in place of one is no entry.
    """
    query = _filtered(where).order_by(ENTRY.c.sequence).limit(limit)
    if after is not None:
        query = query.where(ENTRY.c.sequence > after)
    return [_parse(sequence, leaf) for sequence, leaf in connection.execute(query)]


def entries_before(connection: Connection, where: EntryFilter, before: int | None, limit: int) -> list[Entry]:
    """Up to `limit` entries, newest first, with numbers below `before` (None: from the last on).

    Raises:
        LeafError: what the database holds in place of one is no entry.
    """
    query = _filtered(where).order_by(ENTRY.c.sequence.desc()).limit(limit)
    if before is not None:
        query = query.where(ENTRY.c.sequence < before)
    return [_parse(sequence, leaf) for sequence, leaf in connection.execute(query)]


def texts(connection: Connection, sequences: Sequence[int]) -> dict[tuple[int, str], str]:
    """The texts behind commitments, by entry number and path; what was erased is not there."""
    found = {}
    for start in range(0, len(sequences), _CHUNK):
        rows = connection.execute(_TEXTS, {"sequences": list(sequences[start : start + _CHUNK])})
        found.update({(sequence, path): text for sequence, path, text in rows})
    return found


def latest_checkpoint(connection: Connection) -> SignedCheckpoint | None:
    """The newest checkpoint; None for a log without entries. Its signature is not verified.

    Raises:
        CheckpointError: what the database holds in its place is none.
    """
    return _signed(connection.execute(_LATEST).scalar())


def checkpoint_at(connection: Connection, size: int) -> SignedCheckpoint | None:
    """The checkpoint of the tree of `size` entries, where one was written. Its signature is not verified.

    Raises:
        CheckpointError: what the database holds in its place is none.
    """
    return _signed(connection.execute(_AT, {"size": size}).scalar())


def _filtered(where: EntryFilter) -> Select[int, bytes]:
    query = _ENTRY
    if where.actor is not None:
        query = query.where(ENTRY.c.actor == where.actor)
    if where.action is not None:
        query = query.where(ENTRY.c.action == where.action)
    if where.subject_kind is not None:
        query = query.where(ENTRY.c.subject_kind == where.subject_kind)
    if where.subject_id is not None:
        query = query.where(ENTRY.c.subject_id == where.subject_id)
    if where.since is not None:
        query = query.where(ENTRY.c.time >= format_time(where.since))
    if where.until is not None:
        query = query.where(ENTRY.c.time < format_time(where.until))
    return query


def _parse(sequence: int, leaf: bytes) -> Entry:
    try:
        return parse_leaf(leaf)
    except LeafError as error:
        raise LeafError(f"Entry {sequence} was changed behind the log's back: {error}.") from None


def _signed(note: str | None) -> SignedCheckpoint | None:
    return None if note is None else SignedCheckpoint(read_checkpoint(note), note)
