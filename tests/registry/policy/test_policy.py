import re
from datetime import date
from itertools import pairwise, product

import msgspec
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from registry.access.actor import Role
from registry.catalog.facts import (
    Autonomy,
    Impact,
    LegalDomain,
    PersonalData,
    Reversibility,
    RiskProfile,
    Stage,
)
from registry.policy.cases import Profile
from registry.policy.errors import PolicyError
from registry.policy.policy import CheckNeeded, DocumentNeeded, parse
from registry.resources import default_policy_path

TEXT = default_policy_path().read_text(encoding="utf-8")
DEFAULT = parse(TEXT)


def changed(path: list[str | int], value: object) -> str:
    """The default policy with one value replaced, as YAML."""
    policy = msgspec.to_builtins(DEFAULT)
    place = policy
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return yaml.safe_dump(policy)


def test_default_policy_asks_most_of_high_risk_in_production():
    sizes = {tier: len(DEFAULT.gate(Stage.PRODUCTION, tier).items) for tier in DEFAULT.risk.tiers}
    assert list(sizes) == ["low", "limited", "high"]
    assert sizes["low"] < sizes["limited"] < sizes["high"]
    assert set(DEFAULT.gate(Stage.PRODUCTION, "high").items) == set(DEFAULT.items)
    assert [checklist.id for checklist in DEFAULT.checklists] == ["ethics", "documentation", "security", "monitoring"]


def test_default_policy_has_a_gate_for_every_stage_and_tier():
    for stage, tier in product(set(Stage) - {Stage.NONE}, DEFAULT.risk.tiers):
        assert DEFAULT.gate(stage, tier) is not None, (stage, tier)
    assert DEFAULT.gate(Stage.NONE, "low") is None


def test_default_policy_lets_only_reviewers_and_validators_approve():
    for rule in DEFAULT.gates:
        assert {approval.role for approval in rule.approvals} <= {
            Role.VALIDATOR,
            Role.OPERATIONS_REVIEWER,
            Role.RISK_OFFICER,
        }


def test_policy_written_out_and_read_again_is_the_same():
    assert parse(yaml.safe_dump(msgspec.to_builtins(DEFAULT))) == DEFAULT


profiles = st.builds(
    RiskProfile,
    financial_impact=st.sampled_from(Impact),
    reputational_impact=st.sampled_from(Impact),
    affects_persons=st.booleans(),
    personal_data=st.sampled_from(PersonalData),
    decision_autonomy=st.sampled_from(Autonomy),
    reversibility=st.sampled_from(Reversibility),
    legal_domain=st.sampled_from(LegalDomain),
)
TIERS = DEFAULT.risk.tiers
MORE = {Impact.NONE: Impact.LIMITED, Impact.LIMITED: Impact.HIGH, Impact.HIGH: Impact.HIGH}


@given(profiles)
def test_more_at_stake_never_lowers_the_tier(profile):
    tier = TIERS.index(DEFAULT.risk_rule(profile).tier)
    for worse in (
        msgspec.structs.replace(profile, financial_impact=MORE[profile.financial_impact]),
        msgspec.structs.replace(profile, reputational_impact=MORE[profile.reputational_impact]),
        msgspec.structs.replace(profile, affects_persons=True),
        msgspec.structs.replace(profile, personal_data=PersonalData.SPECIAL),
        msgspec.structs.replace(profile, decision_autonomy=Autonomy.ALONE),
        msgspec.structs.replace(profile, reversibility=Reversibility.NOT),
    ):
        assert TIERS.index(DEFAULT.risk_rule(worse).tier) >= tier


def test_tier_is_low_where_nothing_is_at_stake_and_high_for_credit():
    nothing = Profile().answers()
    credit = Profile(affects_persons=True, legal_domain=LegalDomain.CREDITWORTHINESS).answers()
    assert DEFAULT.risk_rule(nothing).tier == "low"
    assert DEFAULT.risk_rule(credit).tier == "high"
    assert DEFAULT.risk_rule(credit).sentence == (
        "It evaluates the creditworthiness of natural persons. "
        "EU AI Act, Annex III, point 5(b); applies from 2027-12-02."
    )


@given(profiles, st.sampled_from(LegalDomain))
def test_no_legal_domain_lowers_the_tier(profile, domain):
    none = msgspec.structs.replace(profile, legal_domain=LegalDomain.NONE)
    some = msgspec.structs.replace(profile, legal_domain=domain)
    assert TIERS.index(DEFAULT.risk_rule(some).tier) >= TIERS.index(DEFAULT.risk_rule(none).tier)


def test_every_point_of_annex_iii_is_named_with_its_day():
    laws = [rule.law for rule in DEFAULT.risk.rules if rule.law and "Annex III" in rule.law]
    points = {point for law in laws for point in re.findall(r"\d(?:\([a-d]\))?", law.partition("Annex III")[2])}
    assert points == {"1", "2", "3", "4", "5(a)", "5(d)", "5(b)", "5(c)", "6", "7", "8"}
    for rule in DEFAULT.risk.rules:
        if rule.law is not None:
            assert rule.tier == "high"
            assert rule.applies_from == (date(2027, 12, 2) if rule.law in laws else date(2028, 8, 2))
    assert any("SR 26-2" in source and "November 2026" in source for source in DEFAULT.risk.sources)


@pytest.mark.parametrize(
    "path, value, field, words",
    [
        (["risk", "tiers", 0], "open", "risk.tiers", "open"),
        (["governs", "models", 0], "a/b", "governs.models[0]", "slash"),
        (["governs", "models"], ["retail-*", "Retail-*"], "governs.models", "mean the same"),
        (["governs", "teams"], ["retail*"], "governs.teams[0]", "wildcard"),
        (["gates", 5, "items", 0], "no-such-item", "gates[5].items[0]", "no-such-item"),
        (["gates", 5, "tiers"], ["extreme"], "gates[5].tiers", "low, limited"),
        (["gates", 0, "target_stage"], "none", "gates[0].target_stage", "none"),
        (["gates", 2, "tiers"], ["low"], "gates[2]", "already"),
        (["gates", 0, "items"], ["lineage-complete", "lineage-complete"], "gates[0].items", "twice"),
        (["gates", 5, "approvals", 0, "role"], "auditor", "gates[5].approvals[0].role", "reads"),
        (["documents", 0, "signed_off_by"], ["validator", "auditor"], "documents[0].signed_off_by[1]", "reads"),
        (["risk", "rules", 0, "tier"], "extreme", "risk.rules[0].tier", "extreme"),
        (["risk", "rules", 0, "when"], {"colour": ["red"]}, "risk.rules[0].when", "colour"),
        (
            ["risk", "rules", 0, "when"],
            {"affects_persons": ["perhaps"]},
            "risk.rules[0].when.affects_persons",
            "yes, no",
        ),
        (["risk", "rules", -1, "when"], {"affects_persons": ["yes"]}, "risk.rules", "without `when`"),
        (["checklists", 1, "items", 0, "shown", "kind"], "poem", "checklists[1].items[0].shown.kind", "poem"),
        (["checklists", 0, "items", 4, "shown", "check"], "magic", "checklists[0].items[4].shown.check", "magic"),
        (
            ["checklists", 0, "items", 4, "shown", "parameters"],
            {"max_age": 3},
            "checklists[0].items[4].shown.parameters",
            "max_age",
        ),
        (["checklists", 0, "items", 0, "id"], "lawful-basis", "checklists[].items", "twice"),
        (["checklists", 0, "items", 0, "shown", "roles"], ["king"], "checklists[0].items[0].shown.roles[0]", "king"),
        (["assessment", "thresholds"], {"happiness": {"kind": "difference", "limit": "0.1"}}, "assessment", "happi"),
        (["assessment", "confidence"], "1.5", "assessment.confidence", "1.5"),
        (["surprise"], 1, "(the file)", "surprise"),
        (["version"], "one", "version", "regex"),
    ],
)
def test_policy_that_cannot_govern_is_refused_with_the_path_at_fault(path, value, field, words):
    with pytest.raises(PolicyError) as refused:
        parse(changed(path, value))
    assert refused.value.field.startswith(field)
    assert words in str(refused.value)


BOMB = "a: &a [x, x]\n" + "".join(f"{key}: &{key} [*{last}, *{last}]\n" for last, key in pairwise("abcdefg"))


@pytest.mark.parametrize(
    "text, words",
    [
        (BOMB, "anchors"),
        ("a: *b", "alias"),
        ("a: !!python/object/apply:os.system ['true']", "tags"),
        ("a: !!binary aGVsbG8=", "tags"),
        ("name: x\nname: y", "twice"),
        ("[" * 60 + "]" * 60, "deep"),
        ("[" * 100_000, "nesting depth"),
        ("a: " + "x" * 2**20, "1,048,576"),
        ("a: [", "not YAML"),
        ("a: \0", "not YAML"),
        ("---\na: 1\n---\nb: 2", "not YAML"),
        ("", "object"),
        ("just text", "object"),
        ("\ud800", "not YAML"),
    ],
)
def test_hostile_yaml_is_refused(text, words):
    with pytest.raises(PolicyError, match=words):
        parse(text)


def test_yes_and_no_stay_text_and_numbers_stay_strict():
    assert "affects_persons: [yes]" in TEXT.replace('"', "")
    parse(TEXT.replace('["yes"]', "[yes]"))
    with pytest.raises(PolicyError, match="version"):
        parse(TEXT.replace('version: "1.0"', "version: 1.0"))


def test_every_item_says_what_to_do_and_each_kind_of_evidence_occurs():
    kinds = {item.kind for item in DEFAULT.items.values()}
    assert kinds == {"attestation", "document", "check"}
    checks = {item.shown.check for item in DEFAULT.items.values() if isinstance(item.shown, CheckNeeded)}
    assert checks >= {"lineage-complete", "digest-verified", "assessment-passed"}
    assert checks >= {"monitoring-plan-complete", "alert-acknowledged"}
    documents = {item.shown.kind for item in DEFAULT.items.values() if isinstance(item.shown, DocumentNeeded)}
    assert documents == {"data-preparation", "model-selection", "qa", "threat-model"}
    assert DEFAULT.items["digest-verified"].waiver is None
