"""The tree and its proofs against RFC 6962, section 2.1, and the vectors of its reference implementation.

Vectors: github.com/google/certificate-transparency, cpp/merkletree/merkle_tree_test.cc (Apache-2.0); the same are
in github.com/transparency-dev/merkle, testonly/constants.go.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.errors import ConsistencyError, NotInLogError, ProofError
from audit.proof import (
    assemble,
    consistency_ranges,
    inclusion_ranges,
    subtrees_of,
    verify_consistency,
    verify_inclusion,
)
from audit.tiles import TiledTree, tile_paths
from audit.tree import EMPTY_ROOT, CompactRange, Subtree, leaf_hash, root_hash
from tests.audit import naive

LEAVES = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
INCLUSION = {
    (0, 8): [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ],
    (5, 8): [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
}
CONSISTENCY = {
    (1, 1): [],
    (1, 8): INCLUSION[0, 8],
    (6, 8): [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
    (2, 5): [
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ],
}


def hashed(leaves: list[bytes]) -> list[bytes]:
    return [leaf_hash(leaf) for leaf in leaves]


def lookup(leaves: list[bytes], subtrees: set[Subtree]) -> dict[Subtree, bytes]:
    return {
        subtree: naive.mth(leaves[subtree.offset << subtree.height : (subtree.offset + 1) << subtree.height])
        for subtree in subtrees
    }


def inclusion(leaves: list[bytes], index: int) -> list[bytes]:
    ranges = inclusion_ranges(index, len(leaves))
    return list(assemble(ranges, lookup(leaves, subtrees_of(ranges))))


def consistency(leaves: list[bytes], old: int) -> list[bytes]:
    ranges = consistency_ranges(old, len(leaves))
    return list(assemble(ranges, lookup(leaves, subtrees_of(ranges))))


@pytest.mark.parametrize("size", range(9))
def test_roots_are_those_of_the_reference_implementation(size):
    assert root_hash(hashed(LEAVES[:size])).hex() == ROOTS[size]


@pytest.mark.parametrize("index, size", INCLUSION)
def test_inclusion_proofs_are_those_of_the_reference_implementation(index, size):
    assert [part.hex() for part in inclusion(LEAVES[:size], index)] == INCLUSION[index, size]


@pytest.mark.parametrize("old, new", CONSISTENCY)
def test_consistency_proofs_are_those_of_the_reference_implementation(old, new):
    assert [part.hex() for part in consistency(LEAVES[:new], old)] == CONSISTENCY[old, new]


trees = st.lists(st.binary(max_size=4), min_size=1, max_size=40)


@given(trees, st.lists(st.integers(1, 9)))
def test_a_tree_grown_in_any_batches_has_the_root_of_the_definition(leaves, batches):
    tree = CompactRange()
    done = 0
    for batch in [*batches, len(leaves)]:
        tree.extend(hashed(leaves[done : done + batch]))
        done = min(done + batch, len(leaves))
        assert tree.root() == naive.mth(leaves[:done])
        tree = CompactRange.of_frontier(tree.size, tree.frontier())
    assert tree.size == len(leaves)


@given(trees)
def test_proofs_are_those_of_the_definition(leaves):
    for number in range(len(leaves)):
        assert inclusion(leaves, number) == naive.path(number, leaves)
        assert consistency(leaves, number + 1) == naive.proof(number + 1, leaves)


@given(trees)
def test_every_proof_verifies(leaves):
    root = naive.mth(leaves)
    for number, leaf in enumerate(leaves):
        verify_inclusion(leaf_hash(leaf), number, len(leaves), inclusion(leaves, number), root)
        old_root = naive.mth(leaves[:number])
        verify_consistency(number, old_root, len(leaves), root, consistency(leaves, number))


def flipped(data: bytes, bit: int) -> bytes:
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


@given(st.lists(st.binary(max_size=4), min_size=2, max_size=40, unique=True), st.data())
def test_an_inclusion_proof_proves_nothing_else(leaves, data):
    size = len(leaves)
    index = data.draw(st.integers(0, size - 1))
    bit = data.draw(st.integers(0, 255))
    leaf, root, proof = leaf_hash(leaves[index]), naive.mth(leaves), inclusion(leaves, index)
    at = data.draw(st.integers(0, len(proof) - 1))
    wrong_part = [*proof[:at], flipped(proof[at], bit), *proof[at + 1 :]]
    other = data.draw(st.integers(-1, size).filter(lambda number: number != index))
    for case in (
        (flipped(leaf, bit), index, size, proof, root),
        (leaf, index, size, wrong_part, root),
        (leaf, index, size, proof, flipped(root, bit)),
        (leaf, other, size, proof, root),
        (leaf, index, size, proof[:-1], root),
        (leaf, index, size, [*proof, root], root),
        (leaf, index, size, [*proof[:-1], proof[-1][:31]], root),
        (leaf, index, 0, proof, root),
    ):
        with pytest.raises(ProofError):
            verify_inclusion(*case)


@given(st.integers(1, 40), st.data())
def test_an_inclusion_proof_of_another_shape_fails(size, data):
    """A proof says nothing of the tree's size where both sizes give it the same shape; the checkpoint does."""
    leaves = [b"%d" % number for number in range(size)]
    index = data.draw(st.integers(0, size - 1))
    wrong = data.draw(st.integers(index + 1, 80))
    proof, root = inclusion(leaves, index), naive.mth(leaves)
    shape = [(start > index) for start, _ in inclusion_ranges(index, size)]
    if [(start > index) for start, _ in inclusion_ranges(index, wrong)] == shape:
        verify_inclusion(leaf_hash(leaves[index]), index, wrong, proof, root)
    else:
        with pytest.raises(ProofError):
            verify_inclusion(leaf_hash(leaves[index]), index, wrong, proof, root)


@given(st.lists(st.binary(max_size=4), min_size=2, max_size=40, unique=True), st.data())
def test_a_consistency_proof_proves_nothing_else(leaves, data):
    new = len(leaves)
    old = data.draw(st.integers(1, new - 1))
    bit = data.draw(st.integers(0, 255))
    old_root, new_root, proof = naive.mth(leaves[:old]), naive.mth(leaves), consistency(leaves, old)
    at = data.draw(st.integers(0, len(proof) - 1))
    wrong_part = [*proof[:at], flipped(proof[at], bit), *proof[at + 1 :]]
    for case in (
        (old, flipped(old_root, bit), new, new_root, proof),
        (old, old_root, new, flipped(new_root, bit), proof),
        (old, old_root, new, new_root, wrong_part),
        (old, old_root, new, new_root, proof[:-1]),
        (old, old_root, new, new_root, [*proof, new_root]),
        (new, old_root, old, new_root, proof),
        (new, old_root, new, new_root, []),
        (0, old_root, new, new_root, []),
    ):
        with pytest.raises(ProofError):
            verify_consistency(*case)


def test_a_failed_consistency_proof_carries_both_trees():
    with pytest.raises(ConsistencyError) as failure:
        verify_consistency(1, b"\1" * 32, 1, b"\2" * 32, [])
    assert (failure.value.old_root, failure.value.new_root) == (b"\1" * 32, b"\2" * 32)


def test_every_tree_extends_the_empty_tree():
    verify_consistency(0, EMPTY_ROOT, 8, bytes.fromhex(ROOTS[8]), [])


def test_a_tree_has_no_proof_of_a_leaf_beyond_it():
    with pytest.raises(NotInLogError, match="no entry 8"):
        inclusion_ranges(8, 8)
    with pytest.raises(NotInLogError):
        consistency_ranges(9, 8)


def test_a_frontier_of_the_wrong_length_is_refused():
    with pytest.raises(ValueError, match="no tree of 3 leaves"):
        CompactRange.of_frontier(3, b"\0" * 32)


@pytest.mark.parametrize("size", [1, 255, 256, 257, 511, 700, 65_536, 66_000])
def test_a_tiled_tree_has_the_tiles_and_the_root_of_its_leaves(size):
    leaves = hashed([b"%d" % number for number in range(size)])
    tree = TiledTree()
    filled = tree.extend(leaves[: size // 3]) + tree.extend(leaves[size // 3 :])
    assert tree.root() == root_hash(leaves)
    for tile in filled:
        span = 256**tile.level
        start = tile.number * 256 * span
        assert tile.root == root_hash(leaves[start : start + 256 * span])
        assert tile.hashes[7] == root_hash(leaves[start + 7 * span : start + 8 * span])
    found = {(tile.level, tile.number, 256) for tile in filled}
    found |= {(path.level, path.index, path.width) for path, _ in tree.partial_tiles()}
    assert found == {(path.level, path.index, path.width) for path in tile_paths(size)}
