"""Makes a card: facts into the log, their proof into the card, the card's digest into the log.

1. One transaction gathers the facts and records their digest: the card documents exactly that state.
2. The proof of that entry, with the entry itself, and the signed checkpoint of the log become part of the card.
3. The card is rendered and sealed, outside any transaction.
4. One transaction keeps the file and records its digest.
"""

import hashlib
from uuid import UUID

from audit.tlog_proof import TlogProof, tlog_proof
from registry.cards import service
from registry.cards.charts import card_charts
from registry.cards.facts import LoadedResult, ResultChangedError, gather, newest_result
from registry.cards.service import SealedCard
from registry.cards.tables import CardRow
from registry.catalog.service import FoundVersion
from registry.catalog.tables import ModelVersion, RegisteredModel
from registry.errors import UnavailableError, UnprocessableError
from registry.installation import seal_directory
from registry.jobs.service import hold
from registry.jobs.worker import Work
from registry.resources import fonts_directory, templates_directory
from registry.storage import Storage
from registry.unit import Unit
from reports.card import render_pdf
from reports.errors import CardContentError, RenderingError, SealMissingError
from reports.facts import CardFacts, LogRecord, facts_digest, facts_json
from reports.seal import Seal, load_seal, seal_pdf

_MOST_LOADS = 5


def render_card(work: Work) -> None:
    """Render and seal a card.

    Raises:
        UnavailableError: the seal is missing.
        UnprocessableError: a fact that cannot be shown; the card is marked as failed.
    """
    card_id = UUID(work.lease.arguments["card_id"])
    storage = Storage(work.settings.storage)
    seal = _seal(work)
    work.report(0.1, "gathering the facts")
    try:
        facts, result, record = _record_facts(work, card_id, storage)
        work.report(0.3, "rendering")
        charts = () if result is None else card_charts(result.assessment())
        pdf = render_pdf(facts, charts, templates=templates_directory(), fonts=fonts_directory(), record=record)
    except (CardContentError, RenderingError) as error:
        with work.units.writing(f"job-{work.lease.job_id}") as unit:
            hold(unit, work.lease)
            service.fail(unit, card_id, str(error))
        raise UnprocessableError("facts", str(error)) from error
    work.report(0.8, "sealing")
    sealed = seal_pdf(pdf, seal, facts.issued_at)
    storage.put(facts_json(facts))
    outcome = SealedCard(record.entry, hashlib.sha256(pdf).digest(), storage.put(sealed))
    with work.outcome({"pdf_sha256": outcome.pdf_digest.hex()}) as unit:
        service.finish(unit, card_id, outcome)


def _seal(work: Work) -> Seal:
    try:
        return load_seal(seal_directory(work.settings))
    except SealMissingError as error:
        raise UnavailableError(str(error), "`acta serve` makes one at its first start; `acta doctor` looks.") from error


def _record_facts(work: Work, card_id: UUID, storage: Storage) -> tuple[CardFacts, LoadedResult | None, LogRecord]:
    for _ in range(_MOST_LOADS):
        with work.units.reading() as unit:
            digest = newest_result(unit, _found(unit, card_id).version.id)
        result = None if digest is None else LoadedResult(digest, storage.get(digest))
        try:
            with work.units.writing(f"job-{work.lease.job_id}") as unit:
                hold(unit, work.lease)
                facts = gather(unit, _found(unit, card_id), result, work.settings)
                service.record_facts(unit, card_id, facts_digest(facts))
        except ResultChangedError:
            continue
        [entry] = unit.entries
        with work.units.reading() as reading:
            proof = TlogProof.parse(tlog_proof(reading.session.connection(), entry.sequence))
        # The entry travels with its proof, so that whoever holds only the card can check that it names these facts.
        carried = TlogProof(proof.index, proof.hashes, proof.note, extra=entry.leaf)
        return facts, result, LogRecord(entry=entry.sequence, proof=str(carried))
    raise UnavailableError("New assessments keep finishing while the card is made.", "Ask for it again later.")


def _found(unit: Unit, card_id: UUID) -> FoundVersion:
    row = unit.session.get_one(CardRow, card_id)
    version = unit.session.get_one(ModelVersion, row.version_id)
    return FoundVersion(unit.session.get_one(RegisteredModel, version.model_id), version)
