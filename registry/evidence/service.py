"""Reading the log, for those whose role reaches the whole installation."""

from collections.abc import Mapping
from dataclasses import dataclass

from audit.checkpoint import Checkpoint
from audit.entry import Entry
from audit.errors import NotInLogError
from audit.hashes import consistency_proof, inclusion_proof
from audit.reads import EntryFilter, SignedCheckpoint, entries_after, entries_before, entry, latest_checkpoint, texts
from audit.tlog_proof import tlog_proof
from registry.access.actor import Actor, Role
from registry.errors import InvalidInputError, NotFoundError
from registry.unit import Unit

READERS = tuple(Role)


@dataclass(frozen=True)
class ReadEntry:
    """An entry, and the texts behind its commitments that still exist, by path."""

    entry: Entry
    texts: Mapping[str, str]


@dataclass(frozen=True)
class ProvenEntry:
    """An entry with all that shows that it is in the log."""

    read: ReadEntry
    checkpoint: Checkpoint
    note: str
    """The signed checkpoint."""
    path: tuple[bytes, ...]
    """Hashes from the leaf's sibling up to the root (32 bytes each)."""
    proof: str
    """The same as a C2SP tlog-proof."""


def read_entries(unit: Unit, actor: Actor, where: EntryFilter, *, before: int | None, limit: int) -> list[ReadEntry]:
    """Entries, newest first, with numbers below `before`.

    Raises:
        RefusedError: no role of the actor reaches the whole installation.
    """
    actor.require(*READERS)
    connection = unit.session.connection()
    return _with_texts(unit, entries_before(connection, where, before, limit))


def read_entries_forward(
    unit: Unit, actor: Actor, where: EntryFilter, after: int | None, limit: int
) -> list[ReadEntry]:
    """Entries, oldest first, with numbers above `after`."""
    actor.require(*READERS)
    return _with_texts(unit, entries_after(unit.session.connection(), where, after, limit))


def _with_texts(unit: Unit, found: list[Entry]) -> list[ReadEntry]:
    behind = texts(unit.session.connection(), [item.sequence for item in found])
    grouped: dict[int, dict[str, str]] = {}
    for (sequence, path), text in behind.items():
        grouped.setdefault(sequence, {})[path] = text
    return [ReadEntry(item, grouped.get(item.sequence, {})) for item in found]


def prove_entry(unit: Unit, actor: Actor, sequence: int) -> ProvenEntry:
    """An entry, the newest checkpoint, and the proof that it is in that tree.

    Raises:
        NotFoundError: the log has no such entry.
    """
    actor.require(*READERS)
    connection = unit.session.connection()
    try:
        found = entry(connection, sequence)
    except NotInLogError:
        raise NotFoundError("log entry", sequence) from None
    latest = latest_checkpoint(connection)
    assert latest is not None, "a log with entries has a checkpoint"
    path = inclusion_proof(connection, sequence, latest.checkpoint.size)
    [read] = _with_texts(unit, [found])
    return ProvenEntry(read, latest.checkpoint, latest.note, tuple(path), tlog_proof(connection, sequence))


def newest_checkpoint(unit: Unit) -> SignedCheckpoint:
    """The newest signed checkpoint.

    Raises:
        NotFoundError: the log is empty.
    """
    latest = latest_checkpoint(unit.session.connection())
    if latest is None:
        raise NotFoundError("checkpoint of an empty log", "newest")
    return latest


def prove_consistency(unit: Unit, actor: Actor, old: int, new: int) -> list[bytes]:
    """Hashes (32 bytes each) that show that the tree of `new` entries extends the tree of `old` ones.

    Raises:
        InvalidInputError: the sizes are not 0 < old <= new <= size of the log.
    """
    actor.require(*READERS)
    connection = unit.session.connection()
    size = newest_checkpoint(unit).checkpoint.size
    if not 0 < old <= new <= size:
        raise InvalidInputError("sizes", f"{old}, {new}", f"the sizes keep 0 < old <= new <= {size}")
    return list(consistency_proof(connection, old, new))
