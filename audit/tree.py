"""Merkle tree hashing of RFC 6962, section 2.1, with SHA-256. Bytes in, bytes out.

A hash is always 32 bytes. A *complete subtree* of height h at offset k covers the leaves from k * 2**h to
(k + 1) * 2**h; once its leaves exist, its hash never changes. The *frontier* of a tree is the list of its largest
complete subtrees from left to right, one for each 1 in the binary form of its size: all that appending needs.
"""

from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import NamedTuple, Self

__all__ = [
    "EMPTY_ROOT",
    "HASH_SIZE",
    "CompactRange",
    "Subtree",
    "complete_subtrees",
    "fold",
    "leaf_hash",
    "node_hash",
    "root_hash",
]

HASH_SIZE = 32
EMPTY_ROOT = sha256(b"").digest()


def leaf_hash(leaf: bytes) -> bytes:
    """Hash of one leaf: SHA-256(0x00 || leaf)."""
    return sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash of an inner node: SHA-256(0x01 || left || right)."""
    return sha256(b"\x01" + left + right).digest()


def root_hash(leaf_hashes: Sequence[bytes]) -> bytes:
    """Merkle tree hash of leaves already hashed."""
    tree = CompactRange()
    tree.extend(leaf_hashes)
    return tree.root()


class Subtree(NamedTuple):
    """The complete subtree of `height` at `offset`, counted in subtrees of that height."""

    height: int
    offset: int


def complete_subtrees(start: int, end: int) -> list[Subtree]:
    """The largest complete subtrees that together cover the leaves from `start` to `end`, left to right.

    For a range of a proof (whose start is a multiple of a power of two at least as large as the range) their
    `fold` is MTH(D[start:end]).
    """
    found = []
    while start < end:
        remaining = (end - start).bit_length() - 1
        # Trailing zeroes of start: the largest subtree that may begin there.
        height = min(remaining, (start & -start).bit_length() - 1) if start else remaining
        found.append(Subtree(height, start >> height))
        start += 1 << height
    return found


def fold(hashes: Sequence[bytes]) -> bytes:
    """Root over complete subtrees from left to right: each joins with all that lies to its right."""
    if not hashes:
        return EMPTY_ROOT
    root = hashes[-1]
    for left in reversed(hashes[:-1]):
        root = node_hash(left, root)
    return root


class CompactRange:
    """A growing tree of which only the frontier is kept: O(log n) memory, one inner hash per leaf on average."""

    def __init__(self) -> None:
        self.size = 0
        # At position h the frontier's subtree of height h, or None where that bit of the size is 0.
        self._by_height: list[bytes | None] = []

    @classmethod
    def of_frontier(cls, size: int, frontier: bytes) -> Self:
        """The tree of `size` leaves whose frontier hashes, concatenated left to right, are `frontier`.

        Raises:
            ValueError: the number of hashes is not the number of ones in the size.
        """
        if size < 0 or len(frontier) != size.bit_count() * HASH_SIZE:
            raise ValueError(f"a frontier of {len(frontier)} bytes belongs to no tree of {size} leaves")
        tree = cls()
        tree.size = size
        tree._by_height = [None] * size.bit_length()
        for number, (height, _) in enumerate(complete_subtrees(0, size)):
            tree._by_height[height] = frontier[number * HASH_SIZE : (number + 1) * HASH_SIZE]
        return tree

    def extend(self, leaf_hashes: Iterable[bytes]) -> None:
        """Append leaves already hashed."""
        level = list(leaf_hashes)
        self.size += len(level)
        height = 0
        # Binary addition: at each height, a subtree waiting there joins the new ones; pairs go up, an odd one stays.
        while level:
            if height == len(self._by_height):
                self._by_height.append(None)
            waiting = self._by_height[height]
            if waiting is not None:
                level.insert(0, waiting)
            self._by_height[height] = level.pop() if len(level) % 2 else None
            # node_hash, written out: a call for each node would take as long again as the hashing.
            level = [sha256(b"\x01" + level[i] + level[i + 1]).digest() for i in range(0, len(level), 2)]
            height += 1

    def hashes(self) -> list[bytes]:
        """The frontier, from left to right."""
        return [subtree for subtree in reversed(self._by_height) if subtree is not None]

    def frontier(self) -> bytes:
        """The frontier as bytes, from left to right."""
        return b"".join(self.hashes())

    def root(self) -> bytes:
        """Merkle tree hash of all leaves so far."""
        return fold(self.hashes())
