"""The gate, promotions and waivers over HTTP."""

from datetime import UTC, datetime, timedelta

import pytest

from registry.catalog.facts import Stage
from registry.jobs.worker import Worker
from tests.registry.promotion.conftest import POLICY

VERSION = "/api/v1/models/credit-default/versions/1"


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


def test_a_promotion_from_too_early_to_production_over_http(call, governance, registered):
    people = governance.people
    asked = call(
        "POST",
        "/api/v1/promotions",
        people.developer,
        201,
        json={"model": "credit-default", "version": 1, "target_stage": "production", "justification": "It is ready."},
    )
    assert asked["request"]["state"] == "open"
    items = POLICY.gate(Stage.PRODUCTION, "high").items
    assert len(asked["gate"]["unmet"]) == len(items) + 2
    request = f"/api/v1/promotions/{asked['request']['id']}"

    refused = call("POST", f"{request}/execution", people.developer, 409)
    assert refused["type"] == "urn:acta:problem:gate-not-met"
    about = "/api/v1/audit/entries?action=promotion.refused"
    [kept] = call("GET", about, people.auditor, 200)["items"]
    assert kept["actor"] == str(people.developer.id)
    assert request.endswith(kept["subject_id"])
    assert {one["id"] for one in refused["unmet"]} == {one["id"] for one in asked["gate"]["unmet"]}
    assert all(one["who"] and one["remedy"] for one in refused["unmet"])

    governance.complete(registered)
    answered = call(
        "POST",
        f"{VERSION}/attestations",
        people.ethics,
        201,
        json={"item": "human-oversight", "answer": "no", "reason": "Nobody watches."},
    )
    assert answered["attested_by"] == str(people.ethics.id)
    waived = call(
        "POST",
        f"{VERSION}/waivers",
        people.risk,
        201,
        json={
            "item": "human-oversight",
            "reason": "The team starts in March.",
            "compensating_measure": "A weekly reading of all refusals.",
            "expires_at": (datetime.now(UTC) + timedelta(days=20)).isoformat(),
        },
    )
    gate = call("GET", f"{VERSION}/gate?target_stage=production", people.auditor, 200)
    items = {item["id"]: item for checklist in gate["checklists"] for item in checklist["items"]}
    assert items["human-oversight"]["state"] == "waived"
    assert items["human-oversight"]["waiver"]["id"] == waived["id"]
    assert items["human-oversight"]["waiver"]["instead_of"] == "failed"
    assert items["lineage-complete"]["evidence"]
    assert items["quality-assured"]["answered_by"] == str(people.validator.id)
    assert [one["id"] for one in gate["unmet"]] == ["approval-validator", "approval-risk-officer"]

    for actor, role in ((people.validator, "validator"), (people.risk, "risk officer")):
        review = {"role": role, "decision": "approve", "reason": "Read and found good."}
        reviewed = call("POST", f"{request}/reviews", actor, 201, json=review)
    assert reviewed["request"]["state"] == "approved"
    executed = call("POST", f"{request}/execution", people.developer, 200)
    assert executed["request"]["state"] == "executed"
    assert executed["gate"]["met"]
    assert call("GET", request, people.auditor, 200) == executed
    assert call("GET", VERSION, people.auditor, 200)["stage"] == "production"
    listed = call("GET", "/api/v1/promotions?state=executed&model=credit-default", people.auditor, 200)
    assert [one["id"] for one in listed["items"]] == [asked["request"]["id"]]
    assert call("GET", "/api/v1/promotions?state=open", people.auditor, 200)["items"] == []

    ended = call("POST", f"/api/v1/waivers/{waived['id']}/revocation", people.risk, 200, json={"reason": "Over."})
    assert ended["expires_at"] < waived["expires_at"]
    assert call("GET", f"{VERSION}/waivers", people.auditor, 200) == [ended]


def test_checks_run_as_a_job_and_leave_results_that_are_served(call, governance):
    job = call("POST", f"{VERSION}/checks", governance.people.validator, 202)
    assert job["kind"] == "run-checks"
    assert job["state"] == "queued"
    Worker(governance.units, governance.settings).run_until_idle()
    results = call("GET", f"{VERSION}/checks", governance.people.auditor, 200)
    newest = {one["check"]: one["outcome"] for one in reversed(results)}
    without_evidence = {
        "assessment-passed": "inconclusive",
        "monitoring-plan-complete": "failed",
        "alert-acknowledged": "failed",
        "impact-assessed": "failed",
        "validated-independently": "failed",
    }
    assert newest == dict.fromkeys((check.check for check in POLICY.checks()), "passed") | without_evidence
    assert governance.actions().count("check.finished") == len(results)


def test_policy_is_served_word_for_word(call, governance):
    active = call("GET", "/api/v1/policies/active", governance.people.stranger, 200)
    assert (active["name"], active["version"]) == ("acta-default", "1.0")
    assert "checklists:" in active["text"]
    assert call("GET", "/api/v1/policies", governance.people.stranger, 200) == [active]
    assert call("GET", f"/api/v1/policies/{active['id']}", governance.people.stranger, 200) == active


def test_what_roles_do_not_allow_is_refused_over_http(call, governance):
    people = governance.people
    waiver = {"item": "x", "reason": "x", "compensating_measure": "x", "expires_at": "2030-01-01T00:00:00Z"}
    call("POST", f"{VERSION}/waivers", people.developer, 403, json=waiver)
    call("POST", f"{VERSION}/checks", people.auditor, 403)
    call("GET", f"{VERSION}/gate", people.stranger, 404)
    naive = waiver | {"item": "human-oversight", "expires_at": "2030-01-01T00:00:00"}
    problem = call("POST", f"{VERSION}/waivers", people.risk, 400, json=naive)
    assert problem["errors"][0]["field"] == "expires_at"
    missing = call("GET", "/api/v1/promotions/00000000-0000-0000-0000-000000000000", people.auditor, 404)
    assert "promotion request" in missing["detail"]
    call("GET", "/api/v1/promotions?cursor=bm9wZQ", people.auditor, 400)
