"""Signing in and out, and what other sites cannot do."""

from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from litestar.testing import TestClient

from audit.reads import EntryFilter, entries_before
from registry.access.service import create_token, list_tokens
from registry.app import create_app
from registry.evidence.service import ReadEntry
from registry.http.guards import SESSION_COOKIE
from registry.web.session import own_path
from registry.web.subjects import subjects_of

PAGE = {"Accept": "text/html"}
OWN = {"Origin": "http://testserver.local", "Sec-Fetch-Site": "same-origin"}


@pytest.fixture
def token(units, people) -> str:
    """The auditor's API token."""
    with units.writing() as unit:
        return create_token(unit, people.auditor, people.auditor.id, "browser", 1).secret


def sign_in(client, token, target="/", headers=OWN):
    return client.http.post(
        "/sign-in", data={"token": token, "next": target}, headers=PAGE | headers, follow_redirects=False
    )


def test_a_stranger_signs_in_reads_the_page_asked_for_and_signs_out(client, token):
    sent = client.http.get("/models?contains=a%26b", headers=PAGE, follow_redirects=False)
    assert sent.status_code == 303
    assert sent.headers["location"] == "/sign-in?next=%2Fmodels%3Fcontains%3Da%2526b"
    form = client.http.get(sent.headers["location"], headers=PAGE)
    assert 'value="/models?contains=a%26b"' in form.text

    entered = sign_in(client, token, "/models?contains=a%26b")
    assert entered.status_code == 303
    assert entered.headers["location"] == "/models?contains=a%26b"
    cookie = entered.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert "path=/;" in cookie + ";"
    assert "secure" not in cookie
    assert client.http.get("/models", headers=PAGE).status_code == 200

    kept = client.http.cookies[SESSION_COOKIE]
    left = client.http.post("/sign-out", headers=PAGE | OWN, follow_redirects=False)
    assert left.status_code == 303
    client.http.cookies.clear()
    client.http.cookies.set(SESSION_COOKIE, kept)
    assert client.http.get("/models", headers=PAGE, follow_redirects=False).status_code == 303


def test_entries_of_a_session_are_about_the_person_and_name_the_token(client, units, people, token):
    sign_in(client, token)
    client.http.post("/sign-out", headers=PAGE | OWN, follow_redirects=False)
    with units.reading() as unit:
        about = EntryFilter(subject_kind="session", subject_id=str(people.auditor.id))
        closed, opened = entries_before(unit.session.connection(), about, None, 10)
        [used] = list_tokens(unit, people.auditor, people.auditor.id)
    assert (opened.action, closed.action) == ("session.opened", "session.closed")
    assert opened.actor == closed.actor == str(people.auditor.id)
    assert opened.changes["token_id"] == closed.changes["token_id"] == str(used.id)


def test_the_log_s_page_says_who_signed_in(client, units, people, token):
    sign_in(client, token)
    rows = client.http.get("/audit?action=session.opened", headers=PAGE).text
    assert "auditor signed in." in rows
    with units.reading() as unit:
        [opened] = entries_before(unit.session.connection(), EntryFilter(action="session.opened"), None, 10)
        subject = subjects_of(unit, [ReadEntry(opened, {})])[opened.sequence]
    assert (subject.kind, subject.title) == ("session", "auditor")


def test_a_wrong_token_gets_the_form_again_and_no_session(client, people):
    answer = sign_in(client, "acta_wrong")
    assert answer.status_code == 401
    assert "This API token is unknown." in answer.text
    assert "acta_wrong" not in answer.text
    assert "set-cookie" not in answer.headers


def test_a_session_opens_pages_and_not_the_api(client, token):
    sign_in(client, token)
    assert client.http.get("/models", headers=PAGE).status_code == 200
    assert client.http.get("/api/v1/models").status_code == 401


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://elsewhere.example", "Sec-Fetch-Site": "cross-site"},
        {"Origin": "https://elsewhere.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "http://testserver.local", "Sec-Fetch-Site": "cross-site"},
        {},
    ],
)
def test_a_form_sent_by_another_site_is_refused(client, token, headers):
    answer = sign_in(client, token, headers=headers)
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers
    sign_in(client, token)
    assert client.http.post("/sign-out", headers=PAGE | headers, follow_redirects=False).status_code == 403
    assert client.http.get("/models", headers=PAGE, follow_redirects=False).status_code == 200


def test_over_https_the_cookie_goes_nowhere_else(units, people, settings, token):
    secured = settings.model_copy(update={"public_url": "https://acta.example"})
    with TestClient(create_app(secured, units)) as http:
        headers = PAGE | {"Origin": "https://acta.example"}
        answer = http.post("/sign-in", data={"token": token}, headers=headers, follow_redirects=False)
    assert answer.status_code == 303
    assert "secure" in answer.headers["set-cookie"].lower()


@pytest.mark.parametrize(
    "target",
    [
        "https://elsewhere.example/",
        "//elsewhere.example",
        "/\\elsewhere.example",
        "\\\\elsewhere.example",
        "javascript:alert(1)",
        "/a\r\nSet-Cookie: x=y",
        "/\t/elsewhere.example",
        "",
        "/sign-in",
        "/" + "a" * 3000,
    ],
)
def test_nobody_is_sent_elsewhere_after_signing_in(target):
    assert own_path(target) == "/"


@given(st.text())
def test_what_follows_a_sign_in_is_always_a_path_of_this_installation(target):
    for candidate in (target, f"/{target}", f"//{target}"):
        path = own_path(candidate)
        assert path.startswith("/")
        assert not path.startswith(("//", "/\\"))
        assert urlsplit(path).netloc == ""
        assert urlsplit(path).scheme == ""


def test_paths_of_this_installation_are_kept():
    assert own_path("/models/a%2Fb/versions/1?target_stage=staging") == "/models/a%2Fb/versions/1?target_stage=staging"
