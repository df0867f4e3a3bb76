from datetime import timedelta

import pytest

from registry.findings import service
from registry.findings.overdue import escalate, overdue
from registry.findings.service import NewFinding
from registry.notifications.tables import NotificationRow
from registry.policy.policy import Severity

DAY = timedelta(days=1)


@pytest.fixture
def finding_id(governance, registered):
    with governance.units.writing() as unit:
        new = NewFinding(Severity.HIGH, "Leaks the age", "A proxy.", governance.people.other_developer.id)
        return service.open_finding(unit, governance.people.validator, registered, new).id


def look(governance, days):
    """What is escalated by a look so many days from now."""
    with governance.units.writing() as unit:
        unit.now += days * DAY
        return [one for one in overdue(unit) if escalate(unit, one)]


def notifications(governance):
    with governance.units.reading() as unit:
        rows = unit.session.query(NotificationRow).filter_by(event="finding.escalated")
        return [set(row.persons) for row in rows]


def test_an_overdue_finding_is_told_once_to_its_owner_the_models_owner_and_the_risk_officers(
    governance, registered, finding_id
):
    people = governance.people
    assert look(governance, 29) == []
    assert look(governance, 31) == [finding_id]
    assert look(governance, 32) == []
    assert look(governance, 31) == []
    [told] = notifications(governance)
    assert told == {str(people.other_developer.id), str(registered.model.owner_id), str(people.risk.id)}
    [entry] = [entry for entry in governance.entries() if entry.action == "finding.escalated"]
    assert (entry.actor, entry.subject_id) == ("acta", str(finding_id))


def test_another_due_time_is_told_of_again(governance, finding_id):
    look(governance, 31)
    with governance.units.writing() as unit:
        service.reassign(
            unit, governance.people.risk, finding_id, governance.people.developer.id, "Hers.", unit.now + 60 * DAY
        )
    assert look(governance, 59) == []
    assert look(governance, 61) == [finding_id]


def test_a_remediated_finding_is_overdue_until_it_is_closed(governance, finding_id):
    with governance.units.writing() as unit:
        service.remediate(unit, governance.people.developer, finding_id, "Dropped it.", "commit 1")
    assert look(governance, 31) == [finding_id]
    with governance.units.writing() as unit:
        service.close(unit, governance.people.risk, finding_id, "Seen.")
    assert look(governance, 365) == []
