"""Which entries of the log stand behind what a card states, and how actors are called on it."""

from collections.abc import Iterable, Mapping
from uuid import UUID

from sqlalchemy import func, select

from audit.reads import EntryFilter, entries_after
from audit.tables import ENTRY
from registry.evidence.downloads import is_no_download
from registry.unit import Unit


def newest_entries(unit: Unit, subject_ids: Iterable[UUID]) -> Mapping[UUID, int]:
    """The number of the newest entry that changed something about each subject, in one statement."""
    wanted = {str(subject): subject for subject in subject_ids}
    if not wanted:
        return {}
    query = (
        select(ENTRY.c.subject_id, func.max(ENTRY.c.sequence))
        .where(ENTRY.c.subject_id.in_(list(wanted)), is_no_download())
        .group_by(ENTRY.c.subject_id)
    )
    return {wanted[subject]: number for subject, number in unit.session.execute(query)}


def review_entries(unit: Unit, request_id: UUID) -> Mapping[UUID, int]:
    """The number of the newest entry about each review of a request, by the review's id."""
    about = EntryFilter(action="promotion.reviewed", subject_id=str(request_id))
    entries = entries_after(unit.session.connection(), about, None, 1000)
    return {UUID(str(entry.changes["review_id"])): entry.sequence for entry in entries}


def pseudonym(actor_id: UUID) -> str:
    """How a card calls an actor: the beginning of the id that the log knows, and no name."""
    return f"A-{actor_id.hex[:6]}"
