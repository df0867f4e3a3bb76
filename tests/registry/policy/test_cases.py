"""Cases hold a policy against its promises: the default one keeps them, and a changed one is caught."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.catalog.facts import Stage
from registry.policy.cases import Case, Expectation, Facts, Profile, parse_cases, run_case
from registry.policy.errors import PolicyError
from registry.policy.policy import parse
from registry.resources import default_policy_path

TEXT = default_policy_path().read_text(encoding="utf-8")
DEFAULT = parse(TEXT)
FILES = sorted(default_policy_path().with_name("default-cases").glob("*.yaml"))
CASES = [case for file in FILES for case in parse_cases(file.read_text(encoding="utf-8"))]


def differences(text: str) -> dict[str, tuple[str, ...]]:
    policy = parse(text)
    found = {case.case: run_case(policy, case).differences for case in CASES}
    return {name: one for name, one in found.items() if one}


def test_the_default_policy_keeps_all_its_promises():
    assert len(CASES) >= 30
    assert differences(TEXT) == {}


@pytest.mark.parametrize(
    "old, new, case",
    [
        ("{role: risk officer, count: 1}", "{role: risk officer, count: 2}", "High risk enters production"),
        ("[critical, high]", "[critical]", "A finding of high severity blocks production"),
        ("max_age_days: 365, depends_on_risk: true", "max_age_days: 366, depends_on_risk: true", "too old the day"),
        ("legal_domain: [employment]", "legal_domain: [education]", "Employment is high risk"),
        ("applies_from: 2028-08-02", "applies_from: 2027-08-02", "safety component of a vehicle"),
        (", depends_on_risk: true", "", "lapses when the risk answers change"),
        ("      - bias-assessed\n", "", "A bias assessment that failed"),
    ],
)
def test_a_policy_that_breaks_a_promise_is_caught(old, new, case):
    changed = TEXT.replace(old, new)
    assert changed != TEXT
    assert any(case in name for name in differences(changed))


WAIVABLE = [item for item in DEFAULT.items.values() if item.waiver is not None]


@given(st.sampled_from(DEFAULT.risk.tiers), st.data())
def test_each_missing_item_is_missing_and_nothing_else_is(tier, data):
    profile = {
        "low": Profile(),
        "limited": Profile(affects_persons=True),
        "high": Profile(affects_persons=True, legal_domain="creditworthiness"),
    }[tier]
    rule = DEFAULT.gate(Stage.PRODUCTION, tier)
    item = DEFAULT.items[data.draw(st.sampled_from(rule.items))]
    missing = getattr(item.shown, "kind", None) or getattr(item.shown, "check", None) or item.id
    roles = [approval.role for approval in rule.approvals for _ in range(approval.count)]
    unmet = [
        other
        for other in rule.items
        if (
            getattr(DEFAULT.items[other].shown, "kind", None)
            or getattr(DEFAULT.items[other].shown, "check", None)
            or other
        )
        == missing
    ]
    facts = Facts(complete=True, missing=[missing], approvals=roles)
    expect = Expectation(tier=tier, met=False, unmet=unmet)
    case = Case("one thing is missing", expect, profile, Stage.PRODUCTION, facts=facts)
    assert run_case(DEFAULT, case).differences == ()


@pytest.mark.parametrize(
    "text, words",
    [
        ("- case: x\n  expect: {teir: low}\n", "teir"),
        ("- case: x\n  expect: {}\n  facts: {checks: {lineage-complete: fine}}\n", "fine"),
        ("case: x\n", "array"),
        ("- expect: {}\n", "case"),
    ],
)
def test_a_case_that_cannot_be_read_is_refused(text, words):
    with pytest.raises(PolicyError, match=words):
        parse_cases(text)


@pytest.mark.parametrize(
    "text",
    [
        "- case: x\n  expect: {items: {nothing: passed}}\n",
        "- case: x\n  expect: {tier: extreme}\n",
        "- case: x\n  expect: {}\n  facts: {documents: {poem: {}}}\n",
        "- case: x\n  expect: {}\n  facts: {checks: {magic: passed}}\n",
        "- case: x\n  expect: {}\n  facts: {missing: [magic]}\n",
    ],
)
def test_a_case_about_what_the_policy_does_not_have_is_refused(text):
    (case,) = parse_cases(text)
    with pytest.raises(PolicyError, match="the policy has no"):
        run_case(DEFAULT, case)


def test_a_gate_that_does_not_exist_is_a_difference():
    policy = parse(
        TEXT.replace(
            "tiers: [low, limited, high]\n    items: [lineage-complete]", "tiers: [low]\n    items: [lineage-complete]"
        )
    )
    case = Case("x", Expectation(met=True), Profile(affects_persons=True), Stage.DEVELOPMENT)
    assert run_case(policy, case).differences == ("no gate lets limited risk into development",)
