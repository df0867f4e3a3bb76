"""Routes of documents."""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from litestar import Controller, Request, Response, get, head, post
from litestar.datastructures import UploadFile
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, MultipartBody

from registry.access.actor import PARTICIPANTS, Actor
from registry.documents import service
from registry.documents.service import AUTHORS, NewDocument
from registry.documents.tables import DocumentRow
from registry.http.downloads import describe, hand_out
from registry.http.guards import requires, signed_in
from registry.http.transactions import reads, writes
from registry.http.uploads import STORED_FILE, StoredFile, document_limit, takes_form
from registry.storage import Storage
from registry.unit import Unit


class DocumentForm(msgspec.Struct):
    """A document to upload: its kind, as the policy names it, its title, and the file."""

    kind: str
    title: str
    file: UploadFile


class SignOff(msgspec.Struct, forbid_unknown_fields=True):
    """What somebody says who signs a document off."""

    comment: str | None = None


class DocumentView(msgspec.Struct):
    """A document of a version."""

    id: UUID
    version_id: UUID
    kind: str
    title: str
    file_name: str
    media_type: str
    sha256: str
    size_bytes: int
    uploaded_by: UUID
    uploaded_at: datetime
    signed_off_by: UUID | None
    signed_off_at: datetime | None
    sign_off_comment: str | None
    superseded_by: UUID | None

    @classmethod
    def of(cls, row: DocumentRow) -> "DocumentView":
        """The view of a row."""
        return cls(
            id=row.id,
            version_id=row.version_id,
            kind=row.kind,
            title=row.title,
            file_name=row.file_name,
            media_type=row.media_type,
            sha256=row.digest.hex(),
            size_bytes=row.size_bytes,
            uploaded_by=row.uploaded_by,
            uploaded_at=row.uploaded_at,
            signed_off_by=row.signed_off_by,
            signed_off_at=row.signed_off_at,
            sign_off_comment=row.sign_off_comment,
            superseded_by=row.superseded_by,
        )


class DocumentController(Controller):
    """Documents of model versions."""

    path = "/api/v1"
    tags = ["documents"]

    @post(
        "/models/{name:str}/versions/{number:int}/documents",
        guards=[requires(*AUTHORS), takes_form(document_limit, "kind", "title")],
        dependencies=STORED_FILE,
        request_max_body_size=None,
    )
    @writes
    def upload(
        self,
        name: FromPath[str],
        number: FromPath[int],
        data: MultipartBody[DocumentForm],
        stored_file: NamedDependency[StoredFile],
        unit: NamedDependency[Unit],
        actor: NamedDependency[Actor],
    ) -> DocumentView:
        """Add a document; it supersedes the older one of its kind."""
        document = NewDocument(
            kind=data.kind,
            title=data.title,
            file_name=stored_file.name,
            media_type=stored_file.media_type,
            digest=stored_file.digest,
            size_bytes=stored_file.size_bytes,
            head=stored_file.head,
        )
        return DocumentView.of(service.upload(unit, actor, name, number, document))

    @get("/models/{name:str}/versions/{number:int}/documents", guards=[signed_in])
    @reads
    def search(
        self, name: FromPath[str], number: FromPath[int], unit: NamedDependency[Unit], actor: NamedDependency[Actor]
    ) -> list[DocumentView]:
        """All documents of a version, the newest first; superseded ones too."""
        return [DocumentView.of(row) for row in service.list_documents(unit, actor, name, number)]

    @get("/documents/{document_id:uuid}", guards=[signed_in])
    @reads
    def show(
        self, document_id: FromPath[UUID], unit: NamedDependency[Unit], actor: NamedDependency[Actor]
    ) -> DocumentView:
        """What is known of a document."""
        return DocumentView.of(service.find_document(unit, actor, document_id))

    @get("/documents/{document_id:uuid}/content", guards=[signed_in])
    async def content(
        self,
        document_id: FromPath[UUID],
        request: Request[Any, Any, Any],
        actor: NamedDependency[Actor],
        storage: NamedDependency[Storage],
    ) -> Response[bytes]:
        """The document's bytes, to be saved. The download is an entry of the log."""
        return await hand_out(request, actor, storage, lambda unit: service.download(unit, actor, document_id))

    @head("/documents/{document_id:uuid}/content", guards=[signed_in])
    async def content_headers(
        self,
        document_id: FromPath[UUID],
        request: Request[Any, Any, Any],
        actor: NamedDependency[Actor],
        storage: NamedDependency[Storage],
    ) -> Response[None]:
        """The headers of the document's bytes."""
        return await describe(request, storage, lambda unit: service.download(unit, actor, document_id))

    @post("/documents/{document_id:uuid}/sign-off", guards=[requires(*PARTICIPANTS)], status_code=200)
    @writes
    def sign_off(
        self,
        document_id: FromPath[UUID],
        data: JSONBody[SignOff],
        unit: NamedDependency[Unit],
        actor: NamedDependency[Actor],
    ) -> DocumentView:
        """Sign a document off, in a role that the policy names for its kind, as somebody who did not write it."""
        return DocumentView.of(service.sign_off(unit, actor, document_id, data.comment))
