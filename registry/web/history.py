"""What the log says of a thing, told in sentences: timelines, and the citations beside statements."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import bindparam, select

from audit.entry import Json, parse_leaf
from audit.reads import texts
from audit.tables import ENTRY
from registry.access.service import names_of
from registry.evidence.downloads import is_no_download
from registry.evidence.service import ReadEntry
from registry.policy.service import policies_in_force
from registry.unit import SYSTEM, Unit
from registry.web.sentences import Told, tell

MOST_ENTRIES = 200
"""Entries of one timeline; the log's own page shows the rest."""
_CHUNK = 500

_ABOUT = (
    select(ENTRY.c.sequence, ENTRY.c.leaf)
    .where(
        ENTRY.c.subject_kind.in_(bindparam("kinds", expanding=True)),
        ENTRY.c.subject_id.in_(bindparam("subjects", expanding=True)),
        is_no_download(),
    )
    .order_by(ENTRY.c.sequence.desc())
    .limit(MOST_ENTRIES * 5)
)
_NAMING = ("actor_id", "owner_id", "on_behalf_of", "handed_to", "to")
"""Fields of entries that hold an actor's id."""
_KINDS = (
    "model",
    "version",
    "alias",
    "tag",
    "document",
    "assessment",
    "attestation",
    "check",
    "waiver",
    "finding",
    "lapse",
    "stage-review",
    "promotion",
    "rollback",
    "plan",
    "alert",
    "profile",
    "card",
    "policy",
    "role",
    "actor",
    "job",
)


@dataclass(frozen=True)
class Event:
    """One line of a timeline."""

    sequence: int
    time: datetime
    told: Told


@dataclass(frozen=True)
class History:
    """What the log says of some subjects."""

    events: tuple[Event, ...]
    """Newest first."""
    entries: Mapping[tuple[str, str], int]
    """The newest entry of each action on each subject: (subject's id, action) -> sequence number."""
    is_cut: bool
    """Whether there are older entries than these."""

    def entry_of(self, subject: UUID | str | None, *actions: str) -> int | None:
        """The entry on which a statement about a subject rests: the first of these actions that there is."""
        return next(
            (self.entries[key] for key in ((str(subject), action) for action in actions) if key in self.entries), None
        )


def history_of(unit: Unit, subjects: Collection[UUID | str], titles: Mapping[str, str] | None = None) -> History:
    """The entries about these subjects. `titles`: of checklist items and subjects by id, for the sentences."""
    found = entries_about(unit, subjects)
    names = actor_names(unit, found)
    newest: dict[tuple[str, str], int] = {}
    for read in found:
        newest.setdefault((read.entry.subject_id, read.entry.action), read.entry.sequence)
    shown = found[:MOST_ENTRIES]
    events = tuple(Event(one.entry.sequence, one.entry.time, tell(one, names, titles or {})) for one in shown)
    return History(events, newest, len(found) > len(shown))


def entries_about(unit: Unit, subjects: Collection[UUID | str]) -> list[ReadEntry]:
    """Entries of changes to any of these subjects, newest first: in one statement for 500 subjects."""
    connection = unit.session.connection()
    wanted = [str(subject) for subject in subjects]
    leaves: dict[int, bytes] = {}
    for start in range(0, len(wanted), _CHUNK):
        rows = connection.execute(_ABOUT, {"kinds": list(_KINDS), "subjects": wanted[start : start + _CHUNK]})
        leaves.update({row.sequence: row.leaf for row in rows})
    entries = [parse_leaf(leaves[sequence]) for sequence in sorted(leaves, reverse=True)]
    behind: dict[int, dict[str, str]] = {}
    for (sequence, path), text in texts(connection, [entry.sequence for entry in entries]).items():
        behind.setdefault(sequence, {})[path] = text
    return [ReadEntry(entry, behind.get(entry.sequence, {})) for entry in entries]


def actor_names(unit: Unit, found: Iterable[ReadEntry], more: Iterable[UUID | None] = ()) -> dict[str, str]:
    """Names of the actors of entries, of those whom the entries name, and of some more, by id."""
    ids = {identifier for identifier in more if identifier is not None}
    for read in found:
        named = (read.entry.actor, *(read.entry.changes.get(field) for field in _NAMING))
        ids |= {known for known in map(_uuid, named) if known}
    names = {str(identifier): name for identifier, name in names_of(unit, ids).items()} if ids else {}
    return names | {SYSTEM: "Acta"}


def item_titles(unit: Unit) -> dict[str, str]:
    """Titles of the checklist items of the policies in force, by id."""
    policies = reversed(policies_in_force(unit))
    return {item.id: item.title for active in policies for item in active.policy.items.values()}


def _uuid(value: Json) -> UUID | None:
    try:
        return UUID(value) if isinstance(value, str) else None
    except ValueError:
        return None
