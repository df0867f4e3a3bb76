"""What becomes of the open work of a person who has left."""

import pytest

from registry.access.actor import Role
from registry.access.service import record_leaving
from registry.catalog import service as catalog
from registry.errors import ConflictError, InvalidInputError, RefusedError
from registry.promotion import service
from registry.promotion.cases import find_case
from registry.promotion.errors import SelfReviewError
from registry.promotion.handover import hand_over
from registry.promotion.replay import replay
from tests.registry.promotion.conftest import NAME


def leave(governance, actor):
    with governance.units.writing() as unit:
        record_leaving(unit, governance.people.administrator, actor.id)


def test_models_and_live_requests_of_a_leaver_go_to_another_person_who_counts_as_the_requester(governance, registered):
    people = governance.people
    request_id = governance.request(registered)
    leave(governance, people.developer)
    with governance.units.writing() as unit:
        done = hand_over(unit, people.administrator, people.developer.id, people.risk.id, "Same team.")
    assert (done.models, done.findings, done.requests) == (1, 0, 1)
    with governance.units.reading() as unit:
        assert catalog.get_model(unit, people.auditor, NAME).owner_id == people.risk.id
        assert find_case(unit, people.auditor, request_id).request.handed_to == people.risk.id
    assert replay(governance.entries()).requests[str(request_id)].handed_to == str(people.risk.id)
    with pytest.raises(SelfReviewError):
        governance.review(request_id, people.risk, Role.RISK_OFFICER)
    heir = governance.also(people.risk, Role.DEVELOPER)
    with governance.units.writing() as unit:
        assert service.withdraw(unit, heir, request_id, "Begun anew.").request.state == "withdrawn"


def test_review_that_the_heir_gave_before_does_not_count_any_more(governance, registered):
    people = governance.people
    governance.complete(registered)
    request_id = governance.request(registered)
    governance.approve(request_id)
    leave(governance, people.developer)
    with governance.units.writing() as unit:
        hand_over(unit, people.administrator, people.developer.id, people.risk.id, "Same team.")
    assert "approval-risk-officer" in governance.unmet(registered)


def test_only_an_administrator_hands_over_only_from_a_leaver_and_only_to_a_person_who_is_here(governance, registered):
    people = governance.people
    with pytest.raises(ConflictError, match="not left"), governance.units.writing() as unit:
        hand_over(unit, people.administrator, people.developer.id, people.risk.id, "Soon.")
    leave(governance, people.developer)
    machine = governance.machine_of(people.risk)
    for heir in (people.developer.id, machine.id):
        with pytest.raises(InvalidInputError, match="to"), governance.units.writing() as unit:
            hand_over(unit, people.administrator, people.developer.id, heir, "Who else.")
    with pytest.raises(RefusedError), governance.units.writing() as unit:
        hand_over(unit, people.risk, people.developer.id, people.risk.id, "Mine.")
