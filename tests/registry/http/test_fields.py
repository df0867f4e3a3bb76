"""Validation errors name the field."""

import pytest

from registry.http.paging import encode_cursor


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
