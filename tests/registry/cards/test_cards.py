import hashlib
from dataclasses import replace
from datetime import UTC, datetime

import msgspec

from audit.keys import Ed25519Signer
from audit.reads import EntryFilter, entries_before
from audit.tlog_proof import TlogProof
from registry.cards import service
from registry.cards.tables import CardRow
from registry.cards.verification import check_log, verify
from registry.catalog.facts import Stage
from registry.jobs.worker import Worker
from registry.resources import fonts_directory, templates_directory
from reports.card import render_pdf
from reports.facts import GateVerdict, ItemState, LogRecord, parse_facts
from reports.seal import seal_pdf
from tests.registry.promotion.conftest import POLICY

PATH = "/api/v1/models/credit-default/versions/1/cards"


def entry_of(units, action):
    with units.reading() as unit:
        [entry] = entries_before(unit.session.connection(), EntryFilter(action=action), None, 1)
    return entry


def made_card(client, units, settings, actor):
    asked = client.http.post(PATH, headers=client.as_(actor))
    assert asked.status_code == 202
    Worker(units, settings).run_until_idle()
    return client.http.get(asked.headers["location"], headers=client.as_(actor)).json()


def test_the_card_of_a_promoted_version_states_the_decision_and_proves_that_its_facts_were_logged(
    client, units, settings, people, seal, governance, waived
):
    request_id = governance.request(waived)
    governance.approve(request_id)
    assert governance.execute(request_id) == "executed"
    view = made_card(client, units, settings, people.developer)
    assert (view["state"], view["error"]) == ("ready", None)

    answer = client.http.get(f"/api/v1/cards/{view['id']}/pdf", headers=client.as_(people.auditor))
    assert answer.headers["content-type"] == "application/pdf"
    assert "attachment" in answer.headers["content-disposition"]
    pdf = answer.content
    assert hashlib.sha256(pdf).hexdigest() == view["pdf_sha256"]

    # The facts: those served, those attached and those logged are the same.
    served = client.http.get(f"/api/v1/cards/{view['id']}/facts", headers=client.as_(people.auditor)).content
    facts = parse_facts(served)
    assert hashlib.sha256(served).hexdigest() == view["facts_sha256"]
    recorded, sealed = entry_of(units, "card.facts-recorded"), entry_of(units, "card.sealed")
    assert (recorded.sequence, recorded.changes["facts_sha256"]) == (view["facts_entry"], view["facts_sha256"])
    assert sealed.changes["pdf_sha256"] == view["pdf_sha256"]
    assert recorded.sequence < sealed.sequence

    # What the card says.
    assert (facts.gate.verdict, facts.gate.headline) == (GateVerdict.APPROVED, "Approved, on one waiver")
    count = len(POLICY.gate(Stage.PRODUCTION, "high").items)
    assert facts.gate.sentence == f"All {count} items are met or waived under the policy for high risk."
    assert facts.gate.executed_at is not None
    states = {item.id: item.state for checklist in facts.checklists for item in checklist.items}
    assert states["bias-assessed"] is ItemState.WAIVED
    assert set(states.values()) == {ItemState.WAIVED, ItemState.PASSED}
    [waiver] = facts.waivers
    assert waiver.compensating_measure == "A person reviews every refusal of a woman."
    assert waiver.entry == entry_of(units, "waiver.granted").sequence
    assert facts.gate.review_due_on == waiver.until.date()
    assert [approval.role for approval in facts.approvals] == ["Validator", "Risk officer"]
    assert facts.approvals[-1].entry == entry_of(units, "promotion.reviewed").sequence
    assert {document.entry for document in facts.documents} >= {entry_of(units, "document.signed-off").sequence}
    assert facts.identity.stage == "production"
    assert facts.origin.code_commit == "6f2c1e9d" * 5
    assert [dataset.role for dataset in facts.datasets] == ["training", "test"]
    assert [dataset.rows for dataset in facts.datasets] == [None, 2000]
    assert (facts.assessment.verdict.value, facts.assessment.rows) == ("fail", 2000)
    assert "sex is female" in facts.assessment.summary
    assert "Monitoring" in [checklist.title for checklist in facts.checklists]
    assert "Seen." in facts.monitoring_plan
    assert waived.model.owner_id.hex not in served.decode()

    # Verified offline by the log's key and the seal's root, which come from elsewhere.
    key, now = units.log.signer.verifier_key, datetime.now(UTC)
    check = verify(pdf, log_key=key, trusted_roots=[seal.root], now=now)
    assert check.verified, check.conclusion
    assert check.log.entry.sequence == view["facts_entry"]
    assert check.conclusion.endswith(f"Its facts are entry {view['facts_entry']} of the log.")
    unknown = verify(pdf, log_key=None, trusted_roots=[], now=now)
    assert (unknown.intact, unknown.verified) == (True, False)
    assert "no key of the log" in unknown.conclusion
    altered = verify(pdf[:2000] + bytes([pdf[2000] ^ 1]) + pdf[2001:], log_key=key, trusted_roots=[seal.root], now=now)
    assert not altered.intact
    stranger = Ed25519Signer.of_seed(key.name, bytes(32)).verifier_key
    assert not verify(pdf, log_key=stranger, trusted_roots=[seal.root], now=now).intact

    # Other facts, sealed by the same seal, with the proof of the true ones: only the log shows it.
    better = msgspec.structs.replace(facts, waivers=(), assessment=None)
    record = LogRecord(entry=view["facts_entry"], proof=check.card.proof)
    forged = seal_pdf(_rendered(better, record), seal, facts.issued_at)
    refused = verify(forged, log_key=key, trusted_roots=[seal.root], now=now)
    assert refused.card.verified
    assert not refused.intact
    assert "other facts" in refused.conclusion
    # A proof that leaves its entry out shows nothing.
    whole = TlogProof.parse(check.card.proof)
    bare = replace(check.card, proof=str(TlogProof(whole.index, whole.hashes, whole.note)))
    log = check_log(bare, check.card.facts_digest, key)
    assert not log.proven
    assert "does not carry its entry" in log.steps[-1].reason


def _rendered(facts, record):
    return render_pdf(facts, (), templates=templates_directory(), fonts=fonts_directory(), record=record)


def test_without_a_seal_no_card_is_made_and_nothing_is_logged(client, units, settings, people, registered):
    view = made_card(client, units, settings, people.developer)
    assert (view["state"], view["facts_sha256"]) == ("waiting", None)
    with units.reading() as unit:
        job = service.find_card(unit, people.developer, unit.session.query(CardRow).one().id).job
        recorded = entries_before(unit.session.connection(), EntryFilter(action="card.facts-recorded"), None, 1)
    assert job.state == "queued"
    assert "acta serve" in job.error
    assert recorded == []
    refused = client.http.get(f"/api/v1/cards/{view['id']}/pdf", headers=client.as_(people.developer))
    assert refused.status_code == 409


def test_a_card_is_asked_for_by_those_who_work_on_the_version(client, people, registered):
    for actor in (people.auditor, people.administrator, people.stranger):
        assert client.http.post(PATH, headers=client.as_(actor)).status_code == 403
    assert client.http.post(PATH, headers=client.as_(people.risk)).status_code == 202
    listed = client.http.get(PATH, headers=client.as_(people.auditor)).json()
    assert [(card["model"], card["version"], card["state"]) for card in listed] == [("credit-default", 1, "waiting")]
    card = listed[0]["id"]
    assert client.http.get(f"/api/v1/cards/{card}", headers=client.as_(people.stranger)).status_code == 404


def test_a_file_that_is_no_card_is_not_verified():
    check = verify(b"not a PDF", log_key=None, trusted_roots=[], now=datetime.now(UTC))
    assert (check.intact, check.verified) == (False, False)
    assert "not a readable PDF" in check.conclusion
