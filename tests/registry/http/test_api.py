"""What the API answers, right and wrong."""

import json
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest

MODEL = {
    "name": "credit-default",
    "team": "retail-risk",
    "purpose": "Estimates whether a card client will default next month.",
    "risk_profile": {
        "financial_impact": "high",
        "reputational_impact": "limited",
        "affects_persons": True,
        "personal_data": "personal",
        "decision_autonomy": "advises",
        "reversibility": "with effort",
        "legal_domain": "creditworthiness",
    },
}
VERSION = {
    "source_uri": "file:///models/credit-default",
    "content_digest": "ab" * 32,
    "framework": "sklearn",
    "metrics": {"accuracy": "0.82"},
    "lineage": [{"kind": "dataset", "name": "training.parquet", "role": "training", "digest": "4e" * 32}],
}


@pytest.fixture
def developer(client, people):
    return client.as_(people.developer)


@pytest.fixture
def model(client, people, developer):
    answer = client.http.post("/api/v1/models", json=MODEL | {"owner_id": str(people.developer.id)}, headers=developer)
    assert answer.status_code == 201, answer.text
    return answer.json()


def test_a_model_and_a_version_are_registered_and_read_back(client, developer, model):
    made = client.http.post("/api/v1/models/credit-default/versions", json=VERSION, headers=developer)
    assert made.status_code == 201, made.text
    read = client.http.get("/api/v1/models/credit-default/versions/1", headers=developer).json()
    assert read == made.json()
    assert (read["stage"], read["digest_state"], read["metrics"]) == ("none", "stated", {"accuracy": "0.82"})
    lineage = client.http.get("/api/v1/models/credit-default/versions/1/lineage", headers=developer).json()
    assert [edge["name"] for edge in lineage] == ["training.parquet"]


def test_an_unknown_model_is_named(client, developer):
    answer = client.http.get("/api/v1/models/nothing-here", headers=developer)
    assert answer.status_code == 404
    assert "nothing-here" in answer.json()["detail"]
    assert answer.json()["type"] == "urn:acta:problem:not-found"


@pytest.mark.parametrize(
    "name, rule",
    [
        ("a/b", "slash"),
        ("   ", "only spaces"),
        ("tab\there", "control"),
        ("right-to-left\u202eoverride", "invisible"),
        ("x" * 251, "250"),
        ("..", "path step"),
    ],
)
def test_a_bad_name_is_refused_with_its_rule(client, people, developer, name, rule):
    answer = client.http.post(
        "/api/v1/models", json=MODEL | {"name": name, "owner_id": str(people.developer.id)}, headers=developer
    )
    assert answer.status_code == 400
    [error] = answer.json()["errors"]
    assert error["field"] == "name"
    assert rule in error["rule"]


def test_a_missing_field_is_named(client, developer):
    answer = client.http.post("/api/v1/models", json={"name": "x"}, headers=developer)
    assert answer.status_code == 400
    assert "team" in answer.text or "owner_id" in answer.text


def test_a_repeated_request_with_its_key_creates_one_version(client, developer, model):
    headers = developer | {"Idempotency-Key": str(uuid.uuid4())}
    url = "/api/v1/models/credit-default/versions"
    first = client.http.post(url, json=VERSION, headers=headers)
    second = client.http.post(url, json=VERSION, headers=headers)
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json() == second.json()
    assert second.headers["Idempotent-Replayed"] == "true"
    assert len(client.http.get("/api/v1/versions", headers=developer).json()["items"]) == 1
    other = client.http.post(url, json=VERSION | {"framework": "xgboost"}, headers=headers)
    assert other.status_code == 409


def test_a_request_sent_many_times_at_once_with_its_key_creates_one_version_and_has_one_answer(
    client, developer, model
):
    headers = developer | {"Idempotency-Key": str(uuid.uuid4())}
    url = "/api/v1/models/credit-default/versions"
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: client.http.post(url, json=VERSION, headers=headers), range(8)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert sum("Idempotent-Replayed" in answer.headers for answer in answers) == 7


def test_a_repeated_token_request_does_not_show_the_secret_again(client, developer):
    headers = developer | {"Idempotency-Key": "once"}
    first = client.http.post("/api/v1/tokens", json={"label": "ci"}, headers=headers)
    second = client.http.post("/api/v1/tokens", json={"label": "ci"}, headers=headers)
    assert first.json()["secret"].startswith("acta_")
    assert second.json() == first.json() | {"secret": None}


def test_an_edit_needs_the_revision_it_is_based_on(client, people, developer, model):
    url = "/api/v1/models/credit-default"
    edit = {key: MODEL[key] for key in ("purpose", "risk_profile")} | {"owner_id": str(people.developer.id)}
    tag = client.http.get(url, headers=developer).headers["ETag"]
    assert client.http.put(url, json=edit, headers=developer).status_code == 428
    assert client.http.put(url, json=edit, headers=developer | {"If-Match": tag}).status_code == 200
    late = client.http.put(url, json=edit, headers=developer | {"If-Match": tag})
    assert late.status_code == 412
    assert "based on" in late.json()["detail"]


def test_pages_of_versions_join_to_the_whole(client, developer, model):
    for _ in range(7):
        client.http.post("/api/v1/models/credit-default/versions", json=VERSION, headers=developer)
    seen, cursor = [], None
    while True:
        params = {"limit": 3} | ({"cursor": cursor} if cursor else {})
        page = client.http.get("/api/v1/versions", params=params, headers=developer).json()
        seen += [version["number"] for version in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == [7, 6, 5, 4, 3, 2, 1]


def test_aliases_and_tags_move_and_go(client, developer, model):
    client.http.post("/api/v1/models/credit-default/versions", json=VERSION, headers=developer)
    base = "/api/v1/models/credit-default"
    client.http.put(f"{base}/aliases/champion", json={"version": 1}, headers=developer)
    tagged = client.http.put(f"{base}/versions/1/tags/team", json={"value": "blue"}, headers=developer).json()
    assert (tagged["aliases"], tagged["tags"]) == (["champion"], {"team": "blue"})
    found = client.http.get("/api/v1/versions", params={"tag_key": "team", "tag_value": "blue"}, headers=developer)
    assert [version["number"] for version in found.json()["items"]] == [1]
    assert client.http.delete(f"{base}/aliases/champion", headers=developer).status_code == 204
    assert client.http.delete(f"{base}/versions/1/tags/team", headers=developer).status_code == 204
    assert client.http.get(f"{base}/aliases/champion", headers=developer).status_code == 404


def test_whoever_has_no_role_there_finds_nothing(client, people, model):
    answer = client.http.get("/api/v1/models/credit-default", headers=client.as_(people.stranger))
    assert answer.status_code == 404
    assert client.http.get("/api/v1/models", headers=client.as_(people.stranger)).json()["items"] == []


def test_an_auditor_reads_and_changes_nothing(client, people, model):
    auditor = client.as_(people.auditor)
    assert client.http.get("/api/v1/models/credit-default", headers=auditor).status_code == 200
    refused = client.http.post("/api/v1/models/credit-default/versions", json=VERSION, headers=auditor)
    assert refused.status_code == 403


def test_the_log_s_tiles_are_for_roles_on_the_whole_installation(client, people, model):
    for path in ("/log/checkpoint", "/log/tile/entries/000.p/1", "/log/tile/0/000.p/1", "/metrics"):
        assert client.http.get(path, headers=client.as_(people.stranger)).status_code == 403, path
        assert client.http.get(path, headers=client.as_(people.auditor)).status_code == 200, path


@pytest.mark.parametrize(
    "method, path, body",
    [
        ("GET", f"/api/v1/models/credit-default/versions/{2**70}", None),
        ("GET", f"/api/v1/audit/entries/{2**70}", None),
        ("GET", "/api/v1/models?contains=%00", None),
        ("GET", "/api/v1/versions?run_id=%00", None),
        ("POST", "/api/v1/models/credit-default/versions", VERSION | {"size_bytes": 2**70}),
        ("POST", "/api/v1/models/credit-default/versions", VERSION | {"description": "a\0b"}),
        ("POST", "/api/v1/models/credit-default/versions", b"[" * 100_000),
        ("POST", "/api/v1/models/credit-default/versions", b'{"description": "\xff"}'),
    ],
)
def test_values_out_of_all_bounds_are_the_client_s_fault(client, developer, model, method, path, body):
    content = body if isinstance(body, bytes | None) else json.dumps(body).encode()
    headers = developer | {"Content-Type": "application/json"}
    answer = client.http.request(method, path, content=content, headers=headers)
    assert answer.status_code in ({400, 404} if method == "POST" else {200, 400, 404}), answer.text


def test_a_refusal_of_a_known_actor_is_in_the_log(client, people, model):
    auditor = client.as_(people.auditor)
    client.http.post("/api/v1/models/credit-default/versions", json=VERSION, headers=auditor)
    entries = client.http.get("/api/v1/audit/entries", params={"action": "access.refused"}, headers=auditor).json()
    assert [entry["actor"] for entry in entries["items"]] == [str(people.auditor.id)]


def test_an_entry_comes_with_a_proof_that_verifies(client, developer, model):
    from audit.note import VerifierKey
    from audit.tlog_proof import verify_tlog_proof

    proof = client.http.get("/api/v1/audit/entries/0", headers=developer).json()
    key = VerifierKey.parse(str(client.units.log.signer.verifier_key))
    verify_tlog_proof(proof["tlog_proof"], proof["leaf"].encode(), key)


def test_the_request_id_is_returned_and_logged(client, developer, model):
    headers = developer | {"X-Request-Id": "pipeline-17"}
    answer = client.http.post("/api/v1/models/credit-default/versions", json=VERSION, headers=headers)
    assert answer.headers["X-Request-Id"] == "pipeline-17"
    entries = client.http.get("/api/v1/audit/entries", params={"action": "version.registered"}, headers=developer)
    assert entries.json()["items"][0]["request"] == "pipeline-17"


def test_a_body_over_the_limit_is_refused_before_it_is_read_whole(client, developer, model):
    def endless():
        for _ in range(64):
            yield b"x" * 2**20

    answer = client.http.post(
        "/api/v1/models/credit-default/versions",
        content=endless(),
        headers=developer | {"Content-Type": "application/json"},
    )
    assert answer.status_code == 413


def test_a_token_s_last_use_is_kept(client, people, developer):
    client.http.get("/api/v1/me", headers=developer)
    tokens = client.http.get("/api/v1/tokens", headers=developer).json()
    assert tokens[0]["last_used_at"] is not None


@pytest.mark.parametrize(
    "method, path, status",
    [("GET", "/api/v1/nothing-here", 404), ("PATCH", "/api/v1/models", 405), ("DELETE", "/health/live", 405)],
)
def test_a_request_without_a_route_is_a_problem_with_an_id_and_in_the_logs(client, caplog, method, path, status):
    caplog.set_level("INFO", logger="acta.request")
    answer = client.http.request(method, path)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert ("allow" in answer.headers) == (status == 405)
    given = answer.headers["x-request-id"]
    assert answer.json()["instance"] == f"urn:acta:request:{given}"
    logged = [line for line in caplog.records if getattr(line, "request_id", None) == given]
    assert [(line.method, line.path, line.status) for line in logged] == [(method, path, status)]
    chosen = client.http.request(method, path, headers={"X-Request-Id": "pipeline-7"})
    assert chosen.headers.get_list("x-request-id") == ["pipeline-7"]


@pytest.mark.parametrize("method, path, status", [("GET", "/nothing-here", 404), ("PATCH", "/models", 405)])
def test_a_page_that_is_not_there_tells_its_request_id(client, method, path, status):
    answer = client.http.request(method, path, headers={"Accept": "text/html"})
    assert answer.status_code == status
    assert answer.headers["x-request-id"] in answer.text


def test_an_error_of_a_route_carries_one_id(client, developer):
    answer = client.http.get("/api/v1/models/nothing-here", headers=developer)
    assert len(answer.headers.get_list("x-request-id")) == 1


@pytest.mark.parametrize("path", ["/metrics", "/log/checkpoint", "/api/v1/models"])
def test_a_content_type_names_its_charset_once_at_most(client, people, path):
    answer = client.http.get(path, headers=client.as_(people.auditor))
    assert answer.status_code == 200
    assert answer.headers["content-type"].count("charset") <= 1


def test_the_log_is_streamed_as_lines_that_fit_the_filter(client, people, registered, monkeypatch):
    monkeypatch.setattr("registry.evidence.api.EXPORTED_AT_ONCE", 3)
    auditor, developer = client.as_(people.auditor), client.as_(people.developer)
    answer = client.http.get("/api/v1/audit/entries.ndjson", headers=auditor)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/x-ndjson")
    lines = [json.loads(line) for line in answer.text.splitlines()]
    assert [line["sequence"] for line in lines] == list(range(len(lines)))
    assert len(lines) > 6
    one = client.http.get(f"/api/v1/audit/entries/{lines[4]['sequence']}", headers=auditor).json()["entry"]
    assert lines[4] == one
    filtered = client.http.get("/api/v1/audit/entries.ndjson?action=version.registered", headers=auditor).text
    assert [json.loads(line)["action"] for line in filtered.splitlines()] == ["version.registered"]
    nothing = client.http.get("/api/v1/audit/entries.ndjson?action=job.replayed", headers=auditor)
    assert (nothing.status_code, nothing.text) == (200, "")
    stranger = client.as_(people.stranger)
    assert client.http.get("/api/v1/audit/entries.ndjson", headers=stranger).status_code == 403
    assert (
        client.http.get("/api/v1/audit/entries.ndjson?since=2026-11-25T10:00:00", headers=developer).status_code == 400
    )
