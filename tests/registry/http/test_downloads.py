"""Downloads of documents, cards and assessments are entries of the log."""

import hashlib
from pathlib import Path

import pytest
from sqlalchemy import text

from audit.reads import EntryFilter, entries_before
from registry.assessments.tables import AssessmentRow, AssessmentState, Verdict
from registry.cards.entries import newest_entries
from registry.cards.tables import CardRow, CardState
from registry.documents import service
from registry.documents.service import NewDocument
from registry.storage import Storage
from registry.web.history import history_of

CONTENT = b"# Quality assurance\n\nAll tests pass.\n"
PDF = b"%PDF-1.7 a sealed card"
FACTS = b'{"facts": true}'
RESULT = b'{"groups": []}'


def downloads(units):
    with units.reading() as unit:
        found = [
            *entries_before(unit.session.connection(), EntryFilter(action="document.downloaded"), None, 100),
            *entries_before(unit.session.connection(), EntryFilter(action="card.downloaded"), None, 100),
            *entries_before(unit.session.connection(), EntryFilter(action="assessment.downloaded"), None, 100),
        ]
    return [(entry.action, entry.subject_id, entry.actor, entry.changes["sha256"]) for entry in found]


@pytest.fixture
def document(units, people, settings, registered):
    """The id of a stored document."""
    digest = Storage(settings.storage).put(CONTENT)
    new = NewDocument("qa", "QA", "qa.md", "text/markdown", digest, len(CONTENT), CONTENT)
    with units.writing() as unit:
        return service.upload(unit, people.developer, "credit-default", 1, new).id


@pytest.fixture
def card(units, people, settings, registered):
    """The id of a card whose files are stored."""
    storage = Storage(settings.storage)
    with units.writing() as unit:
        row = CardRow(
            version_id=registered.version.id,
            requested_by=people.developer.id,
            requested_at=unit.now,
            state=CardState.READY.value,
            facts_digest=storage.put(FACTS),
            pdf_digest=storage.put(PDF),
        )
        unit.session.add(row)
        return row.id


@pytest.fixture
def assessment(units, people, settings, registered):
    """The id of an assessment whose result is stored."""
    with units.writing() as unit:
        row = AssessmentRow(
            version_id=registered.version.id,
            requested_by=people.developer.id,
            requested_at=unit.now,
            data_name="hold-out.parquet",
            data_digest=bytes(32),
            data_size_bytes=1,
            roles={},
            state=AssessmentState.DONE.value,
            verdict=Verdict.PASS.value,
            rows=1,
            result_digest=Storage(settings.storage).put(RESULT),
            finished_at=unit.now,
        )
        unit.session.add(row)
        return row.id


@pytest.fixture
def files(document, card, assessment):
    """Every address that hands out evidence: its bytes, and how the log calls it."""
    return {
        f"/api/v1/documents/{document}/content": (CONTENT, "document.downloaded", document),
        f"/documents/{document}/content": (CONTENT, "document.downloaded", document),
        f"/api/v1/cards/{card}/pdf": (PDF, "card.downloaded", card),
        f"/api/v1/cards/{card}/facts": (FACTS, "card.downloaded", card),
        f"/cards/{card}": (PDF, "card.downloaded", card),
        f"/api/v1/assessments/{assessment}/result": (RESULT, "assessment.downloaded", assessment),
    }


def test_each_download_is_an_entry_with_the_digest_of_the_bytes(client, units, people, files):
    headers = client.as_(people.auditor)
    expected = []
    for path, (content, action, subject) in files.items():
        answer = client.http.get(path, headers=headers)
        assert (answer.status_code, answer.content) == (200, content)
        expected.append((action, str(subject), str(people.auditor.id), hashlib.sha256(content).hexdigest()))
    assert sorted(downloads(units)) == sorted(expected)


def test_head_tells_what_get_would_send_and_records_nothing(client, units, people, files):
    headers = client.as_(people.auditor)
    described = {path: client.http.head(path, headers=headers) for path in files}
    assert downloads(units) == []
    for path, told in described.items():
        sent = client.http.get(path, headers=headers)
        assert (told.status_code, told.content) == (200, b"")
        own = {"x-request-id"}
        assert {name: value for name, value in told.headers.items() if name not in own} == {
            name: value for name, value in sent.headers.items() if name not in own
        }


def test_a_request_for_a_part_gets_the_whole_and_is_one_entry(client, units, people, document):
    headers = client.as_(people.auditor) | {"Range": "bytes=0-3"}
    answer = client.http.get(f"/api/v1/documents/{document}/content", headers=headers)
    assert (answer.status_code, answer.content) == (200, CONTENT)
    assert answer.headers["accept-ranges"] == "none"
    assert "content-range" not in answer.headers
    assert len(downloads(units)) == 1


def test_what_is_not_handed_out_is_no_download(client, units, people, settings, document):
    path = f"/api/v1/documents/{document}/content"
    assert client.http.get(path, headers=client.as_(people.stranger)).status_code == 404
    assert client.http.head(path, headers=client.as_(people.stranger)).status_code == 404
    assert client.http.get(path).status_code == 401
    stored = next(file for file in Path(settings.storage).rglob("*") if file.is_file())
    stored.chmod(0o600)
    stored.write_bytes(b"something else")
    for method in ("GET", "HEAD"):
        assert client.http.request(method, path, headers=client.as_(people.auditor)).status_code == 503
    assert downloads(units) == []


def test_nobody_gets_a_file_where_the_log_takes_no_entry(client, units, people, document):
    headers = client.as_(people.auditor)
    with units.database.engine.connect() as connection:
        connection.execute(text("ALTER TABLE acta_log_checkpoint RENAME TO acta_log_gone"))
        connection.commit()
    answer = client.http.get(f"/api/v1/documents/{document}/content", headers=headers)
    assert answer.status_code == 503
    assert CONTENT not in answer.content


def test_no_statement_rests_on_a_download(client, units, people, document):
    with units.reading() as unit:
        before = newest_entries(unit, [document])
    client.http.get(f"/api/v1/documents/{document}/content", headers=client.as_(people.auditor))
    assert len(downloads(units)) == 1
    with units.reading() as unit:
        assert newest_entries(unit, [document]) == before
        assert "downloaded" not in str(history_of(unit, [document]).events)


def test_the_log_s_page_tells_of_downloads(client, people, document):
    headers = client.as_(people.auditor)
    client.http.get(f"/api/v1/documents/{document}/content", headers=headers)
    page = client.http.get("/audit?action=document.downloaded", headers=headers | {"Accept": "text/html"}).text
    assert "auditor downloaded a document." in page
