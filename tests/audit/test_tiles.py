"""Paths and bundles of C2SP tlog-tiles."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.tiles import TilePath, decode_bundle, encode_bundle, tile_paths


def test_paths_are_spelled_as_in_the_specification():
    assert str(TilePath(0, 1234067)) == "tile/0/x001/x234/067"
    assert str(TilePath(1, 5, 17)) == "tile/1/005.p/17"
    assert str(TilePath(None, 1000, 1)) == "tile/entries/x001/000.p/1"


def test_the_tree_of_the_specification_has_the_tiles_it_names():
    paths = [str(path) for path in tile_paths(70_000)]
    assert len(paths) == 273 + 1 + 1 + 1 + 1
    assert paths[273:] == ["tile/0/273.p/112", "tile/1/000", "tile/1/001.p/17", "tile/2/000.p/1"]


@given(st.none() | st.integers(0, 63), st.integers(0, 10**12), st.integers(1, 256))
def test_every_path_reads_back(level, index, width):
    path = TilePath(level, index, width)
    assert TilePath.parse(str(path)) == path


@pytest.mark.parametrize(
    "text",
    [
        "",
        "tile/0/1",
        "tile/00/001",
        "tile/64/001",
        "tile/0/001.p/0",
        "tile/0/001.p/256",
        "tile/0/001.p/017",
        "tile/0/x000/001",
        "tile/0/001/002",
        "tile/0/001\n",
        "tile/0/../001",
        "tile/0/٠٠١",
        "tile/entries/001.p/",
    ],
)
def test_another_spelling_is_no_path(text):
    assert TilePath.parse(text) is None


@given(st.lists(st.binary(max_size=70), max_size=20))
def test_bundles_read_back(leaves):
    bundle = encode_bundle(leaves)
    assert decode_bundle(bundle) == leaves
    if bundle:
        with pytest.raises(ValueError, match="within an entry"):
            decode_bundle(bundle + b"\0")
