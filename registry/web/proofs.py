"""An inclusion proof read down like a column of sums: each line joins the sum so far with its neighbour's hash."""

from dataclasses import dataclass

from audit.proof import inclusion_ranges
from audit.tree import node_hash


@dataclass(frozen=True)
class Line:
    """One join. `first` to `last`: the entries whose hash flows in, which lie before (`left`) or after the entry."""

    side: str
    first: int
    last: int
    hash_hex: str
    sum_hex: str


@dataclass(frozen=True)
class Sums:
    """The whole column, and whether it ends in the root that the checkpoint signs."""

    lines: tuple[Line, ...]
    root_hex: str
    reaches_root: bool


def sums_of(leaf_hash: bytes, sequence: int, size: int, path: tuple[bytes, ...], root: bytes) -> Sums:
    """The column for entry `sequence` in the tree of `size` entries. RFC 6962, section 2.1.1."""
    total, lines = leaf_hash, []
    for (start, end), hash_ in zip(inclusion_ranges(sequence, size), path, strict=True):
        side = "left" if end <= sequence else "right"
        total = node_hash(hash_, total) if side == "left" else node_hash(total, hash_)
        lines.append(Line(side, start, end - 1, hash_.hex(), total.hex()))
    return Sums(tuple(lines), total.hex(), total == root)
