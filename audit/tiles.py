"""Arithmetic and encodings of C2SP tlog-tiles: which tiles a tree has, their paths, bundles of entries.

Tile `index` at `level` holds up to 256 hashes; hash i of it is the root of the complete subtree over
256**level leaves that starts at leaf (256 * index + i) * 256**level.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Self

from audit.tree import CompactRange, fold

__all__ = [
    "TILE_HEIGHT",
    "TILE_WIDTH",
    "FilledTile",
    "TilePath",
    "TiledTree",
    "decode_bundle",
    "encode_bundle",
    "hashes_at",
    "tile_paths",
    "width_in",
]

TILE_HEIGHT = 8
TILE_WIDTH = 256
MAX_LEVEL = 63

_PATH = re.compile(
    r"tile/(?P<level>0|[1-9][0-9]?|entries)/(?P<index>(?:x[0-9]{3}/){0,5}[0-9]{3})(?:\.p/(?P<width>[1-9][0-9]{0,2}))?"
)


def hashes_at(level: int, size: int) -> int:
    """How many hashes the tiles of `level` hold together, in a tree of `size` leaves: floor(size / 256**level)."""
    return size >> (TILE_HEIGHT * level)


def width_in(level: int, index: int, size: int) -> int:
    """How many hashes the tile holds in a tree of `size` leaves; 0 where there is no such tile."""
    return max(0, min(TILE_WIDTH, hashes_at(level, size) - index * TILE_WIDTH))


@dataclass(frozen=True)
class TilePath:
    """Where a tile, or a bundle of entries, lies below the log's address."""

    level: int | None
    """None for a bundle of entries."""
    index: int
    width: int = TILE_WIDTH
    """1 to 256; below 256 the tile is partial."""

    def __str__(self) -> str:
        digits = f"{self.index:03d}"
        digits = digits.zfill(-(-len(digits) // 3) * 3)
        groups = [digits[start : start + 3] for start in range(0, len(digits), 3)]
        number = "/".join([*(f"x{group}" for group in groups[:-1]), groups[-1]])
        partial = "" if self.width == TILE_WIDTH else f".p/{self.width}"
        return f"tile/{'entries' if self.level is None else self.level}/{number}{partial}"

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """Read a path such as `tile/0/x001/234.p/17`; None where it is not one, or not in its one spelling."""
        match = _PATH.fullmatch(text)
        if match is None:
            return None
        level = None if match["level"] == "entries" else int(match["level"])
        index = int(match["index"].replace("x", "").replace("/", ""))
        path = cls(level, index, int(match["width"] or TILE_WIDTH))
        return path if (level is None or level <= MAX_LEVEL) and str(path) == text else None


def tile_paths(size: int) -> list[TilePath]:
    """All tiles of hashes in a tree of `size` leaves, level by level, the partial ones last in theirs."""
    paths = []
    level = 0
    while hashes_at(level, size):
        count = -(-hashes_at(level, size) // TILE_WIDTH)
        paths += [TilePath(level, index, width_in(level, index, size)) for index in range(count)]
        level += 1
    return paths


def encode_bundle(leaves: Sequence[bytes]) -> bytes:
    """A bundle of entries: each with two bytes of length before it, big-endian."""
    return b"".join(len(leaf).to_bytes(2, "big") + leaf for leaf in leaves)


def decode_bundle(bundle: bytes) -> list[bytes]:
    """The leaves in a bundle.

    Raises:
        ValueError: it ends within an entry.
    """
    leaves = []
    position = 0
    while position < len(bundle):
        start = position + 2
        position = start + int.from_bytes(bundle[position:start], "big")
        if start > len(bundle) or position > len(bundle):
            raise ValueError("the bundle ends within an entry")
        leaves.append(bundle[start:position])
    return leaves


class FilledTile(NamedTuple):
    """A tile with all its 256 hashes."""

    level: int
    number: int
    hashes: list[bytes]
    root: bytes
    """Root of the complete subtree over all of them: one hash of the tile above."""


@dataclass
class _Edge:
    """The last, unfilled tile of a level."""

    index: int = 0
    hashes: list[bytes] = field(default_factory=list)
    tree: CompactRange = field(default_factory=CompactRange)


class TiledTree:
    """A growing tree that hands out its tiles as they fill: memory for one tile a level, each hash computed once."""

    def __init__(self) -> None:
        self.size = 0
        self._edges: list[_Edge] = []

    def extend(self, leaf_hashes: Sequence[bytes]) -> list[FilledTile]:
        """Append leaves already hashed; the tiles that they fill, on all levels."""
        self.size += len(leaf_hashes)
        filled: list[FilledTile] = []
        self._extend(0, leaf_hashes, filled)
        return filled

    def _extend(self, level: int, hashes: Sequence[bytes], filled: list[FilledTile]) -> None:
        if level == len(self._edges):
            self._edges.append(_Edge())
        position = 0
        while position < len(hashes):
            edge = self._edges[level]
            taken = hashes[position : position + TILE_WIDTH - len(edge.hashes)]
            position += len(taken)
            edge.hashes += taken
            edge.tree.extend(taken)
            if len(edge.hashes) == TILE_WIDTH:
                root = edge.tree.root()
                filled.append(FilledTile(level, edge.index, edge.hashes, root))
                self._edges[level] = _Edge(edge.index + 1)
                self._extend(level + 1, [root], filled)

    def root(self) -> bytes:
        """Merkle tree hash of all leaves so far."""
        return fold([subtree for edge in reversed(self._edges) for subtree in edge.tree.hashes()])

    def partial_tiles(self) -> list[tuple[TilePath, bytes]]:
        """The unfilled tiles with their hashes, concatenated."""
        return [
            (TilePath(level, edge.index, len(edge.hashes)), b"".join(edge.hashes))
            for level, edge in enumerate(self._edges)
            if edge.hashes
        ]
