import hashlib
from datetime import UTC, datetime, timedelta

import pytest

from audit.reads import EntryFilter, entries_before
from registry.assessments import service as assessments
from registry.assessments.request import parse_roles
from registry.assessments.service import Predictions
from registry.cards import service
from registry.cards.verification import verify
from registry.documents import service as documents
from registry.installation import seal_directory
from registry.jobs.worker import Worker
from registry.storage import Storage
from reports.facts import ItemState, parse_facts
from reports.seal import create_seal
from tests.registry.assessments.predictions import ROLES, parquet, table
from tests.registry.conftest import TEST_DATA_DIGEST
from tests.registry.documents.test_documents import document
from tests.system_tools import require_pango

PATH = "/api/v1/models/credit-default/versions/1/cards"


@pytest.fixture
def sealed_installation(settings, units):
    """The installation has its seal, as after its first start."""
    require_pango()
    return create_seal(seal_directory(settings), "Example Bank", datetime.now(UTC) - timedelta(days=1))


@pytest.fixture
def evidence(units, settings, people, registered):
    """A signed-off document and a finished assessment of the version."""
    import msgspec

    data = parquet(table(2000))
    digest = Storage(settings.storage).put(data)
    predictions = Predictions("holdout.parquet", digest, len(data), ("defaulted", "predicted", "sex", "age"))
    roles = parse_roles(msgspec.json.encode(ROLES | {"declared_digest": TEST_DATA_DIGEST}).decode())
    with units.writing() as unit:
        made = documents.upload(unit, people.developer, "credit-default", 1, document()).id
    with units.writing() as unit:
        documents.sign_off(unit, people.validator, made, None)
        assessments.request(unit, people.developer, "credit-default", 1, predictions, roles)
    Worker(units, settings).run_until_idle()


def entry_of(units, action):
    with units.reading() as unit:
        [entry] = entries_before(unit.session.connection(), EntryFilter(action=action), None, 1)
    return entry


def made_card(client, units, settings, actor):
    asked = client.http.post(PATH, headers=client.as_(actor))
    assert asked.status_code == 202
    Worker(units, settings).run_until_idle()
    return client.http.get(asked.headers["location"], headers=client.as_(actor)).json()


def test_a_card_states_the_version_and_proves_that_its_facts_were_logged(
    client, units, settings, people, sealed_installation, evidence
):
    view = made_card(client, units, settings, people.developer)
    assert (view["state"], view["error"]) == ("ready", None)
    answer = client.http.get(f"/api/v1/cards/{view['id']}/pdf", headers=client.as_(people.auditor))
    assert answer.headers["content-type"] == "application/pdf"
    assert "attachment" in answer.headers["content-disposition"]
    pdf = answer.content
    assert hashlib.sha256(pdf).hexdigest() == view["pdf_sha256"]

    # The facts: those attached, those served and those logged are one and the same.
    json = client.http.get(f"/api/v1/cards/{view['id']}/facts", headers=client.as_(people.auditor)).content
    facts = parse_facts(json)
    assert hashlib.sha256(json).hexdigest() == view["facts_sha256"]
    recorded, sealed = entry_of(units, "card.facts-recorded"), entry_of(units, "card.sealed")
    assert recorded.changes["facts_sha256"] == view["facts_sha256"]
    assert (recorded.sequence, sealed.changes["pdf_sha256"]) == (view["facts_entry"], view["pdf_sha256"])
    assert recorded.sequence < sealed.sequence

    key = units.log.signer.verifier_key
    now = datetime.now(UTC)
    check = verify(pdf, log_key=key, trusted_roots=[sealed_installation.root], now=now)
    assert check.verified, check.conclusion
    assert check.card.facts == facts
    assert check.log.entry.sequence == view["facts_entry"]

    # What the card says of the version.
    assert facts.identity.name == "credit-default"
    assert facts.origin.code_commit == "6f2c1e9"
    assert [item.role for item in facts.datasets] == ["training", "test"]
    assert [item.kind for item in facts.documents] == ["Quality assurance report"]
    assert facts.documents[0].entry == entry_of(units, "document.signed-off").sequence
    assert facts.assessment.rows == 2000
    assert facts.gate is None
    states = {item.id: item.state for checklist in facts.checklists for item in checklist.items}
    assert states["quality-assured"] is ItemState.PASSED
    assert ItemState.OPEN in states.values()
    for name in ("developer", "validator", "administrator"):
        assert name.encode() not in json.replace(b"risk officer", b"")

    # Without the log's key, under no trusted root, and altered.
    unknown = verify(pdf, log_key=None, trusted_roots=[], now=now)
    assert (unknown.intact, unknown.verified) == (True, False)
    assert "no key of the log" in unknown.conclusion
    altered = verify(pdf.replace(b"%PDF-1.7", b"%PDF-1.6", 1), log_key=key, trusted_roots=[], now=now)
    assert not altered.intact
    from audit.keys import Ed25519Signer

    other = Ed25519Signer.of_seed(key.name, bytes(32)).verifier_key
    foreign = verify(pdf, log_key=other, trusted_roots=[sealed_installation.root], now=now)
    assert not foreign.intact
    assert "Not verified" in foreign.conclusion


def test_without_a_seal_no_card_is_made_and_nothing_is_logged(client, units, settings, people, registered):
    view = made_card(client, units, settings, people.developer)
    assert (view["state"], view["facts_sha256"]) == ("waiting", None)
    with units.reading() as unit:
        job = service.find_card(unit, people.developer, unit.session.query(service.CardRow).one().id).job
    assert "acta serve" in job.error
    assert job.state == "queued"
    refused = client.http.get(f"/api/v1/cards/{view['id']}/pdf", headers=client.as_(people.developer))
    assert refused.status_code == 409
    with units.reading() as unit:
        recorded = EntryFilter(action="card.facts-recorded")
        assert entries_before(unit.session.connection(), recorded, None, 1) == []


def test_a_card_is_asked_for_by_those_who_work_on_the_version(client, people, registered):
    for actor in (people.auditor, people.administrator, people.stranger):
        assert client.http.post(PATH, headers=client.as_(actor)).status_code == 403
    assert client.http.post(PATH, headers=client.as_(people.risk)).status_code == 202
    listed = client.http.get(PATH, headers=client.as_(people.auditor)).json()
    assert [(card["model"], card["version"], card["state"]) for card in listed] == [("credit-default", 1, "waiting")]
    card = listed[0]["id"]
    assert client.http.get(f"/api/v1/cards/{card}", headers=client.as_(people.stranger)).status_code == 404
