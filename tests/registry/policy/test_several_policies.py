"""Which policy governs a model, what changes when another one does, and what the open tier keeps out."""

import msgspec
import pytest

from registry.access.actor import Place
from registry.catalog import service as catalog
from registry.catalog.facts import Stage
from registry.catalog.risk import states_of
from registry.catalog.service import ModelTexts
from registry.errors import ConflictError
from registry.policy.activation import activate, deactivate
from registry.policy.errors import AmbiguousPoliciesError, UngovernedError
from registry.policy.service import find_policy_for, gate_of, policy_for
from registry.promotion.cases import find_case
from registry.promotion.errors import IllegalTransitionError
from tests.registry.conftest import FACTS, PROFILE
from tests.registry.policy.changing import activated, policy_text
from tests.registry.promotion.conftest import Governance, governance

__all__ = ["governance"]

OTHER_TIER = (
    "tier: high\n      when: {legal_domain: [creditworthiness]",
    "tier: low\n      when: {legal_domain: [creditworthiness]",
)


def model(units, people, name="credit-default", team="retail-risk"):
    with units.writing() as unit:
        return catalog.create_model(
            unit,
            people.developer,
            name=name,
            team=team,
            owner_id=people.developer.id,
            texts=ModelTexts("Scores."),
            profile=PROFILE,
        )


def tier_and_policy(units, people, name="credit-default"):
    with units.reading() as unit:
        row = catalog.get_model(unit, people.developer, name)
        active = find_policy_for(unit, Place(row.name, row.team))
        return row.risk_tier, None if active is None else active.policy.name


def test_the_most_specific_policy_governs(units, people):
    activated(units, people, policy_text("credit", "1.0", '["credit-*"]'))
    activated(units, people, policy_text("defaults", "1.0", '["credit-default"]'))
    with units.reading() as unit:
        for name, governing in (("credit-default", "defaults"), ("credit-limit", "credit"), ("fraud", "acta-default")):
            assert policy_for(unit, Place(name, "retail-risk")).policy.name == governing


def test_two_policies_that_say_equally_much_are_refused(units, people):
    activated(units, people, policy_text("credit", "1.0", '["credit-*"]'))
    with pytest.raises(AmbiguousPoliciesError, match="credit"), units.writing() as unit:
        activate(unit, people.administrator, policy_text("scores", "1.0", '["*-scores"]'))
    activated(units, people, policy_text("scores", "1.0", '["credit-scores"]'))


def test_another_policy_assesses_the_models_that_it_governs_anew(units, people):
    made, other = model(units, people), model(units, people, "fraud")
    activated(units, people, policy_text("credit", "1.0", '["credit-*"]', OTHER_TIER))
    assert tier_and_policy(units, people) == ("low", "credit")
    assert tier_and_policy(units, people, "fraud") == ("high", "acta-default")
    with units.reading() as unit:
        newest, first = states_of(unit, made.id)
        assert (first.number, first.tier, first.assessed_by) == (1, "high", people.developer.id)
        assert (newest.number, newest.tier, newest.assessed_by) == (2, "low", people.administrator.id)
        assert newest.answers_revision == first.answers_revision == 1
        assert newest.policy_id == policy_for(unit, Place("credit-default", "retail-risk")).row_id
        assert len(states_of(unit, other.id)) == 1


def test_a_newer_version_that_says_the_same_begins_no_state(units, people):
    made = model(units, people)
    activated(units, people, policy_text())
    with units.reading() as unit:
        assert len(states_of(unit, made.id)) == 1


def test_what_no_policy_governs_is_open_and_has_no_gate_nor_card(units, people):
    activated(units, people, policy_text(models='["credit-*"]'))
    model(units, people, "sandbox")
    assert tier_and_policy(units, people, "sandbox") == ("open", None)
    with units.writing() as unit:
        catalog.register_version(unit, people.developer, "sandbox", FACTS)
    with units.reading() as unit:
        found = catalog.find_version(unit, people.developer, "sandbox", 1)
        with pytest.raises(UngovernedError, match="open tier"):
            gate_of(unit, found, Stage.PRODUCTION)


def test_the_api_and_the_pages_say_that_an_open_model_has_no_gate(client, people):
    units = client.units
    activated(units, people, policy_text(models='["credit-*"]'))
    model(units, people, "sandbox")
    with units.writing() as unit:
        catalog.register_version(unit, people.developer, "sandbox", FACTS)
    headers = client.as_(people.developer)
    for method, path, body in (
        ("GET", "/api/v1/models/sandbox/versions/1/gate", None),
        ("POST", "/api/v1/models/sandbox/versions/1/cards", {}),
        (
            "POST",
            "/api/v1/promotions",
            {"model": "sandbox", "version": 1, "target_stage": "production", "justification": "It is good."},
        ),
    ):
        answer = client.http.request(method, path, json=body, headers=headers)
        assert answer.status_code == 409, path
        assert "no policy" in answer.json()["title"].casefold()


def test_the_same_bytes_do_not_leave_a_governed_model_for_an_open_one(units, people):
    activated(units, people, policy_text(models='["credit-*"]'))
    model(units, people)
    model(units, people, "sandbox")
    with units.writing() as unit:
        catalog.register_version(unit, people.developer, "credit-default", FACTS)
    with pytest.raises(ConflictError, match="same bytes"), units.writing() as unit:
        catalog.register_version(unit, people.developer, "sandbox", FACTS)
    with units.writing() as unit:
        other = msgspec.structs.replace(FACTS, content_digest="cd" * 32)
        assert catalog.register_version(unit, people.developer, "sandbox", other).number == 1
        # Out of the open tier everything may come: it meets the gates there.
        catalog.register_version(unit, people.developer, "credit-default", other)


def test_no_name_or_team_of_a_model_changes(client, people, registered):
    headers = client.as_(people.developer)
    shown = client.http.get("/api/v1/models/credit-default", headers=headers)
    body = {"owner_id": str(people.developer.id), "purpose": "Scores.", "risk_profile": shown.json()["risk_profile"]}
    tagged = headers | {"If-Match": shown.headers["ETag"]}
    for field in ("name", "team"):
        answer = client.http.put("/api/v1/models/credit-default", json=body | {field: "other"}, headers=tagged)
        assert answer.status_code == 400, answer.text
    assert client.http.put("/api/v1/models/credit-default", json=body, headers=tagged).status_code == 200


def test_no_policy_ends_that_governs_what_is_in_production(governance, registered):
    units, people = governance.units, governance.people
    # It governs what the default would, so that the default can be narrowed before.
    row = activated(units, people, policy_text("credit", "1.0", '["credit-*"]'))
    activated(units, people, policy_text(models='["fraud-*"]'))
    governance.promote(registered)
    with pytest.raises(ConflictError, match="version 1 is in production"), units.writing() as unit:
        deactivate(unit, people.administrator, row.id)
    with pytest.raises(ConflictError, match="version 1 is in production"), units.writing() as unit:
        activate(unit, people.administrator, policy_text("credit", "2.0", '["credit-limit"]'))
    assert tier_and_policy(units, people) == ("high", "credit")


@pytest.mark.parametrize("applies, state", [("false", "open"), ("true", "stale")])
def test_an_open_request_keeps_its_policy_unless_the_new_one_says_otherwise(governance, registered, applies, state):
    units, people = governance.units, governance.people
    request_id = governance.request(registered)
    change = ("description: >-", f"applies_to_open_requests: {applies}\ndescription: >-")
    activated(units, people, policy_text("acta-default", "2.0", '["*"]', change))
    with units.reading() as unit:
        case = find_case(unit, people.developer, request_id)
        assert case.state.value == state
        assert case.request.state == state
        if state == "open":
            assert case.request.policy_id != policy_for(unit, case.found.place).row_id


def test_a_request_is_judged_by_the_tier_of_its_own_policy(governance: Governance, registered):
    units, people = governance.units, governance.people
    governance.complete(registered)
    request_id = governance.request(registered)
    activated(units, people, policy_text("credit", "1.0", '["credit-*"]', OTHER_TIER))
    assert tier_and_policy(units, people) == ("low", "credit")
    governance.approve(request_id)
    with units.reading() as unit:
        assert find_case(unit, people.developer, request_id).state.value == "approved"
    assert governance.execute(request_id) == "executed"


def test_a_model_that_no_policy_governs_any_more_has_no_live_request(governance, registered):
    units, people = governance.units, governance.people
    row = activated(units, people, policy_text("credit", "1.0", '["credit-*"]'))
    activated(units, people, policy_text(models='["fraud-*"]'))
    governance.complete(registered)
    request_id = governance.request(registered)
    governance.approve(request_id)
    with units.writing() as unit:
        deactivate(unit, people.administrator, row.id)
    assert tier_and_policy(units, people) == ("open", None)
    with units.reading() as unit:
        assert find_case(unit, people.developer, request_id).state.value == "stale"
    with pytest.raises(IllegalTransitionError, match="stale"):
        governance.execute(request_id)
