"""Pages of the log: entries with filters, and one entry with what changed and its proof."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Annotated
from urllib.parse import urlencode

from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, QueryParameter
from litestar.response import Template
from sqlalchemy import select

from audit.entry import Entry, Json
from audit.reads import EntryFilter
from audit.tables import TEXT
from registry.access.actor import Actor
from registry.errors import InvalidInputError
from registry.evidence import service
from registry.evidence.service import ProvenEntry, ReadEntry
from registry.http.guards import signed_in
from registry.http.transactions import reads
from registry.settings import Settings
from registry.unit import Unit
from registry.web.frame import page
from registry.web.history import actor_names, item_titles
from registry.web.proofs import sums_of
from registry.web.sentences import shown, tell
from registry.web.subjects import Subject, subjects_of

PAGE_ROWS = 50


@dataclass(frozen=True)
class Line:
    """One entry in the list."""

    sequence: int
    time: datetime
    sentence: str
    action: str
    subject: Subject


@dataclass(frozen=True)
class Change:
    """One thing that an entry says. `committed`: the leaf holds only the hash of the text."""

    name: str
    before: str | None
    after: str
    committed: str | None
    is_erased: bool
    matches: bool


class AuditPages(Controller):
    """The log, for people."""

    path = "/audit"
    include_in_schema = False

    @get("/", guards=[signed_in])
    @reads
    def entries(
        self,
        unit: NamedDependency[Unit],
        actor: NamedDependency[Actor],
        by: Annotated[str | None, QueryParameter(name="actor")] = None,
        action: FromQuery[str | None] = None,
        subject_kind: FromQuery[str | None] = None,
        subject_id: FromQuery[str | None] = None,
        since: FromQuery[str | None] = None,
        until: FromQuery[str | None] = None,
        before: Annotated[int | None, QueryParameter(ge=0)] = None,
    ) -> Template:
        """Entries, newest first."""
        given = {
            "actor": by,
            "action": action,
            "subject_kind": subject_kind,
            "subject_id": subject_id,
            "since": since,
            "until": until,
        }
        wanted = {name: text.strip() for name, text in given.items() if text and text.strip()}
        where = EntryFilter(
            actor=wanted.get("actor"),
            action=wanted.get("action"),
            subject_kind=wanted.get("subject_kind"),
            subject_id=wanted.get("subject_id"),
            since=_day("since", wanted.get("since")),
            until=_next_day(_day("until", wanted.get("until"))),
        )
        found = service.read_entries(unit, actor, where, before=before, limit=PAGE_ROWS + 1)
        rows = found[:PAGE_ROWS]
        older = None
        if len(found) > PAGE_ROWS:
            older = f"/audit?{urlencode({**wanted, 'before': rows[-1].entry.sequence})}"
        newest = f"/audit?{urlencode(wanted)}" if wanted else "/audit"
        names = actor_names(unit, rows)
        subjects = subjects_of(unit, rows)
        titles = item_titles(unit)
        lines = [
            Line(
                read.entry.sequence,
                read.entry.time,
                tell(read, names, titles).sentence,
                read.entry.action,
                subjects[read.entry.sequence],
            )
            for read in rows
        ]
        return page(
            unit,
            actor,
            "audit.html",
            lines=lines,
            wanted=wanted,
            older=older,
            newest=None if before is None else newest,
        )

    @get("/{sequence:int}", guards=[signed_in])
    @reads
    def show(
        self,
        sequence: FromPath[int],
        unit: NamedDependency[Unit],
        actor: NamedDependency[Actor],
        settings: NamedDependency[Settings],
    ) -> Template:
        """An entry, what it says, and the proof that it is in the log."""
        proven = service.prove_entry(unit, actor, sequence)
        read = proven.read
        names = actor_names(unit, [read])
        entry = read.entry
        return page(
            unit,
            actor,
            "entry.html",
            entry=entry,
            leaf=entry.leaf.decode(),
            told=tell(read, names, item_titles(unit)),
            who=names.get(entry.actor, entry.actor),
            subject=subjects_of(unit, [read])[sequence],
            changes=_changes(unit, read),
            sums=_sums(proven),
            leaf_hash=entry.leaf_hash.hex(),
            pattern=_pattern(entry),
            size=proven.checkpoint.size,
            note=proven.note,
            proof=proven.proof,
            origin=unit.log.origin,
            verifier_key=str(unit.log.signer.verifier_key),
            public_url=settings.public_url,
        )


def _day(field: str, text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        raise InvalidInputError(field, text, "write a day as 2026-11-24") from None


def _next_day(day: datetime | None) -> datetime | None:
    # "until" means to the end of that day.
    return None if day is None else day + timedelta(days=1)


def _sums(proven: ProvenEntry) -> object:
    entry, checkpoint = proven.read.entry, proven.checkpoint
    return sums_of(entry.leaf_hash, entry.sequence, checkpoint.size, proven.path, checkpoint.root)


def _pattern(entry: Entry) -> str:
    from reports.figures import guilloche

    return guilloche(entry.leaf_hash)


def _changes(unit: Unit, read: ReadEntry) -> list[Change]:
    rows = unit.session.connection().execute(
        select(TEXT.c.path, TEXT.c.salt).where(TEXT.c.sequence == read.entry.sequence)
    )
    salts = {row.path: row.salt for row in rows}
    changes = read.entry.changes
    told = []
    for name, value in changes.items():
        if name in {"before", "from"}:
            continue
        before = changes.get({"to": "from", "version_id": "before"}.get(name, ""))
        told.append(_change(name, value, before, read.texts, salts))
    return told


def _change(name: str, value: Json, before: Json, texts: Mapping[str, str], salts: Mapping[str, bytes]) -> Change:
    label = name.replace("_", " ").capitalize()
    was = None if before is None else shown(before)
    match value:
        case {"commitment": str() as committed}:
            text = texts.get(name)
            matches = text is not None and sha256(salts[name] + text.encode()).hexdigest() == committed
            return Change(label, was, text or "", committed, is_erased=text is None, matches=matches)
        case _:
            return Change(label, was, shown(value), None, is_erased=False, matches=True)
