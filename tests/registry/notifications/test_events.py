"""Who hears of what: promotions, findings and waivers that end."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select
from sqlmodel import col

from registry.access.actor import Role
from registry.catalog.service import version_by_id
from registry.findings.service import NewFinding, open_finding
from registry.lapses.jobs import look
from registry.notifications.tables import NotificationRow
from registry.policy.policy import Severity
from registry.promotion.rollback import roll_back
from registry.promotion.tables import Decision
from registry.promotion.waivers import grant_waiver
from tests.registry.promotion.conftest import Governance


@pytest.fixture
def governance(units, people, settings):
    return Governance(units, people, settings)


def told(units, event):
    with units.reading() as unit:
        query = select(NotificationRow).where(col(NotificationRow.event) == event)
        return list(unit.session.execute(query.order_by(col(NotificationRow.raised_at))).scalars())


def test_a_request_is_told_to_those_who_can_review_it_and_its_end_to_who_made_it(governance, registered, people, units):
    governance.promote(registered)
    (asked,) = told(units, "promotion.requested")
    assert asked.persons == sorted(str(person.id) for person in (people.validator, people.risk))
    assert (asked.model, asked.team, asked.facts["target stage"]) == ("credit-default", "retail-risk", "production")
    (ended,) = told(units, "promotion.executed")
    assert ended.persons == [str(people.developer.id)]
    assert told(units, "promotion.rejected") == []


def test_a_rejection_is_told_to_who_made_the_request(governance, registered, people, units):
    request_id = governance.request(registered)
    governance.review(request_id, people.validator, Role.VALIDATOR, Decision.REJECT)
    (rejected,) = told(units, "promotion.rejected")
    assert (rejected.subject_id, rejected.persons) == (request_id, [str(people.developer.id)])


def test_a_rollback_is_told_to_the_owner_and_to_those_who_can_review_it(governance, registered, people, units):
    governance.promote(registered)
    governance.promote(governance.register())
    with units.writing() as unit:
        row = roll_back(unit, people.operations, "credit-default", "It refuses everybody.").row
    (called,) = told(units, "rollback.called")
    assert called.subject_id == row.id
    assert str(people.operations.id) not in called.persons
    assert {str(people.developer.id), str(people.validator.id), str(people.risk.id)} <= set(called.persons)
    assert (called.facts["from version"], called.facts["to version"]) == ("2", "1")


def test_a_finding_is_told_to_its_owner(units, people, registered):
    with units.writing() as unit:
        fresh = version_by_id(unit, people.validator, registered.version.id)
        new = NewFinding(Severity.HIGH, "Wrong units", "Income is in cents.", people.other_developer.id, None)
        row = open_finding(unit, people.validator, fresh, new)
    (opened,) = told(units, "finding.opened")
    assert opened.subject_id == row.id
    assert set(opened.persons) == {str(people.other_developer.id), str(people.developer.id)}


def test_a_waiver_that_ends_within_a_week_is_told_once(units, people, registered):
    now = datetime.now(UTC)
    with units.writing() as unit:
        fresh = version_by_id(unit, people.risk, registered.version.id)
        until = now + timedelta(days=10)
        row = grant_waiver(
            unit,
            people.risk,
            fresh,
            "bias-assessed",
            reason="Late labels.",
            compensating_measure="Manual review.",
            expires_at=until,
        )
    look(units, lambda: now + timedelta(days=2))
    assert told(units, "waiver.expiring") == []
    for day in (4, 5, 6):
        look(units, lambda day=day: now + timedelta(days=day))
    (expiring,) = told(units, "waiver.expiring")
    assert expiring.subject_id == row.id
    assert set(expiring.persons) == {str(people.developer.id), str(people.risk.id)}
    assert expiring.facts["of"] == "bias-assessed"
