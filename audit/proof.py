"""Inclusion and consistency proofs of RFC 6962, sections 2.1.1 and 2.1.2.

A proof is planned first, as ranges of leaves, and filled afterwards: `inclusion_ranges` and `consistency_ranges` say
which subtrees make it up, whoever holds the hashes looks them up, `assemble` folds them. The verifying functions
need no tree.
"""

from collections.abc import Mapping, Sequence

from audit.errors import ConsistencyError, NotInLogError, ProofError
from audit.tree import EMPTY_ROOT, HASH_SIZE, Subtree, complete_subtrees, fold, node_hash

__all__ = [
    "Range",
    "assemble",
    "consistency_ranges",
    "inclusion_ranges",
    "subtrees_of",
    "verify_consistency",
    "verify_inclusion",
]

Range = tuple[int, int]
"""Leaves from the first number up to, not including, the second."""


def inclusion_ranges(index: int, size: int) -> list[Range]:
    """PATH(index, D[0:size]): the ranges whose hashes prove the leaf, from its sibling up to the root's child.

    Raises:
        NotInLogError: the tree has no such leaf.
    """
    if not 0 <= index < size:
        raise NotInLogError(f"A tree of {size} entries has no entry {index}.")
    ranges = []
    start, end = 0, size
    while end - start > 1:
        split = start + _left_size(end - start)
        if index < split:
            ranges.append((split, end))
            end = split
        else:
            ranges.append((start, split))
            start = split
    ranges.reverse()
    return ranges


def consistency_ranges(old: int, new: int) -> list[Range]:
    """PROOF(old, D[0:new]): the ranges whose hashes prove that the larger tree extends the smaller.

    Empty for equal sizes, and for `old` = 0, which every tree extends.

    Raises:
        NotInLogError: sizes out of order.
    """
    if not 0 <= old <= new:
        raise NotInLogError(f"A tree of {new} entries extends none of {old}.")
    if old in (0, new):
        return []
    ranges = []
    start, end = 0, new
    # SUBPROOF walks towards the old tree's last leaf until the range in hand is a subtree of the old tree.
    while end != old:
        split = start + _left_size(end - start)
        if old <= split:
            ranges.append((split, end))
            end = split
        else:
            ranges.append((start, split))
            start = split
    if start:
        ranges.append((start, end))
    ranges.reverse()
    return ranges


def subtrees_of(ranges: Sequence[Range]) -> set[Subtree]:
    """All complete subtrees whose hashes `assemble` needs."""
    return {subtree for start, end in ranges for subtree in complete_subtrees(start, end)}


def assemble(ranges: Sequence[Range], hashes: Mapping[Subtree, bytes]) -> tuple[bytes, ...]:
    """The proof: the hash of each range."""
    return tuple(fold([hashes[subtree] for subtree in complete_subtrees(start, end)]) for start, end in ranges)


def verify_inclusion(leaf_hash: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> None:
    """Check that `leaf_hash` is leaf `index` of the tree of `size` leaves with this `root`.

    Raises:
        ProofError: it is not shown to be.
    """
    try:
        ranges = inclusion_ranges(index, size)
    except NotInLogError as error:
        raise ProofError(str(error)) from None
    _check_shape(proof, len(ranges))
    node = leaf_hash
    for (start, _), sibling in zip(ranges, proof, strict=True):
        # A range that starts beyond the leaf is a right sibling.
        node = node_hash(node, sibling) if start > index else node_hash(sibling, node)
    if node != root:
        raise ProofError(
            f"The proof leads from entry {index} to the root {node.hex()}, not to {root.hex()} of {size} entries: "
            "this entry, as given, is not in that tree."
        )


def verify_consistency(old: int, old_root: bytes, new: int, new_root: bytes, proof: Sequence[bytes]) -> None:
    """Check that the tree of `new` leaves extends the tree of `old` leaves.

    Raises:
        ConsistencyError: it is not shown to.
        ProofError: sizes out of order, or a proof of the wrong length.
    """
    try:
        ranges = consistency_ranges(old, new)
    except NotInLogError as error:
        raise ProofError(str(error)) from None
    _check_shape(proof, len(ranges))
    evidence = ConsistencyError(old, old_root, new, new_root, tuple(proof))
    if old == 0:
        if old_root != EMPTY_ROOT:
            raise evidence
        return
    if old == new:
        if old_root != new_root:
            raise evidence
        return
    # Where the old tree is itself a complete subtree of the new one, the proof omits it: its hash is the old root.
    node_ranges = list(ranges)
    hashes = list(proof)
    if node_ranges[0][0] >= old:
        node_ranges.insert(0, (0, old))
        hashes.insert(0, old_root)
    old_node = new_node = hashes[0]
    for (start, _), sibling in zip(node_ranges[1:], hashes[1:], strict=True):
        if start >= old:
            new_node = node_hash(new_node, sibling)
        else:
            old_node = node_hash(sibling, old_node)
            new_node = node_hash(sibling, new_node)
    if (old_node, new_node) != (old_root, new_root):
        raise evidence


def _left_size(size: int) -> int:
    """Largest power of two below `size`, which is at least 2."""
    return 1 << ((size - 1).bit_length() - 1)


def _check_shape(proof: Sequence[bytes], length: int) -> None:
    if len(proof) != length:
        raise ProofError(f"A proof for these sizes has {length} hashes; this one has {len(proof)}.")
    if any(len(part) != HASH_SIZE for part in proof):
        raise ProofError(f"Each hash of a proof has {HASH_SIZE} bytes.")
