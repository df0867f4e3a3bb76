"""Pages of policies and of a model's risk."""

import msgspec

from registry.catalog import service as catalog
from registry.catalog.facts import Autonomy
from registry.catalog.service import ModelTexts
from tests.registry.conftest import PROFILE
from tests.registry.policy.changing import activated, administrator, confirmed, policy_text, proposed
from tests.registry.promotion.conftest import Governance


def test_the_policy_page_says_what_it_governs_and_what_each_gate_asks_for(read_as, people):
    html = read_as(people.auditor).open("/policies")
    assert "Models that it governs: *." in html
    assert "critical or high" in html
    assert "reviewed again after 365 days" in html
    assert "Annex III, point 5(b); applies from 2027-12-02" in html
    assert "SR 26-2" in html


def test_a_proposal_is_shown_with_what_it_changes_until_it_is_confirmed(read_as, units, people):
    other = administrator(units, people, "The second")
    change = ("      - human-oversight\n", "")
    proposal = proposed(units, people.administrator, policy_text("acta-default", "2.0", '["*"]', change))
    reader = read_as(people.auditor)
    html = reader.open("/policies")
    assert "Activate acta-default 2.0" in html
    assert "To production, high risk: human-oversight is no longer asked for." in html
    assert f"acta policy confirm {proposal.id}" in html
    confirmed(units, other, proposal.id)
    html = reader.open("/policies")
    assert "acta policy confirm" not in html
    assert "acta-default 1.0</a>" in html


def test_the_model_page_shows_answers_tier_reason_and_history(read_as, units, people, registered):
    html = read_as(people.auditor).open("/models/credit-default")
    assert "Annex III, point 5(b)" in html
    assert "Decision autonomy" in html
    assert "States of its risk" not in html
    with units.writing() as unit:
        row = catalog.get_model(unit, people.risk, "credit-default")
        catalog.edit_model(
            unit,
            people.risk,
            "credit-default",
            row.revision,
            owner_id=row.owner_id,
            texts=ModelTexts(row.purpose, affected_persons="Clients, who are told."),
            profile=msgspec.structs.replace(PROFILE, decision_autonomy=Autonomy.ALONE),
        )
    html = read_as(people.auditor).open("/models/credit-default")
    assert "States of its risk" in html
    assert "decision autonomy: decides alone" in html
    assert "Clients, who are told." in html


def test_a_request_names_its_policy_and_the_one_that_governs_now(read_as, client, units, people, settings, registered):
    request_id = Governance(units, people, settings).request(registered)
    reader = read_as(people.auditor)
    assert "new requests are made under" not in reader.open(f"/promotions/{request_id}")
    row = activated(units, people, policy_text())
    html = reader.open(f"/promotions/{request_id}")
    assert "acta-default 1.0</a>, under which it was made; new requests are made under" in html
    assert "acta-default 2.0</a>" in html
    shown = client.http.get(f"/api/v1/promotions/{request_id}", headers=client.as_(people.auditor)).json()
    assert shown["governing_policy_id"] == str(row.id) != shown["request"]["policy_id"]
