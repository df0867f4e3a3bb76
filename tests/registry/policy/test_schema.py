"""The published JSON Schema is the one that policies are read by."""

import json
from pathlib import Path

import jsonschema
import msgspec
import pytest

from registry.policy.policy import parse
from registry.policy.reading import read_yaml
from registry.policy.schema import policy_schema, schema_text
from registry.resources import default_policy_path

TEXT = default_policy_path().read_text(encoding="utf-8")
PUBLISHED = Path(__file__).resolve().parents[3] / "docs" / "policy.schema.json"


def plain(text: str):
    """A policy as an editor's YAML reader sees it, in which days are text."""
    return json.loads(msgspec.json.encode(read_yaml(text)))


def faults(text: str) -> list[str]:
    return [error.message for error in jsonschema.Draft202012Validator(policy_schema()).iter_errors(plain(text))]


def test_the_published_schema_is_the_present_one():
    assert PUBLISHED.read_text(encoding="utf-8") == schema_text(), "run: acta policy schema > docs/policy.schema.json"
    jsonschema.Draft202012Validator.check_schema(policy_schema())


def test_the_default_policy_fits_the_schema_and_names_it():
    assert faults(TEXT) == []
    assert TEXT.startswith("# yaml-language-server: $schema=")


@pytest.mark.parametrize(
    "old, new, words",
    [
        ("target_stage: production", "target_stage: moon", "moon"),
        ("request_days: 30", "request_days: 0", "minimum of 1"),
        ("by: attestation", "by: rumour", "rumour"),
        ("blocking_findings: [critical]", "blocking_findings: [grave]", "grave"),
        ("approvals:", "aprovals:", "aprovals"),
        ("grace_days: 30", "grace_days: many", "many"),
        ('version: "1.0"', 'version: "one"', "one"),
    ],
)
def test_an_editor_sees_what_the_parser_refuses(old, new, words):
    wrong = TEXT.replace(old, new, 1)
    assert wrong != TEXT
    with pytest.raises(Exception, match=r".+"):
        parse(wrong)
    assert any(words in fault for fault in faults(wrong))
