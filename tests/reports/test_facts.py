"""Facts: digest, schema, completeness, and what is refused."""

import hashlib
import json
from datetime import datetime
from pathlib import Path

import msgspec
import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

import reports
from reports import wording
from reports.completeness import completeness
from reports.errors import CardContentError
from reports.facts import card_schema, facts_digest, facts_json, parse_facts
from reports.figures import guilloche
from reports.glyphs import coverage, drawable
from reports.proof import read_proof
from tests.reports.sample import FACTS, FONTS, RECORD


def test_published_schema_is_that_of_the_facts():
    published = Path(reports.__file__).parent / "card.schema.json"
    assert published.read_bytes() == card_schema()


def test_facts_survive_their_json():
    assert parse_facts(facts_json(FACTS)) == FACTS


def test_facts_json_is_canonical():
    data = facts_json(FACTS)
    assert rfc8785.dumps(json.loads(data)) == data
    assert facts_digest(FACTS) == hashlib.sha256(data).digest()


def test_digest_changes_with_any_fact():
    changed = msgspec.structs.replace(FACTS, limits="None known.")
    assert facts_digest(changed) != facts_digest(FACTS)


def test_assessment_result_is_carried_as_written():
    result = {"rate": "0.103", "rows": 9000}
    assessment = msgspec.structs.replace(FACTS.assessment, result=result)
    carried = json.loads(facts_json(msgspec.structs.replace(FACTS, assessment=assessment)))
    assert carried["assessment"]["result"] == result


def test_instant_without_time_zone_is_refused_by_name():
    naive = msgspec.structs.replace(FACTS, issued_at=datetime(2026, 11, 27))  # noqa: DTZ001 -- the defect under test
    with pytest.raises(CardContentError, match="issued_at"):
        facts_json(naive)


def test_unknown_field_is_refused_by_name():
    document = json.loads(facts_json(FACTS)) | {"colour": "green"}
    with pytest.raises(CardContentError, match="colour"):
        parse_facts(json.dumps(document).encode())


def test_integer_beyond_canonical_json_is_refused():
    dataset = msgspec.structs.replace(FACTS.datasets[0], rows=2**60)
    with pytest.raises(CardContentError, match="decimal strings"):
        facts_json(msgspec.structs.replace(FACTS, datasets=(dataset,)))


def test_what_is_not_provided_counts_against_completeness():
    before = completeness(FACTS)
    assert before.missing == ("contact",)
    after = completeness(msgspec.structs.replace(FACTS, assessment=None))
    assert set(after.missing) == {"contact", "bias assessment", "digest of the assessed data"}
    assert after.total == before.total
    assert after.provided == before.provided - 2


def test_printed_proof_is_that_of_the_text():
    proof = read_proof(RECORD.proof)
    assert (proof.index, proof.origin, proof.tree_size) == (48239, "registry.bank.example/log", 48241)
    assert len(proof.root_hash) == 32


@pytest.mark.parametrize(
    "text", ["", "c2sp.org/tlog-proof@v2\nindex 1\n\na\n1\nAA==\n", "c2sp.org/tlog-proof@v1\nindex x\n\na\n1\nAA==\n"]
)
def test_text_that_is_no_proof_is_refused(text):
    with pytest.raises(CardContentError, match="log proof"):
        read_proof(text)


@given(st.text())
def test_every_character_is_drawn_or_named(text):
    drawn = coverage(FONTS)
    printed = drawable(text, drawn)
    assert all(ord(character) in drawn for character in printed)
    if all(ord(character) in drawn for character in text):
        assert printed == text


def test_direction_override_is_printed_as_its_code_point():
    assert drawable("limit \u202e001", coverage(FONTS)) == "limit [U+202E]001"


@given(st.binary(min_size=32, max_size=32))
def test_guilloche_stays_inside_its_ring(digest):
    for pair in guilloche(digest).split('d="M')[1].split("z")[0].split("L"):
        x, y = map(float, pair.split())
        assert (x - 50) ** 2 + (y - 50) ** 2 <= 47**2


@given(st.text(), st.integers(min_value=2, max_value=50))
def test_shortened_text_is_never_longer_than_its_limit(text, limit):
    assert len(wording.shortened(text, limit)) <= limit + 1
    assert wording.shortened(text, limit) == text or wording.shortened(text, limit).endswith("…")
