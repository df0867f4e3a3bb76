from dataclasses import replace as changed
from decimal import Decimal
from uuid import uuid4

import msgspec
import pytest
from msgspec.structs import replace
from sqlalchemy import text

from registry.access.service import record_leaving
from registry.errors import InvalidInputError, NotFoundError, OutdatedRevisionError, RefusedError
from registry.monitoring.facts import monitored_facts
from registry.monitoring.plan import (
    PARTS,
    Direction,
    DriftFeature,
    DriftMethod,
    EmailRoute,
    HealthIndicator,
    MonitoringPlan,
    WebhookRoute,
    check_plan,
    json_schema,
    missing_parts,
    route_digest,
)
from registry.monitoring.service import get_plan, state_plan
from registry.policy.checks.facts import AcknowledgedAlert, Files, Monitored
from registry.policy.checks.monitoring import AlertAcknowledged, MonitoringPlanComplete
from registry.policy.tables import Outcome
from tests.registry.monitoring.plans import COLUMNS, PLAN, monitor

BASE = "/api/v1/models/credit-default/versions/1"


def plan_of(people, **changes):
    return replace(PLAN, owner=people.operations.id, **changes)


@pytest.mark.parametrize("field", [field for field, _ in PARTS])
def test_each_part_that_a_plan_does_not_name_is_missing(field):
    whole = replace(PLAN, owner=uuid4())
    assert missing_parts(whole) == []
    nothing = [] if field in {"health", "drift"} else None
    assert missing_parts(replace(whole, **{field: nothing})) == [dict(PARTS)[field]]


def test_a_delay_of_no_days_is_a_delay_that_is_named():
    assert "the delay of labels" not in missing_parts(MonitoringPlan(label_delay_days=0))


def indicator(**changes):
    given = {"name": "errors", "unit": "1/min", "direction": Direction.ABOVE, "warn": Decimal(1), "alarm": Decimal(2)}
    return HealthIndicator(**given | changes)


def feature(**changes):
    return DriftFeature(**{"feature": "age", "method": DriftMethod.PSI, "threshold": Decimal("0.2")} | changes)


@pytest.mark.parametrize(
    "plan, field",
    [
        (MonitoringPlan(health=[indicator(warn=Decimal(3))]), "health[0].alarm"),
        (MonitoringPlan(health=[indicator(direction=Direction.BELOW)]), "health[0].alarm"),
        (MonitoringPlan(health=[indicator(warn=Decimal("NaN"))]), "health[0].warn"),
        (MonitoringPlan(health=[indicator(alarm=Decimal("Infinity"))]), "health[0].alarm"),
        (MonitoringPlan(health=[indicator(name="")]), "health[0].name"),
        (MonitoringPlan(health=[indicator(), indicator()]), "health[1].name"),
        (MonitoringPlan(health=[indicator(name=str(n)) for n in range(101)]), "health"),
        (MonitoringPlan(drift=[feature(threshold=Decimal(0))]), "drift[0].threshold"),
        (MonitoringPlan(drift=[feature(threshold=Decimal("-1"))]), "drift[0].threshold"),
        (MonitoringPlan(drift=[feature(method=DriftMethod.KS, threshold=Decimal("1.1"))]), "drift[0].threshold"),
        (MonitoringPlan(drift=[feature(), feature()]), "drift[1].feature"),
        (MonitoringPlan(failure_plan="  "), "failure_plan"),
        (MonitoringPlan(retraining=""), "retraining"),
    ],
)
def test_a_plan_that_contradicts_itself_is_refused_by_field(plan, field):
    with pytest.raises(InvalidInputError) as refused:
        check_plan(plan)
    assert refused.value.field == field


def test_psi_has_no_upper_bound_and_one_feature_may_be_compared_in_two_ways():
    check_plan(MonitoringPlan(drift=[feature(threshold=Decimal(3)), feature(method=DriftMethod.KS)]))


def test_the_schema_takes_numbers_written_as_numbers_and_as_text():
    schema = json_schema()
    threshold = schema["$defs"]["DriftFeature"]["properties"]["threshold"]
    assert threshold["type"] == ["string", "number"]
    for written in (0.2, "0.2"):
        read = msgspec.convert({"feature": "age", "method": "psi", "threshold": written}, DriftFeature)
        assert read.threshold == Decimal("0.2")


def test_a_plan_is_kept_as_it_was_stated_and_each_revision_stays(units, people, registered):
    whole = plan_of(people)
    with units.writing() as unit:
        state_plan(unit, people.developer, registered, 0, MonitoringPlan(label_delay_days=5))
        state_plan(unit, people.operations, registered, 1, whole)
    with units.reading() as unit:
        found = get_plan(unit, registered)
        kept = unit.session.execute(text("SELECT count(*) FROM acta_monitoring_plan")).scalar_one()
    assert (found.row.revision, found.plan, kept) == (2, whole, 2)


def test_a_plan_based_on_an_older_revision_is_refused(units, people, registered):
    for based_on in (1, -1):
        with pytest.raises(OutdatedRevisionError), units.writing() as unit:
            state_plan(unit, people.developer, registered, based_on, PLAN)
    with units.writing() as unit:
        state_plan(unit, people.developer, registered, 0, PLAN)
    with pytest.raises(OutdatedRevisionError), units.writing() as unit:
        state_plan(unit, people.developer, registered, 0, PLAN)


def test_a_plan_names_persons_webhooks_and_versions_that_are_there(units, people, registered):
    with units.writing() as unit:
        record_leaving(unit, people.administrator, people.ethics.id)
    wrong = {
        "owner": [replace(PLAN, owner=uuid4()), replace(PLAN, owner=people.ethics.id)],
        "alert_route.webhook": [replace(PLAN, alert_route=WebhookRoute(uuid4()))],
        "alert_route.address": [replace(PLAN, alert_route=EmailRoute("nobody"))],
        "rollback_target": [replace(PLAN, rollback_target=1), replace(PLAN, rollback_target=7)],
    }
    for field, plans in wrong.items():
        for plan in plans:
            with pytest.raises(InvalidInputError) as refused, units.writing() as unit:
                state_plan(unit, people.developer, registered, 0, plan)
            assert refused.value.field == field


def test_a_validator_states_no_plan(units, people, registered):
    with pytest.raises(RefusedError), units.writing() as unit:
        state_plan(unit, people.validator, registered, 0, PLAN)


def test_the_log_names_owner_and_digest_and_commits_to_the_words(units, people, registered):
    with units.writing() as unit:
        state_plan(unit, people.developer, registered, 0, plan_of(people))
    with units.reading() as unit:
        (leaf,) = unit.session.execute(text("SELECT leaf FROM acta_log_entry WHERE action = 'plan.stated'")).scalars()
    assert str(people.operations.id).encode() in bytes(leaf)
    assert b"Call the owner" not in bytes(leaf)


def test_routes_want_the_revision_that_an_edit_is_based_on(client, people, registered):
    headers = client.as_(people.developer)
    body = msgspec.to_builtins(plan_of(people))
    url = f"{BASE}/monitoring-plan"
    assert client.http.get(url, headers=headers).status_code == 404
    assert client.http.put(url, headers=headers, json=body).status_code == 428
    first = client.http.put(url, headers=headers | {"If-Match": '"0"'}, json=body)
    assert (first.status_code, first.headers["etag"], first.json()["missing"]) == (200, '"1"', [])
    assert client.http.put(url, headers=headers | {"If-Match": '"0"'}, json=body).status_code == 412
    shown = client.http.get(url, headers=headers)
    assert shown.headers["etag"] == '"1"'
    assert shown.json()["plan"] == body
    wrong = body | {"health": [body["health"][0] | {"direction": "sideways"}]}
    assert client.http.put(url, headers=headers | {"If-Match": '"1"'}, json=wrong).status_code in {400, 422}
    assert "MonitoringPlan" in client.http.get("/api/v1/schemas/monitoring-plan", headers=headers).json()["$defs"]


# What the checks make of it.


def facts_of(found, now):
    return Monitored(
        plan_digest=b"p" * 32,
        revision=3,
        missing=(),
        drift_features=("age",),
        owner_is_here=True,
        route_exists=True,
        profiled_columns=frozenset({"age", "sex"}),
        profile_digests=(b"q" * 32,),
        alert=AcknowledgedAlert(uuid4(), now, now, uuid4()),
    )


@pytest.fixture
def facts(units, registered, now):
    from registry.catalog.facts import DigestState
    from registry.policy.checks.facts import CheckFacts

    return CheckFacts(b"c" * 32, DigestState.VERIFIED, now, (), None, monitored=facts_of(registered, now))


@pytest.mark.parametrize(
    "defect, says",
    [
        ({"missing": ("the failure plan",)}, "does not name the failure plan"),
        ({"owner_is_here": False}, "owner has left"),
        ({"route_exists": False}, "was removed"),
        ({"profile_digests": (), "profiled_columns": frozenset()}, "no profile"),
        ({"profiled_columns": frozenset({"sex"}), "profile_digests": (b"r" * 32,)}, "no column age"),
    ],
)
def test_a_plan_is_complete_or_the_check_says_what_it_lacks(facts, now, defect, says):
    check = MonitoringPlanComplete()
    assert check.examine(facts, now, Files()).outcome is Outcome.PASSED
    bad = changed(facts, monitored=changed(facts.monitored, **defect))
    found = check.examine(bad, now, Files())
    assert found.outcome is Outcome.FAILED
    assert says in found.reason
    if "missing" not in defect:
        assert check.inputs(bad, now) != check.inputs(facts, now)


def test_without_a_plan_both_checks_fail(facts, now):
    bare = changed(facts, monitored=None)
    for check in (MonitoringPlanComplete(), AlertAcknowledged()):
        assert check.examine(bare, now, Files()).outcome is Outcome.FAILED
        assert check.inputs(bare, now) != check.inputs(facts, now)


def test_an_acknowledged_alert_counts_for_so_many_days(facts, now):
    from datetime import timedelta

    check = AlertAcknowledged(max_age_days=10)
    assert check.examine(facts, now, Files()).outcome is Outcome.PASSED
    just, later = now + timedelta(days=10), now + timedelta(days=10, seconds=1)
    assert check.examine(facts, just, Files()).outcome is Outcome.PASSED
    assert check.examine(facts, later, Files()).outcome is Outcome.FAILED
    assert check.inputs(facts, just) == check.inputs(facts, now) != check.inputs(facts, later)
    silent = changed(facts, monitored=changed(facts.monitored, alert=None))
    assert check.examine(silent, now, Files()).outcome is Outcome.FAILED


def test_the_facts_are_those_of_the_newest_plan_in_one_statement(units, people, registered):
    with units.reading() as unit:
        assert monitored_facts(unit, registered.version.id) is None
    monitor(units, people, registered)
    with units.reading() as unit:
        seen = []
        from sqlalchemy import event

        event.listen(unit.connection, "before_cursor_execute", lambda *given: seen.append(given[2]))
        found = monitored_facts(unit, registered.version.id)
        assert len(seen) == 1
    assert found is not None
    assert (found.missing, found.owner_is_here, found.route_exists) == ((), True, True)
    assert found.profiled_columns == set(COLUMNS)
    assert found.alert is not None
    assert found.alert.acknowledged_by == people.operations.id


def test_another_route_or_owner_has_to_be_tried_anew(units, people, registered):
    monitor(units, people, registered)
    for change in ({"alert_route": EmailRoute("oncall@example.org")}, {"owner": people.risk.id}):
        with units.writing() as unit:
            present = get_plan(unit, registered)
            state_plan(
                unit,
                people.developer,
                registered,
                present.row.revision,
                plan_of(people) if not change else replace(plan_of(people), **change),
            )
        with units.reading() as unit:
            found = monitored_facts(unit, registered.version.id)
        assert found is not None
        assert found.alert is None
    with units.writing() as unit:
        present = get_plan(unit, registered)
        state_plan(unit, people.developer, registered, present.row.revision, plan_of(people))
    with units.reading() as unit:
        found = monitored_facts(unit, registered.version.id)
    assert found is not None
    assert found.alert is not None, "the way that was tried is in the plan again"


def test_an_owner_who_left_is_not_here(units, people, registered):
    monitor(units, people, registered)
    with units.writing() as unit:
        record_leaving(unit, people.administrator, people.operations.id)
    with units.reading() as unit:
        found = monitored_facts(unit, registered.version.id)
    assert found is not None
    assert not found.owner_is_here


def test_a_route_is_known_by_its_digest():
    owner, other = uuid4(), uuid4()
    routes = [EmailRoute(), EmailRoute("a@example.org"), WebhookRoute(owner)]
    digests = {route_digest(who, route) for who in (owner, other) for route in routes}
    assert len(digests) == 6


def test_there_is_no_plan_of_a_version_that_has_none(units, registered):
    with pytest.raises(NotFoundError), units.reading() as unit:
        get_plan(unit, registered)
