"""What another policy changes, in sentences."""

import msgspec
import pytest
import yaml
from hypothesis import given, reject
from hypothesis import strategies as st

from registry.policy.comparison import differences
from registry.policy.errors import PolicyError
from registry.policy.policy import Policy, parse
from registry.resources import default_policy_path

TEXT = default_policy_path().read_text(encoding="utf-8")
DEFAULT = parse(TEXT)


def test_nothing_changes_from_a_policy_to_itself():
    assert differences(DEFAULT, DEFAULT) == []


@pytest.mark.parametrize(
    "old, new, sentence",
    [
        ('version: "1.0"', 'version: "1.1"', "Policy acta-default 1.0 becomes acta-default 1.1."),
        ('models: ["*"]', 'models: ["retail-*"]', "It governs retail-* instead of *."),
        (
            "{role: risk officer, count: 1}",
            "{role: risk officer, count: 2}",
            "approvals by 1 validator and 2 risk officer",
        ),
        (
            "minimum_rows: 1000",
            "minimum_rows: 500",
            "Item bias-assessed is shown by: automatic check assessment-passed",
        ),
        ('limit: "0.04"', 'limit: "0.05"', "The bias limit on false_positive_rate is 0.05 instead of 0.04."),
        ('confidence: "0.95"', 'confidence: "0.99"', "In assessments, confidence is 0.99 instead of 0.95."),
        ("review_days: 365", "review_days: 180", "is reviewed again after 180 days instead of 365 days."),
        ("grace_days: 30, then: staging", "grace_days: 7, then: archived", "archived after 7 days instead of staging"),
        ("[critical, high]", "[critical]", "findings of these severities block: critical instead of critical or high."),
        (
            "    request_days: 30\n    displaced",
            "    request_days: 9\n    displaced",
            "a request lives 9 days instead of 30.",
        ),
        ("      - human-oversight\n", "", "To production, high risk: human-oversight is no longer asked for."),
        (
            "items: [lineage-complete]\n",
            "items: [lineage-complete, digest-verified]\n",
            "digest-verified is asked for.",
        ),
        (
            "when: {personal_data: [personal]}",
            "when: {personal_data: [special category]}",
            "Risk rule added: limited where",
        ),
        ("reason: Money is at stake.", "reason: It costs.", "changes to: It costs."),
        ("applies_from: 2028-08-02", "applies_from: 2029-08-02", "applies from 2029-08-02."),
        (
            "kind: other, title: Other, signed_off_by: [validator]",
            "kind: other, title: Other, signed_off_by: [risk officer]",
            "risk officer",
        ),
        (
            "waiver: {role: risk officer, max_days: 90}",
            "waiver: {role: validator, max_days: 9}",
            "can be waived by the validator for 9 days",
        ),
        ("question: Where do the data come from,", "question: Whence do the data come,", "has another question."),
        ("critical: 7", "critical: 3", "Findings becomes:"),
        (
            "description: >-",
            "applies_to_open_requests: true\ndescription: >-",
            "Requests that are open when it is activated become stale.",
        ),
    ],
)
def test_each_change_is_told(old, new, sentence):
    changed = TEXT.replace(old, new)
    assert changed != TEXT
    told = differences(DEFAULT, parse(changed))
    assert any(sentence in one for one in told), told


def leaves(value: object, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Where each single value of a policy stands."""
    match value:
        case dict():
            return [leaf for key, part in value.items() for leaf in leaves(part, (*path, key))]
        case list():
            return [leaf for place, part in enumerate(value) for leaf in leaves(part, (*path, place))]
        case _:
            return [path]


PLAIN = msgspec.to_builtins(DEFAULT)
LEAVES = leaves(PLAIN)


@given(st.sampled_from(LEAVES), st.data())
def test_no_change_of_a_single_value_goes_unsaid(path, data):
    plain = msgspec.json.decode(msgspec.json.encode(PLAIN))
    place = plain
    for step in path[:-1]:
        place = place[step]
    value = place[path[-1]]
    if isinstance(value, bool):
        place[path[-1]] = not value
    elif isinstance(value, int):
        place[path[-1]] = value + 1
    elif isinstance(value, str):
        place[path[-1]] = data.draw(st.sampled_from(["another", value + "x", "medium", "archived", "validator", "0.3"]))
    try:
        changed: Policy = parse(yaml.safe_dump(plain))
    except PolicyError:
        # A policy that is refused is never compared. Hypothesis fails where too many are.
        reject()
    if changed != DEFAULT:
        assert differences(DEFAULT, changed)
