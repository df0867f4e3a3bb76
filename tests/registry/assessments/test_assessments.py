import hashlib
import json

import pytest

from audit.reads import EntryFilter, entries_before
from fairness.assessment import from_json
from registry.assessments.tables import AssessmentRow
from registry.jobs.tables import JobRow
from registry.jobs.worker import Worker
from tests.registry.assessments.predictions import ROLES, parquet, table
from tests.registry.conftest import TEST_DATA_DIGEST

PATH = "/api/v1/models/credit-default/versions/1/assessments"
FAIR = parquet(table())
UNFAIR = parquet(table(refused_women=0.3))


def post(client, actor, data=FAIR, name="holdout.parquet", **changes):
    return client.http.post(
        PATH,
        data={"roles": json.dumps(ROLES | changes)},
        files={"file": (name, data, "application/octet-stream")},
        headers=client.as_(actor),
    )


def problem(answer):
    assert answer.headers["content-type"].startswith("application/problem+json")
    return answer.json()


def last_entry(units, action):
    with units.reading() as unit:
        [entry] = entries_before(unit.session.connection(), EntryFilter(action=action), None, 1)
    return entry


def jobs_that_nobody_asked_for(units):
    with units.reading() as unit:
        return [row.kind for row in unit.session.query(JobRow).filter(JobRow.requested_by.is_(None))]


def test_an_assessment_is_done_by_a_job_and_bound_to_the_declared_test_set(client, units, settings, people, registered):
    Worker(units, settings).run_until_idle()
    before = jobs_that_nobody_asked_for(units)
    asked = post(client, people.developer, declared_digest=TEST_DATA_DIGEST)
    assert asked.status_code == 202
    path = asked.headers["location"]
    assert client.http.get(f"{path}/result", headers=client.as_(people.auditor)).status_code == 409
    Worker(units, settings).run_until_idle()

    view = client.http.get(path, headers=client.as_(people.auditor)).json()
    result = client.http.get(f"{path}/result", headers=client.as_(people.auditor))
    assessment = from_json(result.content)
    assert (view["state"], view["verdict"], view["rows"]) == ("done", assessment.verdict.value, 4000)
    assert view["declared_digest"] == TEST_DATA_DIGEST
    assert view["data_sha256"] == assessment.source.sha256_hex == hashlib.sha256(FAIR).hexdigest()
    assert view["result_sha256"] == hashlib.sha256(result.content).hexdigest()
    assert view["origin"] == "uploaded"
    assert "clients" in view["summary"]

    changes = last_entry(units, "assessment.finished").changes
    assert (changes["verdict"], changes["rows"]) == (view["verdict"], 4000)
    assert changes["result_sha256"] == view["result_sha256"]
    assert float(changes["performance"]["accuracy"]) == assessment.performance["accuracy"]
    assert jobs_that_nobody_asked_for(units) == [*before, "run-checks"]


def test_predictions_that_refuse_a_group_wrongly_fail_by_the_limits_of_the_policy(
    client, units, settings, people, registered
):
    path = post(client, people.developer, UNFAIR).headers["location"]
    Worker(units, settings).run_until_idle()
    view = client.http.get(path, headers=client.as_(people.developer)).json()
    assert view["verdict"] == "fail"
    assert "sex is female" in view["summary"]


def test_what_the_columns_show_to_be_wrong_is_refused_at_once(client, units, people, registered):
    missing = problem(post(client, people.developer, sensitive=["gender"]))
    assert missing["status"] == 422
    assert missing["errors"][0]["field"] == "sensitive"
    for name in ("gender", "defaulted", "predicted", "sex", "age"):
        assert name in missing["detail"]

    foreign = problem(post(client, people.developer, declared_digest="00" * 32))
    assert (foreign["status"], foreign["errors"][0]["field"]) == (422, "declared_digest")
    assert TEST_DATA_DIGEST in foreign["remedy"]

    for changes, status, field in (
        ({"bands": {"age": [50, 30]}}, 422, "bands.age"),
        ({"prediction": "defaulted"}, 422, "prediction"),
        ({"sensitive": []}, 422, "sensitive"),
        ({"preset": "horoscope"}, 400, "preset"),
        ({"declared_digest": "xyz"}, 400, "declared_digest"),
        ({"outcome": 7}, 400, "roles"),
        ({"sql": "DROP TABLE"}, 400, "roles"),
    ):
        refused = problem(post(client, people.developer, **changes))
        assert (refused["status"], refused["errors"][0]["field"]) == (status, field), changes
    assert problem(post(client, people.developer, b"MZ\x90", "model.exe"))["status"] == 422
    assert problem(post(client, people.developer, name="../../etc/passwd"))["status"] == 400
    with units.reading() as unit:
        assert unit.session.query(AssessmentRow).count() == 0


def test_csv_with_hostile_column_names_is_assessed_like_any_other(client, units, settings, people, registered):
    hostile = "'; COPY (SELECT 1) TO '/tmp/x'; --"
    rows = table(2000).rename_columns(["defaulted", "predicted", hostile, "age"]).to_pandas()
    csv = rows.to_csv(index=False).encode()
    asked = post(client, people.developer, csv, "holdout.csv", sensitive=[hostile], bands={})
    Worker(units, settings).run_until_idle()
    view = client.http.get(asked.headers["location"], headers=client.as_(people.developer)).json()
    assert (view["state"], view["rows"], view["error"]) == ("done", 2000, None)


def test_data_that_cannot_be_assessed_fail_with_the_reason(client, units, settings, people, registered):
    data = table(500)
    same = parquet(data.set_column(0, "defaulted", [[0] * 500]))
    path = post(client, people.developer, same).headers["location"]
    Worker(units, settings).run_until_idle()
    view = client.http.get(path, headers=client.as_(people.developer)).json()
    assert view["state"] == "failed"
    assert "outcome" in view["error"]
    assert view["verdict"] is None
    assert last_entry(units, "assessment.failed").changes["version_id"] == str(registered.version.id)
    refused = client.http.get(f"{path}/result", headers=client.as_(people.developer))
    assert (refused.status_code, refused.json()["remedy"]) == (409, view["error"])


def test_a_cancelled_assessment_has_failed(client, units, settings, people, registered):
    from registry.jobs import service as jobs

    asked = post(client, people.developer)
    with units.writing() as unit:
        jobs.cancel(unit, people.developer, unit.session.query(JobRow).filter_by(kind="assess").one().id)
    view = client.http.get(asked.headers["location"], headers=client.as_(people.developer)).json()
    assert (view["state"], view["error"]) == ("failed", "The job was cancelled.")


def test_only_those_who_assess_ask_for_an_assessment(client, people, registered):
    assert post(client, people.validator).status_code == 202
    for actor in (people.auditor, people.security, people.administrator, people.stranger):
        assert post(client, actor).status_code == 403
    listed = client.http.get(PATH, headers=client.as_(people.auditor)).json()
    assert [view["requested_by"] for view in listed] == [str(people.validator.id)]
    assert client.http.get(PATH, headers=client.as_(people.stranger)).status_code == 404


def test_data_over_the_limit_are_refused_before_they_are_read(client, settings, people, registered):
    headers = client.as_(people.developer) | {
        "Content-Type": "multipart/form-data; boundary=X",
        "Content-Length": str(settings.dataset_limit_bytes * 2),
    }
    assert client.http.post(PATH, content=b"--X", headers=headers).status_code == 413


@pytest.mark.parametrize("roles", ["", "[]", "{", "[" * 5000, "null"])
def test_roles_that_are_no_roles_are_named(roles):
    from registry.assessments.request import parse_roles
    from registry.errors import InvalidInputError

    with pytest.raises(InvalidInputError) as refusal:
        parse_roles(roles)
    assert refusal.value.field == "roles"
