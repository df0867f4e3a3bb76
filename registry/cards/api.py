"""Routes of model cards."""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from litestar import Controller, Request, Response, get, head, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from registry.access.actor import Actor
from registry.cards import service
from registry.cards.service import REQUESTING, FoundCard
from registry.http.downloads import describe, hand_out
from registry.http.guards import requires, signed_in
from registry.http.transactions import reads, writes
from registry.storage import Storage
from registry.unit import Unit


class CardView(msgspec.Struct):
    """A model card, and what became of it."""

    id: UUID
    model: str
    version: int
    job_id: UUID | None
    state: str
    error: str | None
    requested_by: UUID
    requested_at: datetime
    facts_at: datetime | None
    facts_sha256: str | None
    facts_entry: int | None
    pdf_sha256: str | None
    file_name: str
    finished_at: datetime | None

    @classmethod
    def of(cls, card: FoundCard) -> "CardView":
        """The view of a card and its job."""
        row = card.row
        return cls(
            id=row.id,
            model=card.version.model.name,
            version=card.version.version.number,
            job_id=row.job_id,
            state=card.state.value,
            error=card.error,
            requested_by=row.requested_by,
            requested_at=row.requested_at,
            facts_at=row.facts_at,
            facts_sha256=None if row.facts_digest is None else row.facts_digest.hex(),
            facts_entry=row.facts_entry,
            pdf_sha256=None if row.pdf_digest is None else row.pdf_digest.hex(),
            file_name=card.file_name,
            finished_at=row.finished_at,
        )


class CardController(Controller):
    """Model cards."""

    path = "/api/v1"
    tags = ["cards"]

    @post("/models/{name:str}/versions/{number:int}/cards", guards=[requires(*REQUESTING)], status_code=202)
    @writes
    def request(
        self, name: FromPath[str], number: FromPath[int], unit: NamedDependency[Unit], actor: NamedDependency[Actor]
    ) -> Response[CardView]:
        """Have a card made of a version as it stands. `Location` says where to ask what became of it."""
        view = CardView.of(service.request_card(unit, actor, name, number))
        return Response(view, status_code=202, headers={"Location": f"/api/v1/cards/{view.id}"})

    @get("/models/{name:str}/versions/{number:int}/cards", guards=[signed_in])
    @reads
    def search(
        self, name: FromPath[str], number: FromPath[int], unit: NamedDependency[Unit], actor: NamedDependency[Actor]
    ) -> list[CardView]:
        """All cards of a version, the newest first."""
        return [CardView.of(card) for card in service.list_cards(unit, actor, name, number)]

    @get("/cards/{card_id:uuid}", guards=[signed_in])
    @reads
    def show(self, card_id: FromPath[UUID], unit: NamedDependency[Unit], actor: NamedDependency[Actor]) -> CardView:
        """How far a card is."""
        return CardView.of(service.find_card(unit, actor, card_id))

    @get("/cards/{card_id:uuid}/pdf", guards=[signed_in])
    async def pdf(
        self,
        card_id: FromPath[UUID],
        request: Request[Any, Any, Any],
        actor: NamedDependency[Actor],
        storage: NamedDependency[Storage],
    ) -> Response[bytes]:
        """The sealed file. The download is an entry of the log."""
        return await hand_out(request, actor, storage, lambda unit: service.download_pdf(unit, actor, card_id))

    @head("/cards/{card_id:uuid}/pdf", guards=[signed_in])
    async def pdf_headers(
        self,
        card_id: FromPath[UUID],
        request: Request[Any, Any, Any],
        actor: NamedDependency[Actor],
        storage: NamedDependency[Storage],
    ) -> Response[None]:
        """The headers of the sealed file."""
        return await describe(request, storage, lambda unit: service.download_pdf(unit, actor, card_id))

    @get("/cards/{card_id:uuid}/facts", guards=[signed_in])
    async def facts(
        self,
        card_id: FromPath[UUID],
        request: Request[Any, Any, Any],
        actor: NamedDependency[Actor],
        storage: NamedDependency[Storage],
    ) -> Response[bytes]:
        """The facts that the card states, as JSON (`reports/card.schema.json`). The download is an entry of the log."""
        return await hand_out(request, actor, storage, lambda unit: service.download_facts(unit, actor, card_id))

    @head("/cards/{card_id:uuid}/facts", guards=[signed_in])
    async def facts_headers(
        self,
        card_id: FromPath[UUID],
        request: Request[Any, Any, Any],
        actor: NamedDependency[Actor],
        storage: NamedDependency[Storage],
    ) -> Response[None]:
        """The headers of the facts."""
        return await describe(request, storage, lambda unit: service.download_facts(unit, actor, card_id))
