"""Names of models that people could mistake for one another."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.access.actor import Actor, ActorKind, Grant, Role, Scope, ScopeKind
from registry.catalog import service as catalog
from registry.catalog.service import ModelTexts
from registry.errors import ConflictError, InvalidInputError
from registry.names import checked_path_part, name_key
from tests.registry.conftest import PROFILE


def register(units, actor, name, team="retail-risk"):
    texts = ModelTexts("Scores.")
    with units.writing() as unit:
        catalog.create_model(unit, actor, name=name, team=team, owner_id=actor.id, texts=texts, profile=PROFILE)


@pytest.mark.parametrize("name", ["Credit-Default", "CREDIT-DEFAULT", "\uff43redit-default"])
def test_a_name_that_looks_like_another_is_refused_and_told_which(units, people, registered, name):
    with pytest.raises(ConflictError, match="A model named 'credit-default' exists already, and"):
        register(units, people.developer, name)


@pytest.mark.parametrize(
    "first, second", [("Stra\u00dfe", "STRASSE"), ("\ufb01t", "fit"), ("\u212bngstr", "\u00e5ngstr")]
)
def test_case_and_compatibility_make_no_other_name(units, people, first, second):
    register(units, people.developer, unicodedata.normalize("NFC", first))
    with pytest.raises(ConflictError, match="only by case or Unicode normalisation"):
        register(units, people.developer, second)


def test_whoever_may_not_see_the_other_model_is_not_told_its_name(units, people, registered):
    grants = (Grant(Role.DEVELOPER, Scope(ScopeKind.TEAM, "fraud"), people.administrator.id),)
    elsewhere = Actor(people.developer.id, ActorKind.PERSON, None, grants)
    with pytest.raises(ConflictError, match="A model with a similar name exists already") as refusal:
        register(units, elsewhere, "Credit-Default", team="fraud")
    assert "credit-default" not in str(refusal.value)


def test_the_api_answers_409(client, people, registered):
    body = {
        "name": "Credit-Default",
        "team": "retail-risk",
        "owner_id": str(people.developer.id),
        "purpose": "Scores.",
        "risk_profile": {
            "financial_impact": "high",
            "reputational_impact": "limited",
            "affects_persons": True,
            "personal_data": "personal",
            "decision_autonomy": "advises",
            "reversibility": "with effort",
            "legal_domain": "creditworthiness",
        },
    }
    answer = client.http.post("/api/v1/models", json=body, headers=client.as_(people.developer))
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:acta:problem:conflict")
    assert "'credit-default'" in answer.json()["detail"]


def test_a_name_is_composed(units, people):
    with pytest.raises(InvalidInputError, match="NFC"):
        register(units, people.developer, "cre\u0301dit")


def test_a_name_is_not_too_long_once_its_characters_are_written_out(units, people):
    with pytest.raises(InvalidInputError, match="at most 250"):
        register(units, people.developer, "\ufdfa" * 100)


def test_a_file_may_be_named_as_its_file_system_spells_it():
    assert checked_path_part("file name", "re\u0301sume\u0301.md") == "re\u0301sume\u0301.md"


@given(st.text())
def test_the_key_of_a_name_is_that_of_its_other_spellings(name):
    for form in ("NFC", "NFD", "NFKC", "NFKD"):
        assert name_key(unicodedata.normalize(form, name)) == name_key(name)
    assert name_key(name.casefold()) == name_key(name)
