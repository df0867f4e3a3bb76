"""What an entry may hold, and its one spelling."""

import math
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum, StrEnum
from uuid import UUID

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from audit.entry import (
    MAX_LEAF_BYTES,
    Committed,
    Draft,
    commitment,
    commitments_of,
    compose,
    format_time,
    parse_leaf,
    parse_time,
)
from audit.errors import EntryTooLargeError, LeafError, MeasuredValueError, UnsupportedValueError
from tests.audit.examples import START, counted_salts

text = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)
names = text.filter(lambda name: name != "commitment")
json = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | text,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=4),
    max_leaves=12,
)


class Colour(StrEnum):
    RED = "red"


class Rate(Enum):
    HALF = 0.5


def composed(changes, **fields):
    draft = Draft(
        **{"actor": "a", "action": "x.y", "subject_kind": "x", "subject_id": "1", "changes": changes} | fields
    )
    return compose(draft, 7, START, counted_salts())


@given(st.dictionaries(names, json, max_size=5))
def test_a_leaf_is_the_rfc_8785_spelling_and_reads_back(changes):
    entry, texts = composed(changes, request="r")
    expected = {
        "action": "x.y",
        "actor": "a",
        "changes": changes,
        "format": "acta-entry/1",
        "request": "r",
        "sequence": 7,
        "subject": {"id": "1", "kind": "x"},
        "time": "2026-11-24T09:00:00.000000Z",
    }
    assert entry.leaf == rfc8785.dumps(expected)
    assert texts == []
    assert parse_leaf(entry.leaf) == entry


def test_an_entry_without_request_leaves_it_out():
    entry, _ = composed({})
    assert entry.leaf == (
        b'{"action":"x.y","actor":"a","changes":{},"format":"acta-entry/1","sequence":7,'
        b'"subject":{"id":"1","kind":"x"},"time":"2026-11-24T09:00:00.000000Z"}'
    )


def test_values_of_the_application_enter_as_text():
    entry, _ = composed(
        {
            "uuid": UUID(int=1),
            "time": datetime(2026, 1, 2, 3, tzinfo=timezone(timedelta(hours=1))),
            "day": date(2026, 1, 2),
            "rate": Decimal("0.10"),
            "colour": Colour.RED,
            "pair": (1, True),
        }
    )
    assert entry.changes == {
        "colour": "red",
        "day": "2026-01-02",
        "pair": [1, True],
        "rate": "0.10",
        "time": "2026-01-02T02:00:00.000000Z",
        "uuid": "00000000-0000-0000-0000-000000000001",
    }


@pytest.mark.parametrize("value", [0.5, 1.0, math.nan, math.inf, Rate.HALF])
def test_a_float_is_refused_with_the_remedy(value):
    with pytest.raises(MeasuredValueError, match=r"changes/metrics/0/auc .*pass a Decimal"):
        composed({"metrics": [{"auc": value}]})


@pytest.mark.parametrize(
    "value",
    [b"bytes", bytearray(), {1, 2}, object(), 2**53, -(2**53), "\ud800", "a\0", datetime(2026, 1, 1), {1: 2}],  # noqa: DTZ001 - a time without zone is the case
)
def test_what_no_log_can_hold_is_refused(value):
    with pytest.raises(UnsupportedValueError, match="changes/bad"):
        composed({"bad": value})


@pytest.mark.parametrize("name", ["commitment", "a\0", "\udfff"])
def test_a_name_that_no_leaf_may_have_is_refused(name):
    with pytest.raises(UnsupportedValueError):
        composed({"inner": {name: "x"}})


@pytest.mark.parametrize("field", ["actor", "action", "subject_kind", "subject_id", "request"])
@pytest.mark.parametrize("value", ["", "a\0b", "\ud800", "x" * 1025])
def test_a_word_of_the_entry_is_short_clean_text(field, value):
    with pytest.raises(UnsupportedValueError, match=field):
        composed({}, **{field: value})


def test_committed_text_stays_out_of_the_leaf():
    entry, texts = composed({"a/b": {"~": Committed("secret")}, "answers": [{"reason": Committed("secret")}]})
    assert b"secret" not in entry.leaf
    assert [side.path for side in texts] == ["a~1b/~0", "answers/0/reason"]
    assert dict(commitments_of(entry.changes)) == {side.path: commitment(side.salt, side.text) for side in texts}
    # Salted: the same text twice does not show as such.
    assert len(set(dict(commitments_of(entry.changes)).values())) == 2


def test_an_entry_has_at_most_the_bytes_that_a_bundle_can_say():
    room = MAX_LEAF_BYTES - len(composed({"t": ""})[0].leaf)
    assert len(composed({"t": "x" * room})[0].leaf) == MAX_LEAF_BYTES
    with pytest.raises(EntryTooLargeError, match="65,536 bytes"):
        composed({"t": "x" * (room + 1)})


@given(st.datetimes(timezones=st.just(UTC)), st.datetimes(timezones=st.just(UTC)))
def test_times_sort_as_their_text_does_and_read_back(one, other):
    assert parse_time(format_time(one)) == one
    assert (format_time(one) < format_time(other)) == (one < other)


LEAF = composed({"n": 1, "é": "ü"})[0].leaf


@pytest.mark.parametrize(
    "leaf",
    [
        b"",
        b"{}",
        b"[]",
        LEAF + b" ",
        LEAF.replace(b'"n":1', b'"n":1.0'),
        LEAF.replace(b'"n":1', b'"n":1e0'),
        LEAF.replace(b'"n":1', b'"n":-0'),
        LEAF.replace(b'"n":1', b'"n":01'),
        LEAF.replace(b'"n":1', b'"n":1,"n":1'),
        LEAF.replace(b'"n":1', b'"n":9007199254740992'),
        LEAF.replace(b'"n":1', b'"n":NaN'),
        LEAF.replace(b'"n":1', b'"n": 1'),
        LEAF.replace(b'"n":1', b'"n":"\\u0041"'),
        LEAF.replace(b'"n":1,"\xc3\xa9":"\xc3\xbc"', b'"\xc3\xa9":"\xc3\xbc","n":1'),
        LEAF.replace(b'"n":1', b'"n":' + b"[" * 5000 + b"]" * 5000),
        LEAF.replace("ü".encode(), b"\xff"),
        LEAF.replace(b"acta-entry/1", b"acta-entry/2"),
        LEAF.replace(b'"sequence":7', b'"sequence":-7'),
        LEAF.replace(b'"sequence":7', b'"sequence":"7"'),
        LEAF.replace(b".000000Z", b"Z"),
        LEAF.replace(b"2026-11-24", b"2026-11-31"),
        LEAF.replace(b'"actor":"a",', b""),
        LEAF.replace(b'"actor":"a",', b'"actor":"a","agent":"b",'),
        LEAF.replace(b'"sequence"', b'"request":null,"sequence"'),
    ],
)
def test_another_spelling_is_no_leaf(leaf):
    assert leaf != LEAF
    with pytest.raises(LeafError):
        parse_leaf(leaf)
