"""The vocabulary is closed, published, and of one mind with its JSON Schema."""

import ast
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import jsonschema
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

import registry
from audit.entry import Committed, Draft, compose, parse_leaf
from registry.actions import ACTIONS, Field, Kind, problems_of
from registry.actions.fields import fields_of, fits
from registry.actions.schema import vocabulary_page, vocabulary_schema
from registry.unit import Unit
from registry.web.sentences import _TELLINGS

DOCS = Path(registry.__file__).parents[1] / "docs"
SCHEMA = jsonschema.Draft202012Validator(msgspec.json.decode(vocabulary_schema()))
IDENTIFIER = "0b0e1c9e-6f0e-4f7e-9d0a-0d6d3c1f2a11"
VALUES = {
    Kind.IDENTIFIER: st.just(IDENTIFIER),
    Kind.INSTANT: st.just("2026-11-25T14:32:13.895997Z"),
    Kind.DIGEST: st.just("ab" * 32),
    Kind.NUMBER: st.integers(-5, 10**9),
    Kind.TRUTH: st.booleans(),
    Kind.WORD: st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=20),
    Kind.TEXT: st.just(Committed("Because.")),
    Kind.IDENTIFIERS: st.lists(st.just(IDENTIFIER), max_size=2),
    Kind.WORDS: st.lists(st.sampled_from(["a", "b"]), max_size=3),
    Kind.MAPPING: st.dictionaries(st.sampled_from("abc"), st.sampled_from(["x", 7, True]), max_size=3),
    Kind.REFERENCES: st.lists(st.just({"kind": "document", "id": IDENTIFIER}), max_size=2),
}


def test_the_published_page_and_schema_are_those_of_the_vocabulary():
    assert (DOCS / "audit-actions.md").read_text() == vocabulary_page(), "acta audit actions > docs/audit-actions.md"
    assert (DOCS / "audit-actions.schema.json").read_bytes() == vocabulary_schema()


def test_every_action_can_be_told_in_a_sentence_and_stands_in_order():
    assert set(ACTIONS) == set(_TELLINGS)
    assert list(ACTIONS) == sorted(ACTIONS)


def test_every_action_that_the_code_names_is_in_the_vocabulary_and_the_other_way_round():
    named = set()
    for file in Path(registry.__file__).parent.rglob("*.py"):
        if file.parent.name != "actions":
            texts = (node.value for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Constant))
            named |= {text for text in texts if isinstance(text, str)}
    # Those that are put together: what was downloaded, delivered or ended.
    put_together = {f"{kind}.downloaded" for kind in ("assessment", "card", "document")}
    put_together |= {f"{kind}.{verb}" for kind in ("mail", "webhook") for verb in ("delivered", "given-up")}
    put_together |= {"promotion.expired", "promotion.stale"}
    assert set(ACTIONS) <= named | put_together


def test_an_action_of_another_name_is_refused(units):
    with pytest.raises(KeyError), units.writing() as unit:
        unit.record(None, "version.poked", IDENTIFIER)
    with units.reading() as unit:
        assert isinstance(unit, Unit)


def entry_of(action, changes):
    drafted = Draft("acta", action, action.partition(".")[0], IDENTIFIER, changes)
    return parse_leaf(compose(drafted, 3, datetime(2026, 11, 25, tzinfo=UTC), lambda: bytes(16))[0].leaf)


@st.composite
def entries(draw):
    """An entry as the vocabulary wants it, and one that differs from it in one field."""
    name = draw(st.sampled_from(sorted(ACTIONS)))
    fields = ACTIONS[name].fields
    changes = {}
    for field in fields.values():
        if not (field.optional and draw(st.booleans())):
            changes[field.name] = None if field.nullable and draw(st.booleans()) else draw(VALUES[field.kind])
    return entry_of(name, changes)


@given(entries(), st.data())
def test_schema_and_check_agree_on_what_is_right_and_on_what_is_not(entry, data):
    leaf = msgspec.json.decode(entry.leaf)
    assert problems_of(entry) == []
    assert SCHEMA.is_valid(leaf)
    fields = ACTIONS[entry.action].fields
    name = data.draw(st.sampled_from([*fields, "another"]))
    changes = dict(entry.changes)
    if name in changes and not fields[name].optional and data.draw(st.booleans()):
        del changes[name]
    else:
        changes[name] = {"neither": {"this": "nor that"}}
    assert problems_of(replace(entry, changes=changes))
    assert not SCHEMA.is_valid(leaf | {"changes": changes})


def test_an_entry_about_another_kind_of_subject_is_a_problem():
    entry = entry_of("actor.left", {"left_at": "2026-11-25T14:32:13.895997Z"})
    assert problems_of(replace(entry, subject_kind="model")) == ["actor.left is about a model."]
    assert problems_of(replace(entry, action="actor.vanished")) == ["actor.vanished is no action."]


@pytest.mark.parametrize("kind", Kind)
def test_null_fits_where_the_field_says_so_alone(kind):
    assert fits(Field("one", kind, nullable=True), None)
    assert not fits(Field("one", kind), None)


@pytest.mark.parametrize("spelled", ["reason", "reason:poem", "Reason:text", "reason:text~?"])
def test_a_field_that_is_spelled_otherwise_is_refused(spelled):
    with pytest.raises(ValueError, match=r"field|poem"):
        fields_of(spelled)
