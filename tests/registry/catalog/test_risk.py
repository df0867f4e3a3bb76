"""Answers about risk, the tier that follows, and what lapses when they change."""

import msgspec
import pytest

from audit.reads import EntryFilter, entries_after
from registry.catalog import service as catalog
from registry.catalog.facts import Autonomy, Impact, LegalDomain, PersonalData, Reversibility, RiskProfile
from registry.catalog.risk import states_of
from registry.catalog.service import ModelTexts
from registry.errors import InvalidInputError, RefusedError
from registry.policy.attestations import attest
from registry.policy.service import policy_for
from registry.policy.tables import Answer
from registry.promotion.cases import CaseFilter, find_case, list_cases
from registry.promotion.tables import RequestState
from tests.registry.conftest import PROFILE
from tests.registry.promotion.conftest import governance

__all__ = ["governance"]

ALONE = msgspec.structs.replace(PROFILE, decision_autonomy=Autonomy.ALONE)

HARMLESS = RiskProfile(
    financial_impact=Impact.NONE,
    reputational_impact=Impact.NONE,
    affects_persons=False,
    personal_data=PersonalData.NONE,
    decision_autonomy=Autonomy.ADVISES,
    reversibility=Reversibility.EASILY,
    legal_domain=LegalDomain.NONE,
)


def edit(units, people, profile, purpose=None, by="risk"):
    with units.writing() as unit:
        row = catalog.get_model(unit, people.risk, "credit-default")
        return catalog.edit_model(
            unit,
            getattr(people, by),
            "credit-default",
            row.revision,
            owner_id=row.owner_id,
            texts=ModelTexts(
                purpose or row.purpose, row.intended_users, row.out_of_scope, row.limitations, row.affected_persons
            ),
            profile=profile,
        )


def test_each_change_of_the_answers_is_a_state_with_its_reason_and_an_entry(units, people, registered):
    edit(units, people, ALONE)
    edit(units, people, ALONE, "Scores, and says why.")
    edit(units, people, PROFILE)
    with units.reading() as unit:
        states = states_of(unit, registered.model.id)
        policy_id = policy_for(unit, registered.place).row_id
        entries = entries_after(unit.session.connection(), EntryFilter(action="model.risk-assessed"), None, 100)
    assert [(state.number, state.answers_revision) for state in states] == [(3, 3), (2, 2), (1, 1)]
    assert [state.answers["decision_autonomy"] for state in states] == ["advises", "decides alone", "advises"]
    assert {state.tier for state in states} == {"high"}
    assert all("point 5(b)" in state.reason and state.policy_id == policy_id for state in states)
    assert [state.assessed_by for state in states] == [people.risk.id, people.risk.id, people.developer.id]
    assert [entry.changes["number"] for entry in entries] == [1, 2, 3]
    for entry, state in zip(entries, reversed(states), strict=True):
        assert entry.subject_id == str(registered.model.id)
        assert entry.changes["answers"] == state.answers
        assert (entry.changes["tier"], entry.changes["reason"]) == (state.tier, state.reason)


def test_other_answers_make_a_live_request_stale_even_where_the_tier_stays(governance, registered):
    request_id = governance.request(registered)
    edit(governance.units, governance.people, ALONE)
    with governance.units.reading() as unit:
        assert find_case(unit, governance.people.developer, request_id).state.value == "stale"
        (case,) = list_cases(unit, governance.people.developer, CaseFilter(state=RequestState.STALE), None, 10)
        assert case.request.id == request_id
        assert case.request.risk_tier == case.found.model.risk_tier == "high"


def test_a_developer_raises_the_tier_and_a_risk_officer_alone_lowers_it(units, people, registered):
    with pytest.raises(RefusedError, match="lower the risk tier from high to low"):
        edit(units, people, HARMLESS, by="developer")
    edit(units, people, HARMLESS)
    edit(units, people, PROFILE, by="developer")
    with units.reading() as unit:
        assert [state.tier for state in states_of(unit, registered.model.id)] == ["high", "low", "high"]


def test_other_texts_leave_a_live_request_alone(governance, registered):
    request_id = governance.request(registered)
    edit(governance.units, governance.people, PROFILE, "Scores, and says why.")
    with governance.units.reading() as unit:
        assert find_case(unit, governance.people.developer, request_id).state.value == "open"


def test_answers_that_depend_on_risk_lapse_and_others_stay(governance, registered):
    governance.complete(registered)
    before = governance.unmet(registered)
    edit(governance.units, governance.people, ALONE)
    lapsed = set(governance.unmet(registered)) - set(before)
    depending = {"machine-learning-justified", "lawful-basis", "objection-possible", "human-oversight"}
    assert lapsed == depending
    with governance.units.writing() as unit:
        found = catalog.find_version(unit, governance.people.ethics, "credit-default", 1)
        attest(unit, governance.people.ethics, found, "lawful-basis", Answer.YES, "Seen again.", None)
    assert set(governance.unmet(registered)) - set(before) == depending - {"lawful-basis"}
    # Back to the answers of before: what was said of them meanwhile has still to be said anew.
    edit(governance.units, governance.people, PROFILE)
    assert "lawful-basis" in governance.unmet(registered)


def test_no_answer_is_left_open(units, people, registered):
    unstated = msgspec.structs.replace(PROFILE, legal_domain=LegalDomain.NOT_STATED)
    with pytest.raises(InvalidInputError, match=r"risk_profile.legal_domain is 'not stated'.*creditworthiness"):
        edit(units, people, unstated)


@pytest.mark.parametrize("question", ["decision_autonomy", "reversibility", "legal_domain", "personal_data"])
def test_the_api_refuses_a_model_of_which_a_question_is_not_answered(client, people, question):
    profile = msgspec.to_builtins(PROFILE)
    del profile[question]
    body = {
        "name": "fraud",
        "team": "retail-risk",
        "owner_id": str(people.developer.id),
        "purpose": "Finds fraud.",
        "risk_profile": profile,
    }
    answer = client.http.post("/api/v1/models", json=body, headers=client.as_(people.developer))
    assert answer.status_code == 400
    assert question in answer.text


def test_the_api_shows_answers_and_their_history(client, people, registered):
    edit(client.units, people, msgspec.structs.replace(PROFILE, reversibility=Reversibility.NOT))
    headers = client.as_(people.auditor)
    states = client.http.get("/api/v1/models/credit-default/risk", headers=headers).json()
    assert [(one["number"], one["answers"]["reversibility"]) for one in states] == [(2, "not"), (1, "with effort")]
    assert client.http.get("/api/v1/models/credit-default", headers=headers).json()["risk_revision"] == 2
    assert client.http.get("/api/v1/models/nothing/risk", headers=headers).status_code == 404
