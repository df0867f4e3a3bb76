"""Findings that failed checks open, by real runs of the checks."""

import copy

import pytest
import yaml

from registry.assessments.tables import Verdict
from registry.findings import service
from registry.findings.from_checks import severity_of
from registry.findings.tables import FindingState
from registry.policy.activation import activate
from registry.policy.policy import Severity, parse
from registry.resources import default_policy_path
from tests.registry.promotion.conftest import assess

OPENING = "assessment-passed"


def policy_text(severity: str | None) -> str:
    """The default policy, in which a failed bias assessment opens a finding of that severity, or none."""
    raw = yaml.safe_load(default_policy_path().read_text(encoding="utf-8"))
    raw["version"] = "999.1"
    for checklist in raw["checklists"]:
        for item in checklist["items"]:
            item["shown"].pop("opens_finding", None)
            if severity is not None and item["shown"].get("check") == OPENING:
                item["shown"]["opens_finding"] = severity
    return yaml.safe_dump(raw, sort_keys=False)


def failing_run(governance, found, severity="critical"):
    with governance.units.writing() as unit:
        activate(unit, governance.people.administrator, policy_text(severity))
        assess(unit, governance.people.developer, found, Verdict.FAIL)
    governance.run_checks(found)


def findings_of(governance, found):
    with governance.units.reading() as unit:
        return service.findings_of(unit, found.version.id)


def test_a_failed_check_opens_one_finding_however_often_it_fails(governance, registered):
    failing_run(governance, registered)
    governance.run_checks(registered)
    [row] = findings_of(governance, registered)
    assert (row.severity, row.check_name, row.opened_by, row.state) == ("critical", OPENING, None, "open")
    assert row.owner_id == registered.model.owner_id
    assert row.description == "The verdict is fail."
    [entry] = [entry for entry in governance.entries() if entry.action == "finding.opened"]
    assert (entry.actor, entry.changes["check"]) == ("acta", OPENING)


def test_a_check_that_passes_later_closes_no_finding(governance, registered):
    failing_run(governance, registered)
    with governance.units.writing() as unit:
        assess(unit, governance.people.developer, registered, Verdict.PASS)
    governance.run_checks(registered)
    [row] = findings_of(governance, registered)
    assert row.state == FindingState.OPEN


def test_a_finding_that_somebody_closed_is_not_opened_again_by_its_check(governance, registered):
    people = governance.people
    failing_run(governance, registered)
    [row] = findings_of(governance, registered)
    with governance.units.writing() as unit:
        service.remediate(unit, people.other_developer, row.id, "Weighed the groups.", "run 7")
    with governance.units.writing() as unit:
        service.close(unit, people.validator, row.id, "Counted again.")
    governance.run_checks(registered)
    [row] = findings_of(governance, registered)
    assert row.state == FindingState.CLOSED


@pytest.mark.parametrize("verdict, severity", [(Verdict.FAIL, None), (Verdict.INCONCLUSIVE, "high")])
def test_no_finding_is_opened_unless_the_policy_says_so_and_the_check_failed(governance, registered, verdict, severity):
    with governance.units.writing() as unit:
        activate(unit, governance.people.administrator, policy_text(severity))
        assess(unit, governance.people.developer, registered, verdict)
    governance.run_checks(registered)
    assert findings_of(governance, registered) == []


def test_of_several_severities_for_one_check_the_gravest_counts():
    raw = yaml.safe_load(policy_text("low"))
    checklist = next(one for one in raw["checklists"] if any(i["shown"].get("check") == OPENING for i in one["items"]))
    first = next(item for item in checklist["items"] if item["shown"].get("check") == OPENING)
    second = copy.deepcopy(first) | {"id": "bias-assessed-again"}
    second["shown"]["opens_finding"] = "high"
    checklist["items"].append(second)
    assert severity_of(parse(yaml.safe_dump(raw)), OPENING) is Severity.HIGH
