"""How values are shown: proofs as sums, lineage as boxes, entries as sentences."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from audit.entry import Draft, compose
from audit.proof import inclusion_ranges
from audit.tree import leaf_hash, root_hash
from registry.catalog.facts import DatasetRole, EdgeKind, LineageEdge
from registry.evidence.service import ReadEntry
from registry.unit import Committed
from registry.web.lineage import draw
from registry.web.presentation import counted, joined, lasting, short_digest, sized
from registry.web.proofs import sums_of
from registry.web.sentences import tell

EDGES = st.one_of(
    st.builds(
        LineageEdge,
        st.just(EdgeKind.DATASET),
        st.text(min_size=1, max_size=60),
        st.sampled_from(DatasetRole),
        digest=st.just("ab" * 32),
    ),
    st.builds(
        LineageEdge,
        st.sampled_from([EdgeKind.CODE, EdgeKind.RUN, EdgeKind.ENVIRONMENT, EdgeKind.PARENT]),
        st.text(min_size=1, max_size=60),
        identifier=st.text(min_size=1, max_size=60),
    ),
)


@given(st.lists(st.binary(), min_size=1, max_size=40, unique=True), st.data())
def test_the_sums_of_a_proof_lead_to_the_root_from_its_own_entry_only(entries, data):
    leaves = [leaf_hash(entry) for entry in entries]
    number = data.draw(st.integers(0, len(leaves) - 1))
    path = tuple(root_hash(leaves[start:end]) for start, end in inclusion_ranges(number, len(leaves)))
    shown = sums_of(leaves[number], number, len(leaves), path, root_hash(leaves))
    assert shown.reaches_root
    covered = {number} | {one for line in shown.lines for one in range(line.first, line.last + 1)}
    assert covered == set(range(len(leaves)))
    assert not sums_of(leaf_hash(b"another, longer entry"), number, len(leaves), path, root_hash(leaves)).reaches_root


@given(st.lists(EDGES, max_size=30))
def test_boxes_of_a_lineage_lie_apart_and_within_the_drawing(edges):
    drawing = draw(edges, "credit-default 7", "9b41d2c0", "production")
    places = [(box.x, box.y, box.x + box.width, box.y + 54) for box in drawing.boxes]
    for position, (left, top, right, bottom) in enumerate(places):
        assert 0 <= left < right <= drawing.width
        assert 0 <= top < bottom <= drawing.height
        for other in places[position + 1 :]:
            assert right <= other[0] or other[2] <= left or bottom <= other[1] or other[3] <= top
    assert [box.title for box in drawing.boxes if box.is_self] == ["credit-default 7"]


def read(action, changes):
    draft = Draft("acta", action, action.split(".")[0], "subject-1", changes)
    entry, sides = compose(draft, 0, datetime(2026, 11, 24, tzinfo=UTC), lambda: bytes(16))
    return entry, {side.path: side.text for side in sides}


def test_an_entry_is_told_with_its_text_and_without_it_once_it_is_erased():
    entry, texts = read("waiver.revoked", {"reason": Committed("no longer needed")})
    assert tell(ReadEntry(entry, texts), {}, {}).sentence.endswith("ended the waiver: no longer needed")
    assert tell(ReadEntry(entry, {}), {}, {}).sentence.endswith("ended the waiver: (erased)")


def test_an_entry_of_an_action_that_nobody_described_is_told_all_the_same():
    entry, texts = read("bundle.exported", {})
    assert tell(ReadEntry(entry, texts), {"acta": "Acta"}, {}).sentence == "Acta: bundle.exported on bundle subject-1."


def test_values_are_written_as_people_read_them():
    assert counted(1, "item", "items") == "one item"
    assert counted(48213, "entry", "entries") == "48\u202f213 entries"
    assert joined(["a", "b", "c"], "or") == "a, b or c"
    assert joined([]) == ""
    assert lasting(3 * 86400 + 5) == "3\u00a0days"
    assert lasting(3) == "less than a\u00a0minute"
    assert short_digest("ab" * 32) == "abababab…abab"
    assert sized(14_200) == "14.2\u00a0kB"
    assert sized(7) == "7\u00a0B"
