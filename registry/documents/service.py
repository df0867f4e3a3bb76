"""Documents of a version: upload, sign off, supersede."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlmodel import col

from registry.access.actor import REVIEWERS, Actor, Place, Role
from registry.access.service import get_actor
from registry.catalog.service import FoundVersion, find_version, version_by_id
from registry.documents.content import checked_file_name, checked_media_type
from registry.documents.tables import DocumentRow
from registry.errors import ConflictError, InvalidInputError, NotFoundError, RefusedError
from registry.evidence.downloads import Download
from registry.names import checked_label, checked_text
from registry.policy.separation import lock_version
from registry.policy.service import find_policy_for, policy_for
from registry.promotion.staleness import outdate_requests
from registry.unit import Committed, Unit

AUTHORS = (Role.DEVELOPER, Role.VALIDATOR, Role.RISK_OFFICER, *REVIEWERS)
"""Who may add a document."""


@dataclass(frozen=True)
class NewDocument:
    """An uploaded file, whose bytes are stored, and what it is to be.

    `head`: its first bytes. `media_type` and `file_name`: as the client says.
    """

    kind: str
    title: str
    file_name: str
    media_type: str
    digest: bytes
    size_bytes: int
    head: bytes


def upload(unit: Unit, actor: Actor, name: str, number: int, document: NewDocument) -> DocumentRow:
    """Add a document to a version. It supersedes the older one of its kind, which stays.

    Raises:
        NotFoundError: no such version.
        RefusedError: no role of the actor adds documents there.
        InvalidInputError: a bad kind, title, name or media type, or an empty file.
    """
    found = find_version(unit, actor, name, number)
    actor.require(*AUTHORS, place=found.place)
    _check(unit, found.place, document)
    # Locked, so that two uploads at once do not both supersede the same one.
    lock_version(unit, found.version.id)
    older = current_document(unit, found.version.id, document.kind)
    row = DocumentRow(
        version_id=found.version.id,
        kind=document.kind,
        title=document.title,
        file_name=document.file_name,
        media_type=checked_media_type(document.media_type, document.head),
        digest=document.digest,
        size_bytes=document.size_bytes,
        uploaded_by=actor.id,
        uploaded_at=unit.now,
    )
    unit.session.add(row)
    unit.session.flush()
    if older is not None:
        older.superseded_by = row.id
    unit.record(
        actor,
        "document.uploaded",
        row.id,
        {
            "version_id": found.version.id,
            "kind": row.kind,
            "title": Committed(row.title),
            "file_name": Committed(row.file_name),
            "media_type": row.media_type,
            "sha256": row.digest.hex(),
            "size_bytes": row.size_bytes,
            "supersedes": None if older is None else older.id,
        },
    )
    outdate_requests(unit, found.version.id)
    return row


def _check(unit: Unit, place: Place, document: NewDocument) -> None:
    kinds = policy_for(unit, place).policy.document_kinds
    if document.kind not in kinds:
        raise InvalidInputError("kind", document.kind, f"the policy knows {', '.join(sorted(kinds))}")
    checked_label("title", document.title)
    checked_file_name(document.file_name)
    if document.size_bytes == 0:
        raise InvalidInputError("file", document.file_name, "it is empty")


def current_document(unit: Unit, version_id: UUID, kind: str) -> DocumentRow | None:
    """The document of that kind that nothing has superseded."""
    return unit.session.execute(
        select(DocumentRow).where(
            col(DocumentRow.version_id) == version_id,
            col(DocumentRow.kind) == kind,
            col(DocumentRow.superseded_by).is_(None),
        )
    ).scalar()


def list_documents(unit: Unit, actor: Actor, name: str, number: int) -> list[DocumentRow]:
    """All documents of a version, the newest first; superseded ones too.

    Raises:
        NotFoundError: no such version.
    """
    return documents_of(unit, find_version(unit, actor, name, number).version.id)


def documents_of(unit: Unit, version_id: UUID) -> list[DocumentRow]:
    """All documents of a version that the caller has found, the newest first."""
    query = (
        select(DocumentRow)
        .where(col(DocumentRow.version_id) == version_id)
        .order_by(col(DocumentRow.uploaded_at).desc(), col(DocumentRow.id))
    )
    return list(unit.session.execute(query).scalars())


def find_document(unit: Unit, actor: Actor, document_id: UUID) -> DocumentRow:
    """A document by its id.

    Raises:
        NotFoundError: there is none, or the actor may not see its version.
    """
    return _found(unit, actor, document_id)[0]


def download(unit: Unit, actor: Actor, document_id: UUID) -> Download:
    """The bytes of a document, to be handed out.

    Raises:
        NotFoundError: there is none, or the actor may not see its version.
    """
    row = find_document(unit, actor, document_id)
    return Download("document", row.id, row.version_id, row.digest, row.media_type, row.file_name)


def _found(unit: Unit, actor: Actor, document_id: UUID) -> tuple[DocumentRow, FoundVersion]:
    row = unit.session.get(DocumentRow, document_id)
    if row is None:
        raise NotFoundError("document", document_id)
    try:
        return row, version_by_id(unit, actor, row.version_id)
    except NotFoundError:
        raise NotFoundError("document", document_id) from None


def _signers(unit: Unit, place: Place, kind: str) -> Sequence[Role]:
    active = find_policy_for(unit, place)
    known = None if active is None else active.policy.document_kinds.get(kind)
    return (Role.VALIDATOR,) if known is None else known.signed_off_by


def sign_off(unit: Unit, actor: Actor, document_id: UUID, comment: str | None) -> DocumentRow:
    """Say, in a role that the policy names for its kind and without having written it, that a document is good.

    Raises:
        RefusedError: no such role there, or the author, or the person responsible for the machine that uploaded it.
        ConflictError: superseded, or signed off already.
    """
    row, found = _found(unit, actor, document_id)
    actor.require(*_signers(unit, found.place, row.kind), place=found.place)
    lock_version(unit, found.version.id)
    unit.session.refresh(row, with_for_update=True)
    author = get_actor(unit, row.uploaded_by)
    if actor.person_id == (author.responsible_id or author.id):
        raise RefusedError(
            "Nobody signs off their own document, nor one that a machine of theirs uploaded.",
            "Ask somebody else.",
        )
    if row.superseded_by is not None:
        raise ConflictError("This document was superseded.", f"Sign off the newer one: {row.superseded_by}.")
    if row.signed_off_by is not None:
        raise ConflictError("This document is signed off already.")
    if comment is not None:
        checked_text("comment", comment)
    row.signed_off_by = actor.id
    row.signed_off_at = unit.now
    row.sign_off_comment = comment
    unit.record(
        actor,
        "document.signed-off",
        row.id,
        {
            "version_id": row.version_id,
            "sha256": row.digest.hex(),
            "comment": None if comment is None else Committed(comment),
        },
    )
    outdate_requests(unit, found.version.id)
    return row
