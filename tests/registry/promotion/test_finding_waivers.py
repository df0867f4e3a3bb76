"""Waivers that except a finding."""

from datetime import timedelta

import pytest
import yaml

from registry.access.actor import Role
from registry.errors import ConflictError, InvalidInputError, RefusedError
from registry.findings import service as findings
from registry.findings.service import NewFinding
from registry.policy.activation import activate
from registry.policy.errors import ConflictOfInterestError
from registry.policy.policy import Severity
from registry.promotion import waivers
from registry.promotion.cases import find_case
from registry.promotion.errors import GateNotMetError
from registry.promotion.waivers import Excuse
from registry.resources import default_policy_path

DAY = timedelta(days=1)


def opened(governance, found, owner=None):
    with governance.units.writing() as unit:
        new = NewFinding(Severity.HIGH, "Leaks the age", "A proxy.", None if owner is None else owner.id)
        return findings.open_finding(unit, governance.people.validator, found, new).id


def waive(governance, finding_id, actor=None, days=14.0):
    with governance.units.writing() as unit:
        excuse = Excuse("It is small.", "Each refusal is read by a person.", unit.now + days * DAY)
        return waivers.waive_finding(unit, actor or governance.people.risk, finding_id, excuse).id


def test_a_waived_finding_holds_no_gate_until_the_waiver_ends(governance, registered):
    governance.complete(registered)
    request_id = governance.request(registered)
    governance.approve(request_id)
    finding_id = opened(governance, registered)
    waiver_id = waive(governance, finding_id)
    assert governance.unmet(registered) == []
    with governance.units.writing() as unit:
        waivers.revoke_waiver(unit, governance.people.risk, waiver_id, "The measure was not taken.")
    with pytest.raises(GateNotMetError, match="Leaks the age"):
        governance.execute(request_id)
    waive(governance, finding_id)
    assert governance.execute(request_id) == "executed"
    [entry, _] = [entry for entry in governance.entries() if entry.action == "waiver.granted"]
    assert (entry.changes["item"], entry.changes["finding_id"]) == (None, str(finding_id))
    assert b"read by a person" not in entry.leaf


def test_the_gate_that_is_kept_with_an_execution_names_the_waiver_and_its_measure(governance, registered):
    governance.complete(registered)
    request_id = governance.request(registered)
    governance.approve(request_id)
    waiver_id = waive(governance, opened(governance, registered))
    governance.execute(request_id)
    with governance.units.reading() as unit:
        [finding] = find_case(unit, governance.people.auditor, request_id).request.gate["findings"]
    assert (finding["met"], finding["waiver"]["id"]) == (True, str(waiver_id))
    assert finding["waiver"]["compensating_measure"] == "Each refusal is read by a person."


def test_a_finding_is_waived_only_by_an_outsider_with_the_role_and_within_the_time_that_the_policy_allows(
    governance, registered
):
    people = governance.people
    finding_id = opened(governance, registered)
    with pytest.raises(RefusedError, match="risk officer"):
        waive(governance, finding_id, actor=people.ethics)
    with pytest.raises(ConflictOfInterestError, match="registered"):
        waive(governance, finding_id, actor=governance.also(people.developer, Role.RISK_OFFICER))
    owned = opened(governance, registered, owner=people.other_developer)
    with pytest.raises(ConflictOfInterestError, match="own"):
        waive(governance, owned, actor=governance.also(people.other_developer, Role.RISK_OFFICER))
    with pytest.raises(InvalidInputError, match="within 30 days"):
        waive(governance, finding_id, days=30.001)
    governance.request(registered, by=people.risk)
    with pytest.raises(ConflictOfInterestError, match="made request 1"):
        waive(governance, finding_id)


def test_who_waived_a_finding_asks_for_no_promotion_while_the_waiver_lasts(governance, registered):
    waive(governance, opened(governance, registered))
    with pytest.raises(ConflictOfInterestError, match="waived a finding"):
        governance.request(registered, by=governance.people.risk)


def test_a_closed_finding_is_not_waived(governance, registered):
    finding_id = opened(governance, registered)
    with governance.units.writing() as unit:
        findings.remediate(unit, governance.people.developer, finding_id, "Dropped it.", "commit 1")
    with governance.units.writing() as unit:
        findings.close(unit, governance.people.security, finding_id, "Seen.")
    with pytest.raises(ConflictError, match="closed"):
        waive(governance, finding_id)


def test_a_policy_may_let_nobody_waive_a_finding(governance, registered):
    finding_id = opened(governance, registered)
    waive(governance, finding_id)
    raw = yaml.safe_load(default_policy_path().read_text(encoding="utf-8"))
    raw["version"] = "999.1"
    raw["findings"]["waiver"] = None
    with governance.units.writing() as unit:
        activate(unit, governance.people.administrator, yaml.safe_dump(raw))
    with pytest.raises(InvalidInputError, match="nobody waive"):
        waive(governance, finding_id)
    assert f"finding-{finding_id}" in governance.unmet(registered)


def test_a_risk_officer_ends_a_waiver_that_another_role_granted(governance, registered):
    raw = yaml.safe_load(default_policy_path().read_text(encoding="utf-8"))
    raw["version"] = "999.1"
    raw["findings"]["waiver"] = {"role": "ethics reviewer", "max_days": 10}
    with governance.units.writing() as unit:
        activate(unit, governance.people.administrator, yaml.safe_dump(raw))
    waiver_id = waive(governance, opened(governance, registered), actor=governance.people.ethics, days=9)
    with pytest.raises(RefusedError), governance.units.writing() as unit:
        waivers.revoke_waiver(unit, governance.people.security, waiver_id, "No.")
    with governance.units.writing() as unit:
        waivers.revoke_waiver(unit, governance.people.risk, waiver_id, "The measure was not taken.")
