"""Model cards of a version: asked for here, rendered and sealed by a job."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlmodel import col

from registry.access.actor import REVIEWERS, Actor, Role
from registry.cards.tables import CardRow, CardState
from registry.catalog.service import FoundVersion, find_version, version_by_id
from registry.errors import ConflictError, NotFoundError
from registry.evidence.downloads import Download
from registry.jobs.service import enqueue, get_job
from registry.jobs.tables import JobRow, JobState
from registry.policy.service import policy_for
from registry.unit import Committed, Unit

REQUESTING = (Role.DEVELOPER, Role.VALIDATOR, Role.RISK_OFFICER, *REVIEWERS)
"""Who may ask for a card."""


@dataclass(frozen=True)
class FoundCard:
    """A card, its version, and the job that makes it."""

    row: CardRow
    version: FoundVersion
    job: JobRow | None

    @property
    def state(self) -> CardState:
        """Whether there is a file; a job that ended without one has failed."""
        state = CardState(self.row.state)
        ended = self.job is not None and self.job.state in {JobState.DEAD, JobState.CANCELLED}
        return CardState.FAILED if state is CardState.WAITING and ended else state

    @property
    def error(self) -> str | None:
        """Why there is none."""
        if self.state is not CardState.FAILED or self.job is None:
            return None
        return self.job.error or f"The job was {self.job.state}."

    @property
    def file_name(self) -> str:
        """How the file is called when it is saved."""
        return f"{self.version.model.name}-{self.version.version.number}-card.pdf"


def request_card(unit: Unit, actor: Actor, name: str, number: int) -> FoundCard:
    """Ask for a card of a version as it stands when the job takes it up.

    Raises:
        NotFoundError: no such version.
        RefusedError: no role of the actor asks for cards there.
        UngovernedError: no policy governs the model, of which there are no cards then.
    """
    found = find_version(unit, actor, name, number)
    actor.require(*REQUESTING, place=found.place)
    policy_for(unit, found.place)
    row = CardRow(version_id=found.version.id, requested_by=actor.id, requested_at=unit.now)
    job = get_job(unit, enqueue(unit, actor, "render-card", {"card_id": str(row.id)}, subject_id=found.version.id))
    row.job_id = job.id
    unit.session.add(row)
    unit.record(actor, "card.requested", row.id, {"version_id": found.version.id, "job_id": job.id})
    return FoundCard(row, found, job)


def list_cards(unit: Unit, actor: Actor, name: str, number: int) -> list[FoundCard]:
    """All cards of a version, the newest first.

    Raises:
        NotFoundError: no such version.
    """
    found = find_version(unit, actor, name, number)
    query = (
        select(CardRow, JobRow)
        .outerjoin(JobRow, col(JobRow.id) == col(CardRow.job_id))
        .where(col(CardRow.version_id) == found.version.id)
        .order_by(col(CardRow.requested_at).desc(), col(CardRow.id))
    )
    return [FoundCard(row, found, job) for row, job in unit.session.execute(query)]


def find_card(unit: Unit, actor: Actor, card_id: UUID) -> FoundCard:
    """A card by its id.

    Raises:
        NotFoundError: there is none, or the actor may not see its version.
    """
    row = unit.session.get(CardRow, card_id)
    if row is None:
        raise NotFoundError("card", card_id)
    try:
        found = version_by_id(unit, actor, row.version_id)
    except NotFoundError:
        raise NotFoundError("card", card_id) from None
    return FoundCard(row, found, None if row.job_id is None else unit.session.get(JobRow, row.job_id))


def download_pdf(unit: Unit, actor: Actor, card_id: UUID) -> Download:
    """The sealed file of a card, to be handed out.

    Raises:
        NotFoundError: no such card.
        ConflictError: it is not ready.
    """
    card = find_card(unit, actor, card_id)
    if card.row.pdf_digest is None:
        raise _not_ready(card)
    return Download("card", card_id, card.row.version_id, card.row.pdf_digest, "application/pdf", card.file_name)


def download_facts(unit: Unit, actor: Actor, card_id: UUID) -> Download:
    """The facts of a card that is ready, to be handed out.

    Raises:
        NotFoundError: no such card.
        ConflictError: it is not ready.
    """
    card = find_card(unit, actor, card_id)
    if card.row.pdf_digest is None or card.row.facts_digest is None:
        raise _not_ready(card)
    return Download("card", card_id, card.row.version_id, card.row.facts_digest, "application/json")


def _not_ready(card: FoundCard) -> ConflictError:
    return ConflictError(f"This card has no file: it is {card.state.value}.", card.error)


def record_facts(unit: Unit, card_id: UUID, facts_digest: bytes) -> None:
    """Put the digest of the facts into the log, so that its proof can go into the card."""
    row = unit.session.get_one(CardRow, card_id)
    row.facts_at = unit.now
    row.facts_digest = facts_digest
    unit.record(
        None,
        "card.facts-recorded",
        row.id,
        {"version_id": row.version_id, "facts_sha256": facts_digest.hex(), "facts_at": row.facts_at},
    )


@dataclass(frozen=True)
class SealedCard:
    """A rendered and sealed card, its bytes stored."""

    facts_entry: int
    unsealed_digest: bytes
    """SHA-256 of the file before the seal: the same facts render to the same bytes."""
    pdf_digest: bytes


def finish(unit: Unit, card_id: UUID, sealed: SealedCard) -> None:
    """Keep the finished file of a card."""
    row = unit.session.get_one(CardRow, card_id)
    row.state = CardState.READY.value
    row.facts_entry = sealed.facts_entry
    row.pdf_digest = sealed.pdf_digest
    row.finished_at = unit.now
    unit.record(
        None,
        "card.sealed",
        row.id,
        {
            "version_id": row.version_id,
            "facts_entry": sealed.facts_entry,
            "unsealed_sha256": sealed.unsealed_digest.hex(),
            "pdf_sha256": sealed.pdf_digest.hex(),
            "finished_at": row.finished_at,
        },
    )


def fail(unit: Unit, card_id: UUID, reason: str) -> None:
    """Keep that the card cannot be rendered, however often it is tried; the job says why."""
    row = unit.session.get_one(CardRow, card_id)
    row.state = CardState.FAILED.value
    row.finished_at = unit.now
    unit.record(
        None,
        "card.failed",
        row.id,
        {"version_id": row.version_id, "reason": Committed(reason), "finished_at": row.finished_at},
    )
