"""Routes of the audit log: entries with filters, proofs, and the C2SP tiles that any tlog client reads."""

import base64
from collections.abc import AsyncIterator
from datetime import datetime
from functools import partial
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Controller, Request, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, QueryParameter
from litestar.response import Stream

from audit.errors import NotInLogError
from audit.hashes import entry_bundle, tile_bytes
from audit.reads import EntryFilter
from audit.tiles import TilePath
from registry.access.actor import Actor
from registry.errors import InvalidInputError, NotFoundError
from registry.evidence import service
from registry.evidence.service import ProvenEntry, ReadEntry
from registry.http.guards import public_log_or_signed_in, signed_in
from registry.http.paging import Cursor, Limit, Page, decode_cursor, number_in, page_of
from registry.http.transactions import reads, run_in_reading_unit
from registry.settings import Settings
from registry.unit import Unit, Units

NDJSON = "application/x-ndjson"
EXPORTED_AT_ONCE = 500


class EntryView(msgspec.Struct):
    """An entry of the log. `changes` is what the leaf holds; `texts` what stands behind its commitments."""

    sequence: int
    time: datetime
    actor: str
    action: str
    subject_kind: str
    subject_id: str
    changes: dict[str, object]
    texts: dict[str, str]
    request: str | None
    leaf_hash: str

    @classmethod
    def of(cls, read: ReadEntry) -> "EntryView":
        """The view of an entry."""
        entry = read.entry
        return cls(
            sequence=entry.sequence,
            time=entry.time,
            actor=entry.actor,
            action=entry.action,
            subject_kind=entry.subject_kind,
            subject_id=entry.subject_id,
            changes=dict(entry.changes),
            texts=dict(read.texts),
            request=entry.request,
            leaf_hash=entry.leaf_hash.hex(),
        )


class ProofView(msgspec.Struct):
    """An entry and the proof that it is in the log."""

    entry: EntryView
    leaf: str
    """The leaf's bytes, which are canonical JSON text."""
    tree_size: int
    root: str
    path: list[str]
    checkpoint: str
    """Signed note."""
    tlog_proof: str

    @classmethod
    def of(cls, proven: ProvenEntry) -> "ProofView":
        """The view of a proven entry."""
        return cls(
            entry=EntryView.of(proven.read),
            leaf=proven.read.entry.leaf.decode(),
            tree_size=proven.checkpoint.size,
            root=proven.checkpoint.root.hex(),
            path=[hash_.hex() for hash_ in proven.path],
            checkpoint=proven.note,
            tlog_proof=proven.proof,
        )


class ConsistencyView(msgspec.Struct):
    """Hashes that show that one tree extends another, in base64."""

    old: int
    new: int
    hashes: list[str]


class AuditController(Controller):
    """The audit log."""

    path = "/api/v1/audit"
    tags = ["audit"]

    @get("/entries", guards=[signed_in])
    @reads
    def entries(
        self,
        unit: NamedDependency[Unit],
        actor: NamedDependency[Actor],
        by: Annotated[UUID | None, QueryParameter(name="actor", description="Id of the actor.")] = None,
        action: FromQuery[str | None] = None,
        subject_kind: FromQuery[str | None] = None,
        subject_id: FromQuery[str | None] = None,
        since: FromQuery[datetime | None] = None,
        until: FromQuery[datetime | None] = None,
        limit: Limit = 100,
        cursor: Cursor = None,
    ) -> Page[EntryView]:
        """Entries, newest first."""
        where = _filter(by, action, subject_kind, subject_id, since, until)
        key = decode_cursor(cursor)
        before = None if key is None else number_in(key)
        rows = service.read_entries(unit, actor, where, before=before, limit=limit + 1)
        return page_of(rows, limit, EntryView.of, lambda read: str(read.entry.sequence))

    @get("/entries.ndjson", guards=[signed_in], media_type=NDJSON)
    async def export(
        self,
        request: Request[Any, Any, Any],
        actor: NamedDependency[Actor],
        by: Annotated[UUID | None, QueryParameter(name="actor", description="Id of the actor.")] = None,
        action: FromQuery[str | None] = None,
        subject_kind: FromQuery[str | None] = None,
        subject_id: FromQuery[str | None] = None,
        since: FromQuery[datetime | None] = None,
        until: FromQuery[datetime | None] = None,
    ) -> Stream:
        """All entries that fit, oldest first, one JSON object a line: streamed, whatever their number."""
        where = _filter(by, action, subject_kind, subject_id, since, until)
        actor.require(*service.READERS)
        return Stream(_lines(request.app.state.units, actor, where), media_type=NDJSON)

    @get("/entries/{sequence:int}", guards=[signed_in])
    @reads
    def entry(self, sequence: FromPath[int], unit: NamedDependency[Unit], actor: NamedDependency[Actor]) -> ProofView:
        """An entry with its inclusion proof in the newest checkpoint's tree."""
        return ProofView.of(service.prove_entry(unit, actor, sequence))

    @get("/consistency", guards=[signed_in])
    @reads
    def consistency(
        self, old: FromQuery[int], new: FromQuery[int], unit: NamedDependency[Unit], actor: NamedDependency[Actor]
    ) -> ConsistencyView:
        """The proof that the tree of `new` entries extends the tree of `old` ones."""
        hashes = service.prove_consistency(unit, actor, old, new)
        return ConsistencyView(old, new, [base64.b64encode(hash_).decode() for hash_ in hashes])


def _filter(
    by: UUID | None,
    action: str | None,
    subject_kind: str | None,
    subject_id: str | None,
    since: datetime | None,
    until: datetime | None,
) -> EntryFilter:
    for field, value in (("since", since), ("until", until)):
        if value is not None and value.tzinfo is None:
            raise InvalidInputError(field, value.isoformat(), "say its offset from UTC, such as Z")
    return EntryFilter(None if by is None else str(by), action, subject_kind, subject_id, since, until)


async def _lines(units: Units, actor: Actor, where: EntryFilter) -> AsyncIterator[bytes]:
    """A few hundred lines at a time, each lot read in a transaction of its own: entries never change."""
    after: int | None = None
    while True:
        read = partial(service.read_entries_forward, actor=actor, where=where, after=after, limit=EXPORTED_AT_ONCE)
        found = await run_in_reading_unit(units, read)
        if not found:
            return
        yield b"".join(msgspec.json.encode(EntryView.of(one)) + b"\n" for one in found)
        after = found[-1].entry.sequence


class TileController(Controller):
    """The log as C2SP tlog-tiles: static bytes that any tlog client reads."""

    path = "/log"
    tags = ["audit"]

    @get("/checkpoint", guards=[public_log_or_signed_in])
    @reads
    def checkpoint(self, unit: NamedDependency[Unit]) -> Response[bytes]:
        """The newest signed checkpoint."""
        note = service.newest_checkpoint(unit).note.encode()
        return Response(note, media_type="text/plain", headers={"Cache-Control": "no-cache"})

    @get("/tile/{path:path}", guards=[public_log_or_signed_in])
    @reads
    def tile(
        self, path: FromPath[str], unit: NamedDependency[Unit], settings: NamedDependency[Settings]
    ) -> Response[bytes]:
        """A tile of hashes, or a bundle of entries."""
        wanted = TilePath.parse(f"tile{path}")
        if wanted is None:
            raise NotFoundError("tile", path)
        connection = unit.session.connection()
        try:
            if wanted.level is None:
                content = entry_bundle(connection, wanted.index, wanted.width)
            else:
                content = tile_bytes(connection, wanted.level, wanted.index, wanted.width)
        except NotInLogError:
            raise NotFoundError("tile", path) from None
        # What a tile holds never changes; where the log is not public, no shared cache may keep it.
        reach = "public" if settings.log_public else "private"
        return Response(
            content,
            media_type="application/octet-stream",
            headers={"Cache-Control": f"{reach}, max-age=31536000, immutable"},
        )
