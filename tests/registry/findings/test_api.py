"""Findings and what lapses over HTTP."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update

from registry.findings.tables import FindingRow
from registry.lapses.jobs import look

VERSION = "/api/v1/models/credit-default/versions/1"
DAY = timedelta(days=1)
FOUND = {"severity": "high", "title": "Leaks the age", "description": "A proxy."}


@pytest.fixture
def call(client, governance, registered):
    """Calls the API as one of the people."""
    headers = {}

    def send(method, path, actor, status, **body):
        if actor.id not in headers:
            headers[actor.id] = client.as_(actor)
        answer = client.http.request(method, path, headers=headers[actor.id], **body)
        assert answer.status_code == status, answer.text
        return answer.json()

    return send


def test_a_finding_from_its_opening_to_its_end_over_http(call, people):
    opened = call("POST", f"{VERSION}/findings", people.validator, 201, json=FOUND)
    assert (opened["state"], opened["overdue"], opened["model"], opened["version"]) == (
        "open",
        False,
        "credit-default",
        1,
    )
    path = f"/api/v1/findings/{opened['id']}"
    gate = call("GET", f"{VERSION}/gate", people.auditor, 200)
    assert [(one["id"], one["met"]) for one in gate["findings"]] == [(opened["id"], False)]
    assert f"finding-{opened['id']}" in {one["id"] for one in gate["unmet"]}

    lowered = {"severity": "medium", "reason": "Seen once."}
    assert call("POST", f"{path}/severity", people.risk, 200, json=lowered)["severity"] == "medium"
    owner = {"owner_id": str(people.other_developer.id), "reason": "His code."}
    assert call("POST", f"{path}/owner", people.risk, 200, json=owner)["owner_id"] == owner["owner_id"]
    done = {"remediation": "Dropped it.", "evidence": "https://git.example/1"}
    assert call("POST", f"{path}/remediation", people.other_developer, 200, json=done)["state"] == "remediated"
    agreed = {"reason": "Trained again without it."}
    assert call("POST", f"{path}/closing", people.validator, 200, json=agreed)["state"] == "closed"
    again = call("POST", f"{path}/reopening", people.ethics, 200, json={"reason": "It came back."})
    assert (again["state"], again["remediation"]) == ("open", None)
    assert call("GET", path, people.auditor, 200)["id"] == opened["id"]


def test_who_may_not_gets_a_refusal_and_who_may_not_see_it_finds_nothing(call, people):
    opened = call("POST", f"{VERSION}/findings", people.validator, 201, json=FOUND)
    path = f"/api/v1/findings/{opened['id']}"
    call("POST", f"{path}/closing", people.developer, 403, json={"reason": "Done."})
    call("POST", f"{path}/severity", people.validator, 403, json={"severity": "low", "reason": "Small."})
    call("POST", f"{VERSION}/findings", people.auditor, 403, json=FOUND)
    call("POST", f"{path}/closing", people.ethics, 409, json={"reason": "Nothing was done."})
    call("GET", path, people.stranger, 404)
    bad = call("POST", f"{VERSION}/findings", people.validator, 400, json=FOUND | {"severity": "awful"})
    assert "severity" in str(bad)
    past = {"due_at": (datetime.now(UTC) - DAY).isoformat()}
    assert "due_at" in call("POST", f"{VERSION}/findings", people.validator, 400, json=FOUND | past)["detail"]


def test_findings_are_listed_page_by_page_and_by_state_severity_and_owner(call, people, units):
    ids = [
        call("POST", f"{VERSION}/findings", people.validator, 201, json=FOUND | {"severity": severity})["id"]
        for severity in ("critical", "high", "low")
    ]
    first = call("GET", "/api/v1/findings?limit=2", people.auditor, 200)
    assert [one["id"] for one in first["items"]] == ids[:2]
    second = call("GET", f"/api/v1/findings?limit=2&cursor={first['next_cursor']}", people.auditor, 200)
    assert ([one["id"] for one in second["items"]], second["next_cursor"]) == (ids[2:], None)
    query = f"state=open&severity=low&model=credit-default&owner_id={people.developer.id}"
    assert [one["id"] for one in call("GET", f"/api/v1/findings?{query}", people.auditor, 200)["items"]] == ids[2:]
    assert call("GET", "/api/v1/findings?state=closed", people.auditor, 200)["items"] == []
    with units.writing() as unit:
        unit.session.execute(update(FindingRow).values(due_at=unit.now - DAY))
    assert all(one["overdue"] for one in call("GET", "/api/v1/findings", people.auditor, 200)["items"])
    assert "cursor" in call("GET", "/api/v1/findings?cursor=eA", people.auditor, 400)["detail"]


def test_a_finding_is_waived_over_http_and_the_waiver_is_listed_with_the_version_s(call, people):
    opened = call("POST", f"{VERSION}/findings", people.validator, 201, json=FOUND)
    until = (datetime.now(UTC) + 14 * DAY).isoformat()
    waiver = {"reason": "Small.", "compensating_measure": "Each refusal is read.", "expires_at": until}
    granted = call("POST", f"/api/v1/findings/{opened['id']}/waivers", people.risk, 201, json=waiver)
    assert (granted["item"], granted["finding_id"]) == (None, opened["id"])
    assert call("GET", f"{VERSION}/waivers", people.auditor, 200) == [granted]
    [finding] = call("GET", f"{VERSION}/gate", people.auditor, 200)["findings"]
    assert (finding["state"], finding["waiver"]["compensating_measure"]) == ("waived", "Each refusal is read.")


def test_what_has_lapsed_and_what_will_is_listed_over_http(call, people, governance, registered):
    governance.promote(registered)
    assert call("GET", "/api/v1/reviews-due?days=7", people.auditor, 200) == []
    [due] = call("GET", "/api/v1/reviews-due?days=366", people.auditor, 200)
    assert (due["review_due_since"], due["lapsed"]) == (None, [])
    assert "human-oversight" in {one["requirement"] for one in due["coming"]}
    at = datetime.now(UTC) + 366 * DAY
    look(governance.units, lambda: at)
    [due] = call("GET", "/api/v1/reviews-due?days=0", people.auditor, 200)
    assert due["review_due_since"] is not None
    flagged = {one["requirement"]: one for one in due["lapsed"]}
    assert flagged["human-oversight"]["then_stage"] == "staging"
    assert len(call("GET", f"{VERSION}/lapses", people.auditor, 200)) == len(flagged)
    call("GET", "/api/v1/reviews-due?days=4000", people.auditor, 400)
    reviewed = call("POST", f"{VERSION}/stage-reviews", people.validator, 201, json={"reason": "All is well."})
    assert reviewed["reviewed_by"] == str(people.validator.id)
    call("POST", f"{VERSION}/stage-reviews", people.auditor, 403, json={"reason": "All is well."})
