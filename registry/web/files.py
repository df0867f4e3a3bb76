"""Documents and cards through the browser's session: the same services as the API's, the same headers."""

import re
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from anyio import to_thread
from litestar import Controller, Request, Response, get, head
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Template

from registry.access.actor import Actor
from registry.access.service import names_of
from registry.cards.service import download_pdf
from registry.catalog.service import version_by_id
from registry.documents.api import DocumentView
from registry.documents.render import LARGEST_TEXT, markdown_to_html
from registry.documents.service import download, find_document
from registry.errors import UnavailableError
from registry.http.downloads import describe, hand_out
from registry.http.guards import signed_in
from registry.http.transactions import run_in_reading_unit
from registry.storage import Storage
from registry.unit import Unit
from registry.web.frame import Frame, frame_of, framed
from registry.web.history import History, history_of
from registry.web.subjects import Subject, version_href

_HEADING = re.compile(r"<(/?)h([1-6])>")
MARKDOWN = "text/markdown"


@dataclass(frozen=True)
class DocumentPage:
    """What the page of a document shows, beside its text."""

    frame: Frame
    document: DocumentView
    version: Subject
    names: dict[UUID, str]
    history: History


class FilePages(Controller):
    """Documents and cards, for people."""

    path = "/"
    include_in_schema = False

    @get("/documents/{document_id:uuid}", guards=[signed_in])
    async def document(
        self,
        document_id: FromPath[UUID],
        request: Request[Any, Any, Any],
        actor: NamedDependency[Actor],
        storage: NamedDependency[Storage],
    ) -> Template:
        """A document; the text of one in Markdown, made harmless."""
        shown: DocumentPage = await run_in_reading_unit(
            request.app.state.units, lambda unit: _document_page(unit, actor, document_id)
        )
        html, problem = None, None
        if shown.document.media_type == MARKDOWN and shown.document.size_bytes <= LARGEST_TEXT:
            digest = bytes.fromhex(shown.document.sha256)
            try:
                html = await to_thread.run_sync(lambda: within_page(storage.get(digest)))
            except UnavailableError as error:
                # The record stands, whatever became of the bytes.
                problem = str(error)
        return framed(shown.frame, "document.html", {"page": shown, "html": html, "problem": problem})

    @get("/documents/{document_id:uuid}/content", guards=[signed_in])
    async def document_content(
        self,
        document_id: FromPath[UUID],
        request: Request[Any, Any, Any],
        actor: NamedDependency[Actor],
        storage: NamedDependency[Storage],
    ) -> Response[bytes]:
        """A document's bytes, to be saved. The download is an entry of the log."""
        return await hand_out(request, actor, storage, lambda unit: download(unit, actor, document_id))

    @head("/documents/{document_id:uuid}/content", guards=[signed_in])
    async def document_content_headers(
        self,
        document_id: FromPath[UUID],
        request: Request[Any, Any, Any],
        actor: NamedDependency[Actor],
        storage: NamedDependency[Storage],
    ) -> Response[None]:
        """The headers of a document's bytes."""
        return await describe(request, storage, lambda unit: download(unit, actor, document_id))

    @get("/cards/{card_id:uuid}", guards=[signed_in])
    async def card(
        self,
        card_id: FromPath[UUID],
        request: Request[Any, Any, Any],
        actor: NamedDependency[Actor],
        storage: NamedDependency[Storage],
    ) -> Response[bytes]:
        """A sealed card, to be saved. The download is an entry of the log."""
        return await hand_out(request, actor, storage, lambda unit: download_pdf(unit, actor, card_id))

    @head("/cards/{card_id:uuid}", guards=[signed_in])
    async def card_headers(
        self,
        card_id: FromPath[UUID],
        request: Request[Any, Any, Any],
        actor: NamedDependency[Actor],
        storage: NamedDependency[Storage],
    ) -> Response[None]:
        """The headers of a sealed card."""
        return await describe(request, storage, lambda unit: download_pdf(unit, actor, card_id))


def within_page(markdown: bytes) -> str:
    """A document's text as a part of a page: its headings below the page's own, no empty table heads."""
    html = markdown_to_html(markdown.decode("utf-8", "replace"))
    # Text has its angle brackets escaped: what reads as a tag here is one.
    html = _HEADING.sub(lambda tag: f"<{tag[1]}h{min(6, int(tag[2]) + 2)}>", html)
    return html.replace("<th></th>", "<td></td>")


def _document_page(unit: Unit, actor: Actor, document_id: UUID) -> DocumentPage:
    row = find_document(unit, actor, document_id)
    view = DocumentView.of(row)
    found = version_by_id(unit, actor, row.version_id)
    title = f"{found.model.name} {found.version.number}"
    return DocumentPage(
        frame=frame_of(unit, actor),
        document=view,
        version=Subject("version", str(found.version.id), title, version_href(found.model.name, found.version.number)),
        names=names_of(unit, {one for one in (view.uploaded_by, view.signed_off_by) if one}),
        history=history_of(unit, [view.id], {str(view.id): view.title}),
    )
