"""Hashes of the tree in the database: tiles, bundles, and proofs with a logarithmic number of reads.

Full tiles are stored; what is not yet full is made from below: level 0 from the entries' hashes, every other level
from the roots of the full tiles beneath.
"""

from collections.abc import Iterable
from itertools import groupby

from sqlalchemy import Connection, bindparam, select

from audit.errors import NotInLogError
from audit.proof import Range, assemble, consistency_ranges, inclusion_ranges, subtrees_of
from audit.tables import CHECKPOINT, ENTRY, TILE
from audit.tiles import TILE_HEIGHT, TILE_WIDTH, encode_bundle, hashes_at, width_in
from audit.tree import HASH_SIZE, Subtree, complete_subtrees, fold, root_hash

__all__ = [
    "consistency_proof",
    "entry_bundle",
    "inclusion_proof",
    "root_at",
    "stored_hashes",
    "tile_bytes",
]

_LEAF_HASHES = (
    select(ENTRY.c.leaf_hash)
    .where(ENTRY.c.sequence >= bindparam("first"), ENTRY.c.sequence < bindparam("end"))
    .order_by(ENTRY.c.sequence)
)
_TILE_ROOTS = (
    select(TILE.c.root)
    .where(
        TILE.c.level == bindparam("level"),
        TILE.c.tile_index >= bindparam("first"),
        TILE.c.tile_index < bindparam("end"),
    )
    .order_by(TILE.c.tile_index)
)
_TILE = select(TILE.c.hashes).where(TILE.c.level == bindparam("level"), TILE.c.tile_index == bindparam("index"))
_LEAVES = (
    select(ENTRY.c.leaf)
    .where(ENTRY.c.sequence >= bindparam("first"), ENTRY.c.sequence < bindparam("end"))
    .order_by(ENTRY.c.sequence)
)
_FRONTIER = select(CHECKPOINT.c.frontier).where(CHECKPOINT.c.tree_size == bindparam("size"))


def stored_hashes(connection: Connection, level: int, first: int, count: int) -> list[bytes]:
    """`count` hashes of a level of tiles, from hash number `first` on.

    Raises:
        NotInLogError: the log does not have them all.
    """
    parameters = {"first": first, "end": first + count}
    if level == 0:
        rows = connection.execute(_LEAF_HASHES, parameters)
    else:
        rows = connection.execute(_TILE_ROOTS, parameters | {"level": level - 1})
    hashes = list(rows.scalars())
    if len(hashes) != count:
        raise NotInLogError(f"The log has only {len(hashes)} of the {count} hashes from {first} on at level {level}.")
    return hashes


def tile_bytes(connection: Connection, level: int, index: int, width: int) -> bytes:
    """The first `width` hashes (1 to 256) of a tile, concatenated: 32 bytes each.

    Raises:
        NotInLogError: the log has no such tile.
    """
    if level < 0 or index < 0 or not 1 <= width <= TILE_WIDTH:
        raise NotInLogError(f"There is no tile {index} of width {width} at level {level}.")
    if width == TILE_WIDTH:
        hashes = connection.execute(_TILE, {"level": level, "index": index}).scalar()
        if hashes is None:
            raise NotInLogError(f"The log has no full tile {index} at level {level}.")
        return bytes(hashes)
    return b"".join(stored_hashes(connection, level, index * TILE_WIDTH, width))


def entry_bundle(connection: Connection, index: int, width: int) -> bytes:
    """The first `width` entries (1 to 256) of a bundle, each with two bytes of length before it.

    Raises:
        NotInLogError: the log has no such bundle.
    """
    if index < 0 or not 1 <= width <= TILE_WIDTH:
        raise NotInLogError(f"There is no bundle {index} of {width} entries.")
    first = index * TILE_WIDTH
    leaves = list(connection.execute(_LEAVES, {"first": first, "end": first + width}).scalars())
    if len(leaves) != width:
        raise NotInLogError(f"The log has only {len(leaves)} of the {width} entries from {first} on.")
    return encode_bundle(leaves)


def inclusion_proof(connection: Connection, index: int, size: int) -> tuple[bytes, ...]:
    """Proof that entry `index` is in the tree of the first `size` entries; from the leaf up.

    Raises:
        NotInLogError: the log has no such entry or tree.
    """
    return _prove(connection, inclusion_ranges(index, size), size)


def consistency_proof(connection: Connection, old: int, new: int) -> tuple[bytes, ...]:
    """Proof that the tree of the first `new` entries extends the tree of the first `old`.

    Raises:
        NotInLogError: the log has no such trees.
    """
    return _prove(connection, consistency_ranges(old, new), new)


def root_at(connection: Connection, size: int) -> bytes:
    """Root of the tree of the first `size` entries, from stored hashes.

    Raises:
        NotInLogError: the log is smaller.
    """
    frontier = complete_subtrees(0, size)
    hashes = _read(connection, frontier, size)
    return fold([hashes[subtree] for subtree in frontier])


def _prove(connection: Connection, ranges: list[Range], size: int) -> tuple[bytes, ...]:
    needed = subtrees_of(ranges)
    known: dict[Subtree, bytes] = {}
    # The right edge of a tree with a checkpoint lies in the checkpoint's row.
    frontier = connection.execute(_FRONTIER, {"size": size}).scalar()
    if frontier is not None:
        for number, subtree in enumerate(complete_subtrees(0, size)):
            known[subtree] = frontier[number * HASH_SIZE : (number + 1) * HASH_SIZE]
    known |= _read(connection, needed - known.keys(), size)
    return assemble(ranges, known)


def _read(connection: Connection, subtrees: Iterable[Subtree], size: int) -> dict[Subtree, bytes]:
    """The hashes of complete subtrees, each tile read once."""
    found = {}
    ordered = sorted(subtrees, key=lambda subtree: (_tile_of(subtree), subtree))
    for (level, index), group in groupby(ordered, _tile_of):
        wanted = [(subtree, *_span(subtree)) for subtree in group]
        first = min(start for _, start, _ in wanted)
        end = max(end for _, _, end in wanted)
        if end - first > 1 and width_in(level, index, size) == TILE_WIDTH:
            tile = tile_bytes(connection, level, index, TILE_WIDTH)
            first = index * TILE_WIDTH
            hashes = [tile[start : start + HASH_SIZE] for start in range(0, len(tile), HASH_SIZE)]
        elif end > hashes_at(level, size):
            raise NotInLogError(f"A tree of {size} entries has no hash {end - 1} at level {level}.")
        else:
            hashes = stored_hashes(connection, level, first, end - first)
        for subtree, start, stop in wanted:
            found[subtree] = root_hash(hashes[start - first : stop - first])
    return found


def _tile_of(subtree: Subtree) -> tuple[int, int]:
    level, height = divmod(subtree.height, TILE_HEIGHT)
    return level, (subtree.offset << height) // TILE_WIDTH


def _span(subtree: Subtree) -> tuple[int, int]:
    """First and end of the hashes at the subtree's tile level that it covers."""
    height = subtree.height % TILE_HEIGHT
    return subtree.offset << height, (subtree.offset + 1) << height
