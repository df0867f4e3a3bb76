"""Validation errors name the field."""

import json

import pytest

from registry.http.paging import encode_cursor

VERSIONS = "/api/v1/models/credit-default/versions"
FACTS = {"source_uri": "/models/credit", "content_digest": "ab" * 32, "framework": "sklearn"}


@pytest.mark.parametrize(
    "body, field, rule",
    [
        ({}, "owner_id", "it is missing"),
        ({"label": "x", "colour": "blue"}, "colour", "there is no such field"),
    ],
)
def test_a_missing_and_an_unknown_field_are_named(client, people, body, field, rule):
    path = "/api/v1/models" if not body else "/api/v1/tokens"
    answer = client.http.post(path, json=body, headers=client.as_(people.developer))
    assert answer.status_code == 400
    assert answer.json()["errors"] == [{"field": field, "rule": rule}]


@pytest.mark.parametrize("path", ["versions", "promotions", "audit/entries"])
@pytest.mark.parametrize("key", ["9" * 5000, "9" * 5000 + " a"])
def test_a_cursor_with_a_number_beyond_all_bounds_is_the_client_s_fault(client, people, path, key):
    answer = client.http.get(
        f"/api/v1/{path}", params={"cursor": encode_cursor(key)}, headers=client.as_(people.auditor)
    )
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "cursor")


@pytest.mark.parametrize(
    "content, field, words",
    [
        (json.dumps(FACTS | {"metrics": {"auc": "0.7", "loss": 0.5}}), "metrics[loss]", "Expected `str`, got `float`"),
        (json.dumps(FACTS | {"parameters": {"a.b": None}}), "parameters[a.b]", "Expected `str`, got `null`"),
        (json.dumps(FACTS | {"lineage": [{"kind": "parent", "name": "m"}, {"kind": "x"}]}), "lineage[1].kind", "'x'"),
        (json.dumps(FACTS | {"lineage": [{"kind": "parent"}]}), "lineage[0].name", "it is missing"),
        (json.dumps(FACTS | {"size_bytes": 2**62}), "size_bytes", "2^53 - 1"),
        (json.dumps(FACTS | {"size_bytes": 2**70}), "size_bytes", "2^53 - 1"),
        ('{"source_uri":', "body", "cannot be read as JSON"),
        ('{"metrics": {"auc": 1e999999}}', "body", "out of range"),
        ("[]", "body", "Expected `object`, got `array`"),
        ("", "body", "it is missing"),
        ("[" * 100_000, "request", "nested too deeply"),
        (b'{"source_uri": "\xff"}', "request", "no valid Unicode"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_is_wrong_in_a_body_is_named(client, people, registered, content, field, words):
    developer = client.as_(people.developer) | {"Content-Type": "application/json"}
    answer = client.http.post(VERSIONS, content=content, headers=developer)
    problem = answer.json()
    assert (answer.status_code, problem["type"]) == (400, "urn:acta:problem:invalid-input")
    assert [error["field"] for error in problem["errors"]] == [field]
    assert words in problem["errors"][0]["rule"]


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"])
def test_a_body_that_says_it_is_no_json_is_not_read(client, people, registered, kind):
    developer = client.as_(people.developer) | {"Content-Type": kind}
    answer = client.http.post(VERSIONS, content=json.dumps(FACTS), headers=developer)
    assert (answer.status_code, answer.json()["type"]) == (415, "urn:acta:problem:unsupported-media-type")
    assert "application/json" in answer.json()["detail"]


def test_a_form_is_not_taken_as_json_either(client, people, registered):
    answer = client.http.post(f"{VERSIONS}/1/documents", json={}, headers=client.as_(people.developer))
    assert (answer.status_code, answer.json()["type"]) == (415, "urn:acta:problem:unsupported-media-type")


@pytest.mark.parametrize("kind", [None, "application/json; charset=utf-8", "application/merge-patch+json"])
def test_json_is_taken_under_each_of_its_names(client, people, registered, kind):
    developer = client.as_(people.developer) | ({"Content-Type": kind} if kind else {})
    assert client.http.post(VERSIONS, content=json.dumps(FACTS), headers=developer).status_code == 201


def test_a_mistyped_filter_is_refused_and_not_answered_with_everything(client, people, registered):
    answer = client.http.get("/api/v1/models?contain=credit", headers=client.as_(people.auditor))
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == "contain"
    assert "it takes contains, cursor, limit" in answer.json()["detail"]
    alone = client.http.get("/api/v1/me?limit=1", headers=client.as_(people.auditor))
    assert "it takes none" in alone.json()["detail"]


HUGE = 10**24


@pytest.mark.parametrize(
    "path",
    [
        f"{VERSIONS}/{HUGE}",
        f"{VERSIONS}/abc",
        f"/api/v1/audit/entries/{HUGE}",
        "/api/v1/cards/not-a-uuid",
        "/schema/..",
    ],
)
def test_an_address_that_nothing_can_have_is_not_found(client, people, registered, path):
    answer = client.http.get(path.replace("..", "%2e%2e"), headers=client.as_(people.auditor))
    assert (answer.status_code, answer.json()["type"]) == (404, "urn:acta:problem:not-found")
    assert path in answer.json()["detail"]


@pytest.mark.parametrize("path", [f"/models/credit-default/versions/{HUGE}", f"/audit/{HUGE}", "/audit/first"])
def test_a_page_that_nothing_can_have_is_not_found(client, people, registered, path):
    answer = client.http.get(path, headers=client.as_(people.auditor) | {"Accept": "text/html"})
    assert answer.status_code == 404
    assert "not shown" not in answer.text


def test_a_number_in_a_query_that_nothing_can_have_is_named(client, people):
    answer = client.http.get(f"/api/v1/promotions?version={HUGE}", headers=client.as_(people.auditor))
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "version")
