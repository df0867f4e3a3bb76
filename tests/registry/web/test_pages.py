"""Rules about all pages, in an empty registry and in a full one."""

import re
import shutil
from urllib.parse import urlsplit

import pytest
from sqlalchemy import delete

from audit.tables import TEXT
from registry.access.actor import Actor, ActorKind, Grant, Role, Scope, ScopeKind
from registry.access.service import grant_role
from registry.catalog.labels import set_tag
from registry.storage import Storage
from registry.web.headers import CONTENT_SECURITY_POLICY
from tests.registry.promotion.conftest import Governance
from tests.registry.web.conftest import HOSTILE_NAME, Parsed, hostile_document, title_of

EMPTY = ("/", "/models", "/promotions", "/audit", "/policies", "/api")


def check(html: str) -> Parsed:
    """What holds for every page."""
    parsed = Parsed(html)
    assert title_of(html)
    assert parsed.tags.count("h1") == 1
    assert parsed.tags.count("main") == 1
    assert "script" not in parsed.tags
    assert "style" not in parsed.tags
    names = {name for name, _ in parsed.attributes}
    assert not {name for name in names if name == "style" or name.startswith("on")}
    assert len(parsed.ids) == len(set(parsed.ids))
    assert parsed.loaded
    assert all(address.startswith("/static/") for address in parsed.loaded)
    return parsed


@pytest.mark.parametrize("address", EMPTY)
def test_a_page_of_an_empty_registry_says_how_things_get_there(read_as, people, address):
    html = read_as(people.auditor).open(address)
    check(html)
    if address in {"/", "/models", "/promotions"}:
        assert 'class="empty"' in html


def test_a_version_whose_evidence_has_lapsed_is_shown_as_review_due(read_as, people, full):
    reader = read_as(people.auditor)
    for address in ("/", full.version):
        assert "Review due since" in reader.open(address), address
    assert "Review due" not in reader.open(full.waiting)


def test_a_waived_finding_is_named_with_its_measure_where_a_gate_rests_on_it(read_as, people, full):
    html = read_as(people.auditor).open(full.waiting)
    assert "Waived by risk until" in html
    assert "/findings/" in html
    assert "Instead:" in html


def test_every_page_of_a_full_registry_is_sound_and_every_link_leads_somewhere(read_as, people, full):
    reader = read_as(people.auditor)
    links: set[str] = set()
    for address in full.addresses:
        parsed = check(reader.open(address))
        for link in parsed.links:
            if link.startswith("#"):
                assert link[1:] in parsed.ids, f"{address} links to {link}, which is not there"
            elif link != "/sign-out" and not urlsplit(link).netloc:
                links.add(link.split("#")[0])
    for link in sorted(links):
        answer = reader.api.http.get(link, headers=reader.headers, follow_redirects=False)
        assert answer.status_code == 200, f"a page links to {link}, which answers {answer.status_code}"


def test_the_first_page_s_sentences_stand_apart(read_as, people, full):
    html = read_as(people.auditor).open("/")
    statement = re.sub("<[^>]+>", "", html.split('<p class="statement">')[1].split("</p>")[0])
    assert re.findall(r"\.\S", statement) == []
    assert "waivers are in force" in statement


def test_a_version_s_page_says_how_many_rows_of_its_test_set_were_assessed(read_as, people, full):
    html = read_as(people.auditor).open(full.waiting)
    assert html.count("2\u202f000 rows assessed") == 1
    assert "rows assessed" not in read_as(people.auditor).open(full.hostile)


def test_text_from_outside_is_shown_and_never_run(read_as, people, full):
    reader = read_as(people.auditor)
    for address in (full.hostile, full.waiting, full.document, "/models", "/audit"):
        html = reader.open(address)
        assert "<script>" not in html
        assert "<img" not in html
        assert not [link for link in Parsed(html).links if link.startswith("javascript:")]
        assert "&lt;script&gt;" in html
        # Templates print values; they do not evaluate them.
        assert "{{ 7*7 }}" in html or "49" not in html
    assert "elsewhere.example" not in reader.open(full.document).replace('href="https://elsewhere.example', "")
    assert title_of(reader.open(full.hostile)).startswith(
        "it&#39;s &#34;50%&#34; &lt;b&gt;&amp;amp; größer?#{{ 7*7 }} 1"
    )


def test_every_page_has_the_headers_that_keep_it_alone(client, people, registered):
    headers = client.as_(people.auditor) | {"Accept": "text/html"}
    for address in (*EMPTY, "/models/credit-default/versions/1", "/audit/3", "/sign-in", "/nowhere", "/models/none"):
        answer = client.http.get(address, headers=headers)
        assert answer.headers["content-security-policy"] == CONTENT_SECURITY_POLICY
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "same-origin"
        assert answer.headers["cache-control"] == "private, no-store"
        assert answer.headers["cross-origin-opener-policy"] == "same-origin"


def test_the_version_in_production_shows_the_gate_that_let_it_in(read_as, units, people, settings, registered):
    Governance(units, people, settings).promote(registered)
    html = read_as(people.auditor).open("/models/credit-default/versions/1")
    assert "In production: every item was met or waived" in html
    assert 'class="verdict"' in html


def test_a_version_at_the_gate_shows_what_holds_it_and_how_to_meet_it(read_as, people, full):
    html = read_as(people.auditor).open(full.waiting)
    assert "Held:" in html
    assert 'class="verdict draft"' in html
    assert "acta attest credit-default 2 human-oversight --answer yes --reason REASON" in html
    assert "acta document add FILE --model credit-default --version 2 --kind data-preparation" in html
    # The assessment: its verdict in words, and the table that is the chart.
    assert "Of 100 clients" in html
    assert 'class="plot failed"' in html


def test_an_actor_of_one_model_sees_that_model_only(read_as, units, people, full):
    with units.writing() as unit:
        grant_role(unit, people.administrator, people.stranger.id, Role.DEVELOPER, Scope(ScopeKind.MODEL, HOSTILE_NAME))
    grant = Grant(Role.DEVELOPER, Scope(ScopeKind.MODEL, HOSTILE_NAME), people.administrator.id)
    reader = read_as(Actor(people.stranger.id, ActorKind.PERSON, None, (grant,)))
    assert "größer" in reader.open(full.hostile)
    for address in ("/", "/models", "/promotions"):
        html = reader.open(address)
        assert "credit-default" not in html
        assert 'href="/audit/' not in html
    for address in (full.version, "/models/credit-default", full.document, f"/promotions/{full.request_id}"):
        assert "credit-default" not in reader.open(address, 404).replace("“credit-default”", "").split("<main")[0]
    assert reader.open("/audit", 403)
    assert reader.open("/audit/3", 403)


def test_an_erased_text_is_shown_as_erased(read_as, units, people, registered):
    with units.writing() as unit:
        set_tag(unit, people.developer, "credit-default", 1, "note", "a secret that somebody told")
    reader = read_as(people.auditor)
    listed = Parsed(reader.open("/audit?action=tag.set"))
    [entry] = {link for link in listed.links if link.startswith("/audit/")}
    assert "a secret that somebody told" in reader.open(entry)
    assert "the text matches" in reader.open(entry)
    with units.writing() as unit:
        unit.session.connection().execute(delete(TEXT).where(TEXT.c.sequence == int(entry.removeprefix("/audit/"))))
    html = reader.open(entry)
    assert "salt and text were deleted" in html
    assert "a secret that somebody told" not in html
    assert "the text matches" not in html


def test_an_entry_page_shows_the_proof_and_how_to_check_it_elsewhere(read_as, people):
    html = read_as(people.auditor).open("/audit/5")
    assert "In the log" in html
    assert "equals the checkpoint" in html
    assert "acta audit verify" in html
    assert "acta.example/log" in html


def test_filters_of_the_log_hold_together_with_its_pages(read_as, units, people, registered):
    with units.writing() as unit:
        for number in range(60):
            set_tag(unit, people.developer, "credit-default", 1, "count", str(number))
    reader = read_as(people.auditor)
    html = reader.open("/audit?subject_kind=actor")
    assert "actor.added" in html
    assert "tag.set" not in html
    older = [link for link in Parsed(reader.open("/audit")).links if "before=" in link]
    assert len(older) == 1
    assert "Newer" in reader.open(older[0])
    assert reader.open("/audit?since=yesterday", 400)


def test_a_document_is_downloaded_as_a_file_that_runs_nothing(client, units, people, settings, registered):
    document_id = hostile_document(units, people, Storage(settings.storage), 1)
    answer = client.http.get(f"/documents/{document_id}/content", headers=client.as_(people.auditor))
    assert answer.status_code == 200
    assert answer.headers["content-disposition"].startswith("attachment")
    assert "sandbox" in answer.headers["content-security-policy"]


def test_the_record_of_a_document_is_shown_when_its_bytes_are_gone(read_as, units, people, settings, registered):
    storage = Storage(settings.storage)
    document_id = hostile_document(units, people, storage, 1)
    shutil.rmtree(settings.storage)
    html = read_as(people.auditor).open(f"/documents/{document_id}")
    assert "The text cannot be read" in html
    assert "SHA-256" in html


def test_an_error_of_a_page_says_what_happened_and_what_to_do(read_as, people):
    html = read_as(people.auditor).open("/models/nothing-of-the-kind", 404)
    check(html)
    assert "There is no model" in html
    assert "Nothing was shown." in html
    assert "There is no page at this address." in read_as(people.auditor).open("/nowhere", 404)


def test_stylesheets_and_fonts_come_from_here(client):
    for name, kind in (("tokens.css", "text/css"), ("fonts/IBMPlexSans-Regular.woff2", "font/woff2")):
        answer = client.http.get(f"/static/{name}")
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith(kind)
    assert client.http.get("/static/../pages/base.html").status_code == 404
