from datetime import timedelta

import pytest

from registry.access.actor import Role
from registry.catalog.facts import Stage
from registry.errors import InvalidInputError, NotFoundError, RefusedError
from registry.findings import service
from registry.findings.errors import FindingStateError, SelfClosingError
from registry.findings.service import FindingFilter, NewFinding
from registry.findings.states import TRANSITIONS, Step, after
from registry.findings.tables import FindingRow, FindingState
from registry.policy.policy import Severity
from registry.promotion.errors import GateNotMetError


def opened(governance, found, *, severity=Severity.HIGH, by=None, owner=None, title="Leaks the age"):
    with governance.units.writing() as unit:
        new = NewFinding(severity, title, "The income column is a proxy.", None if owner is None else owner.id)
        return service.open_finding(unit, by or governance.people.validator, found, new).id


def remediated(governance, finding_id, by=None):
    with governance.units.writing() as unit:
        return service.remediate(
            unit, by or governance.people.developer, finding_id, "Dropped it.", "https://git.example/1"
        ).state


def closed(governance, finding_id, by=None):
    with governance.units.writing() as unit:
        return service.close(unit, by or governance.people.validator, finding_id, "Trained again without it.").state


def row_of(governance, finding_id):
    with governance.units.reading() as unit:
        return unit.session.get_one(FindingRow, finding_id)


def test_a_finding_is_owned_by_the_models_owner_and_due_when_the_policy_says(governance, registered):
    row = row_of(governance, opened(governance, registered, severity=Severity.CRITICAL))
    assert row.owner_id == registered.model.owner_id
    assert row.due_at - row.opened_at == timedelta(days=7)
    assert row.state == FindingState.OPEN


def test_a_finding_goes_from_open_by_remediation_to_closed_and_each_step_is_logged(governance, registered):
    finding_id = opened(governance, registered)
    assert remediated(governance, finding_id) == "remediated"
    assert closed(governance, finding_id) == "closed"
    logged = [entry for entry in governance.entries() if entry.action.startswith("finding.")]
    assert [entry.action for entry in logged] == ["finding.opened", "finding.remediated", "finding.closed"]
    assert [entry.changes["state"] for entry in logged] == ["open", "remediated", "closed"]
    assert {entry.subject_id for entry in logged} == {str(finding_id)}
    leaves = b"".join(entry.leaf for entry in logged)
    for text in (b"Leaks the age", b"proxy", b"Dropped it", b"Trained again"):
        assert text not in leaves


def test_nobody_closes_a_finding_that_they_own_or_remediated_nor_by_a_machine_of_theirs(governance, registered):
    people = governance.people
    finding_id = opened(governance, registered, owner=people.ethics)
    remediated(governance, finding_id, by=people.validator)
    machine = governance.machine_of(people.ethics, Role.RISK_OFFICER)
    for interested in (people.ethics, people.validator, machine):
        with pytest.raises(SelfClosingError):
            closed(governance, finding_id, by=interested)
    assert closed(governance, finding_id, by=people.security) == "closed"


def test_who_remediated_through_a_machine_does_not_close_in_person(governance, registered):
    people = governance.people
    finding_id = opened(governance, registered)
    remediated(governance, finding_id, by=governance.machine_of(people.validator, Role.VALIDATOR))
    with pytest.raises(SelfClosingError):
        closed(governance, finding_id, by=people.validator)
    assert closed(governance, finding_id, by=people.risk) == "closed"


def test_only_validators_reviewers_and_risk_officers_close(governance, registered):
    finding_id = opened(governance, registered)
    remediated(governance, finding_id)
    for other in (governance.people.other_developer, governance.people.auditor):
        with pytest.raises(RefusedError):
            closed(governance, finding_id, by=other)


def test_an_open_finding_is_not_closed_before_somebody_says_what_was_done(governance, registered):
    finding_id = opened(governance, registered)
    with pytest.raises(FindingStateError, match="open"):
        closed(governance, finding_id)


def test_a_reopened_finding_forgets_its_remediation_and_gets_a_new_due_time(governance, registered):
    finding_id = opened(governance, registered)
    remediated(governance, finding_id)
    closed(governance, finding_id)
    with governance.units.writing() as unit:
        service.reopen(unit, governance.people.ethics, finding_id, "It came back.")
    row = row_of(governance, finding_id)
    assert (row.state, row.remediation, row.remediated_by, row.closed_by) == ("open", None, None, None)
    with pytest.raises(FindingStateError), governance.units.writing() as unit:
        service.reopen(unit, governance.people.ethics, finding_id, "Again.")


@pytest.mark.parametrize("state", FindingState)
@pytest.mark.parametrize("step", Step)
def test_a_step_that_the_table_does_not_have_is_refused(state, step):
    if (state, step) in TRANSITIONS:
        assert after(state, step) in FindingState
    else:
        with pytest.raises(FindingStateError, match=step.value):
            after(state, step)


def test_the_owner_is_a_person_who_is_here_and_whose_role_reaches_the_model(governance, registered):
    people = governance.people
    machine = governance.machine_of(people.developer, Role.DEVELOPER)
    for nobody in (people.stranger, machine):
        with pytest.raises(InvalidInputError, match="owner"):
            opened(governance, registered, owner=nobody)
    assert row_of(governance, opened(governance, registered, owner=people.operations)).owner_id == people.operations.id


def test_an_owner_hands_over_but_does_not_move_the_due_time(governance, registered):
    people = governance.people
    finding_id = opened(governance, registered, owner=people.other_developer)
    due_at = row_of(governance, finding_id).due_at
    with pytest.raises(RefusedError), governance.units.writing() as unit:
        later = unit.now + timedelta(days=365)
        service.reassign(unit, people.other_developer, finding_id, people.developer.id, "Her code.", later)
    with governance.units.writing() as unit:
        service.reassign(unit, people.other_developer, finding_id, people.developer.id, "Her code.")
    row = row_of(governance, finding_id)
    assert (row.owner_id, row.due_at) == (people.developer.id, due_at)
    with pytest.raises(RefusedError), governance.units.writing() as unit:
        service.reassign(unit, people.other_developer, finding_id, people.other_developer.id, "Back.")
    remediated(governance, finding_id)
    with pytest.raises(FindingStateError), governance.units.writing() as unit:
        service.reassign(unit, people.risk, finding_id, people.ethics.id, "Now his.")


def test_only_a_risk_officer_changes_the_severity_and_with_a_reason(governance, registered):
    people = governance.people
    finding_id = opened(governance, registered, severity=Severity.CRITICAL)
    with pytest.raises(RefusedError, match="risk officer"), governance.units.writing() as unit:
        service.change_severity(unit, people.validator, finding_id, Severity.LOW, "Less grave.")
    with pytest.raises(InvalidInputError, match="reason"), governance.units.writing() as unit:
        service.change_severity(unit, people.risk, finding_id, Severity.LOW, " ")
    with governance.units.writing() as unit:
        service.change_severity(unit, people.risk, finding_id, Severity.LOW, "Only the report is wrong.")
    [entry] = [entry for entry in governance.entries() if entry.action == "finding.severity-changed"]
    assert (entry.changes["from"], entry.changes["to"]) == ("critical", "low")


def test_a_blocking_finding_holds_the_gate_until_somebody_else_closes_it(governance, registered):
    governance.complete(registered)
    request_id = governance.request(registered)
    governance.approve(request_id)
    finding_id = opened(governance, registered)
    assert governance.unmet(registered) == [f"finding-{finding_id}"]
    with pytest.raises(GateNotMetError, match="Leaks the age") as refused:
        governance.execute(request_id)
    assert refused.value.unmet[0].who == (Role.DEVELOPER,)
    remediated(governance, finding_id)
    with pytest.raises(GateNotMetError, match="nobody has agreed") as refused:
        governance.execute(request_id)
    assert Role.VALIDATOR in refused.value.unmet[0].who
    closed(governance, finding_id)
    assert governance.execute(request_id) == "executed"


@pytest.mark.parametrize("severity, holds", [(Severity.MEDIUM, False), (Severity.HIGH, True)])
def test_only_a_severity_that_the_gate_names_holds_it(governance, registered, severity, holds):
    governance.complete(registered)
    finding_id = opened(governance, registered, severity=severity)
    before = governance.unmet(registered)
    assert (f"finding-{finding_id}" in before) is holds
    # To staging, the default policy lets only critical findings block.
    assert governance.unmet(registered, Stage.STAGING) == ["approval-validator"]


def test_a_finding_lowered_below_what_blocks_holds_the_gate_no_longer(governance, registered):
    governance.complete(registered)
    finding_id = opened(governance, registered)
    with governance.units.writing() as unit:
        service.change_severity(unit, governance.people.risk, finding_id, Severity.MEDIUM, "Seen in one report only.")
    assert f"finding-{finding_id}" not in governance.unmet(registered)


def test_findings_are_listed_the_first_due_first_and_only_to_those_who_may_see_the_model(governance, registered):
    people = governance.people
    grave = opened(governance, registered, severity=Severity.CRITICAL)
    light = opened(governance, registered, severity=Severity.LOW)
    with governance.units.reading() as unit:
        seen = service.list_findings(unit, people.auditor, FindingFilter(), None, 10)
        assert [one.row.id for one in seen] == [grave, light]
        after_first = service.list_findings(unit, people.auditor, FindingFilter(), (seen[0].row.due_at, grave), 10)
        assert [one.row.id for one in after_first] == [light]
        assert service.list_findings(unit, people.stranger, FindingFilter(), None, 10) == []
        wanted = FindingFilter(severity=Severity.LOW, state=FindingState.OPEN, model="credit-default")
        assert [one.row.id for one in service.list_findings(unit, people.auditor, wanted, None, 10)] == [light]
        with pytest.raises(NotFoundError):
            service.get_finding(unit, people.stranger, grave)
