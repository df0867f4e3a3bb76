"""A policy is activated by one administrator as long as there is one, else by two."""

from datetime import timedelta

import pytest

from audit.reads import EntryFilter, entries_after
from registry.access.service import record_leaving
from registry.errors import ConflictError, RefusedError
from registry.policy.activation import activate, confirm, deactivate, list_proposals, withdraw
from registry.policy.errors import ConflictOfInterestError, PolicyError
from registry.policy.service import active_policy, list_policies, policies_in_force
from tests.registry.policy.changing import activated, administrator, confirmed, expire, policy_text, proposed


def actions(units) -> list[str]:
    with units.reading() as unit:
        return [entry.action for entry in entries_after(unit.session.connection(), EntryFilter(), None, 10_000)]


def in_force(units) -> list[str]:
    with units.reading() as unit:
        return [f"{active.policy.name} {active.policy.version}" for active in policies_in_force(unit)]


def test_the_only_administrator_activates_alone(units, people):
    row = activated(units, people, policy_text())
    assert in_force(units) == ["acta-default 2.0"]
    with units.reading() as unit:
        assert active_policy(unit).row_id == row.id
        new, old = list_policies(unit)
        assert (new.ended_at, new.activated_by) == (None, people.administrator.id)
        assert old.ended_at == new.activated_at
    assert actions(units)[-1] == "policy.activated"


@pytest.mark.parametrize("role", ["developer", "risk", "auditor", "validator"])
def test_nobody_else_changes_policies(units, people, role):
    with pytest.raises(RefusedError), units.writing() as unit:
        activate(unit, getattr(people, role), policy_text())
    with pytest.raises(RefusedError), units.writing() as unit:
        deactivate(unit, getattr(people, role), active_policy(unit).row_id)


def test_where_there_are_two_the_other_one_confirms(units, people):
    other = administrator(units, people, "second")
    proposal = proposed(units, people.administrator, policy_text())
    assert in_force(units) == ["acta-default 1.0"]
    with pytest.raises(ConflictOfInterestError), units.writing() as unit:
        confirm(unit, people.administrator, proposal.id)
    row = confirmed(units, other, proposal.id)
    assert in_force(units) == ["acta-default 2.0"]
    assert row.activated_by == people.administrator.id
    assert actions(units)[-2:] == ["policy.proposed", "policy.activated"]
    with pytest.raises(ConflictError, match="confirmed already"), units.writing() as unit:
        confirm(unit, other, proposal.id)


def test_a_machine_of_the_proposer_is_no_second_person(units, people):
    other = administrator(units, people, "second")
    machine = administrator(units, people, "pipeline", of=people.administrator.id)
    proposal = proposed(units, machine, policy_text())
    with pytest.raises(ConflictOfInterestError), units.writing() as unit:
        confirm(unit, people.administrator, proposal.id)
    confirmed(units, other, proposal.id)


def test_two_accounts_with_one_address_are_one_person(units, people):
    first = administrator(units, people, "second", email="A.Person@bank.example")
    again = administrator(units, people, "second again", email="a.person@bank.example ".strip())
    proposal = proposed(units, first, policy_text())
    with pytest.raises(ConflictOfInterestError), units.writing() as unit:
        confirm(unit, again, proposal.id)
    confirmed(units, people.administrator, proposal.id)


def test_who_has_left_is_no_second_administrator(units, people):
    other = administrator(units, people, "second")
    with units.writing() as unit:
        record_leaving(unit, people.administrator, other.id)
    activated(units, people, policy_text())


def test_a_proposal_is_withdrawn_or_lapses(units, people, now):
    other = administrator(units, people, "second")
    proposal = proposed(units, people.administrator, policy_text())
    with units.writing() as unit:
        assert withdraw(unit, other, proposal.id).state == "withdrawn"
    with pytest.raises(ConflictError, match="withdrawn already"), units.writing() as unit:
        confirm(unit, other, proposal.id)
    late = proposed(units, people.administrator, policy_text())
    with units.reading() as unit:
        assert [row.id for row in list_proposals(unit)] == [late.id]
    expire(units, late.id, now - timedelta(days=15), now - timedelta(days=1))
    with pytest.raises(ConflictError, match="passed"), units.writing() as unit:
        confirm(unit, other, late.id)
    with units.reading() as unit:
        assert list_proposals(unit) == []
    assert in_force(units) == ["acta-default 1.0"]
    assert "policy.proposal-withdrawn" in actions(units)


def test_a_version_is_activated_once(units, people):
    with pytest.raises(ConflictError, match="new version"), units.writing() as unit:
        activate(unit, people.administrator, policy_text(version="1.0"))
    activated(units, people, policy_text())
    with pytest.raises(ConflictError, match="new version"), units.writing() as unit:
        activate(unit, people.administrator, policy_text())


def test_a_proposal_is_held_against_what_is_in_force_when_it_is_confirmed(units, people):
    other = administrator(units, people, "second")
    one = proposed(units, people.administrator, policy_text("cards", "1.0", '["card-*"]'))
    two = proposed(units, people.administrator, policy_text("loans", "1.0", '["*-loan"]'))
    confirmed(units, other, one.id)
    with pytest.raises(ConflictError, match="says as much"), units.writing() as unit:
        confirm(unit, other, two.id)
    assert in_force(units) == ["cards 1.0", "acta-default 1.0"]


def test_a_file_that_cannot_govern_is_not_activated(units, people):
    with pytest.raises(PolicyError, match=r"gates\[0\]"), units.writing() as unit:
        activate(unit, people.administrator, policy_text().replace("items: [lineage-complete]", "items: [magic]"))


def test_the_last_policy_stays_and_an_ended_one_does_not_end_again(units, people):
    with pytest.raises(ConflictError, match="only policy"), units.writing() as unit:
        deactivate(unit, people.administrator, active_policy(unit).row_id)
    row = activated(units, people, policy_text("cards", "1.0", '["card-*"]'))
    with units.writing() as unit:
        assert deactivate(unit, people.administrator, row.id).policy is not None
    assert in_force(units) == ["acta-default 1.0"]
    with pytest.raises(ConflictError, match="not in force"), units.writing() as unit:
        deactivate(unit, people.administrator, row.id)
    assert actions(units)[-1] == "policy.deactivated"


def test_ending_a_policy_takes_two_as_well(units, people):
    row = activated(units, people, policy_text("cards", "1.0", '["card-*"]'))
    other = administrator(units, people, "second")
    with units.writing() as unit:
        proposal = deactivate(unit, people.administrator, row.id).proposal
    assert proposal is not None
    assert in_force(units) == ["cards 1.0", "acta-default 1.0"]
    confirmed(units, other, proposal.id)
    assert in_force(units) == ["acta-default 1.0"]


def test_the_api_proposes_and_confirms(client, people):
    other = administrator(client.units, people, "second")
    first, second = client.as_(people.administrator), client.as_(other)
    made = client.http.post("/api/v1/policies", json={"text": policy_text()}, headers=first)
    assert made.status_code == 201, made.text
    assert made.json()["policy"] is None
    proposal = made.json()["proposal"]
    listed = client.http.get("/api/v1/policies/proposals", headers=second).json()
    assert [row["id"] for row in listed] == [proposal["id"]]
    path = f"/api/v1/policies/proposals/{proposal['id']}/confirmation"
    assert client.http.post(path, headers=first).status_code == 403
    assert client.http.post(path, headers=client.as_(people.risk)).status_code == 403
    done = client.http.post(path, headers=second)
    assert (done.status_code, done.json()["version"]) == (201, "2.0")
    bad = client.http.post("/api/v1/policies", json={"text": "name: x"}, headers=first)
    assert (bad.status_code, bad.json()["errors"][0]["field"]) == (422, "(the file)")
    active = client.http.get("/api/v1/policies/active", headers=first).json()
    assert active["version"] == "2.0"
