"""Routes of promotion requests, reviews and waivers."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from registry.access.actor import PARTICIPANTS, REVIEWERS, Actor, Role
from registry.catalog.facts import Stage
from registry.catalog.service import find_version
from registry.http.guards import requires, signed_in
from registry.http.paging import Cursor, Limit, Page, decode_cursor, number_in, page_of
from registry.http.transactions import reads, writes
from registry.policy.service import find_policy_for
from registry.promotion import service
from registry.promotion.cases import Case, CaseFilter, find_case, list_cases
from registry.promotion.comments import comment, comments_on
from registry.promotion.reviews import review
from registry.promotion.service import REQUESTING
from registry.promotion.tables import Decision, RequestState
from registry.promotion.views import CommentView, PromotionSummary, PromotionView, WaiverView
from registry.promotion.waivers import grant_waiver, list_waivers, revoke_waiver
from registry.unit import Unit

REVIEWING = (Role.VALIDATOR, *REVIEWERS, Role.RISK_OFFICER)
"""The roles in which a policy may ask for approvals and waivers."""


class NewPromotion(msgspec.Struct, forbid_unknown_fields=True):
    """A request to move a version of a model to a stage."""

    model: str
    version: int
    target_stage: Stage
    justification: str


class NewReview(msgspec.Struct, forbid_unknown_fields=True):
    """A decision in one role."""

    role: Role
    decision: Decision
    reason: str


class NewComment(msgspec.Struct, forbid_unknown_fields=True):
    """What somebody says about a request."""

    text: str


class Withdrawal(msgspec.Struct, forbid_unknown_fields=True):
    """Why a request is taken back."""

    reason: str


class NewWaiver(msgspec.Struct, forbid_unknown_fields=True):
    """A dated, reasoned exception to one item."""

    item: str
    reason: str
    compensating_measure: str
    expires_at: datetime


class Revocation(msgspec.Struct, forbid_unknown_fields=True):
    """Why a waiver ends before its time."""

    reason: str


class PromotionController(Controller):
    """Promotion requests."""

    path = "/api/v1/promotions"
    tags = ["promotions"]

    @post("/", guards=[requires(*REQUESTING)])
    @writes
    def request(
        self, data: JSONBody[NewPromotion], unit: NamedDependency[Unit], actor: NamedDependency[Actor]
    ) -> PromotionView:
        """Ask for a version to be moved. The answer lists what is still missing, and who can meet it."""
        found = find_version(unit, actor, data.model, data.version)
        return _present(unit, service.request(unit, actor, found, data.target_stage, data.justification))

    @get("/", guards=[signed_in])
    @reads
    def search(
        self,
        unit: NamedDependency[Unit],
        actor: NamedDependency[Actor],
        model: FromQuery[str | None] = None,
        version: FromQuery[int | None] = None,
        request_state: Annotated[RequestState | None, QueryParameter(name="state")] = None,
        target_stage: FromQuery[Stage | None] = None,
        limit: Limit = 100,
        cursor: Cursor = None,
    ) -> Page[PromotionSummary]:
        """Requests, newest first."""
        wanted = CaseFilter(model, version, request_state, target_stage)
        rows = list_cases(unit, actor, wanted, _before(cursor), limit + 1)
        return page_of(rows, limit, PromotionSummary.of, lambda case: str(case.request.number))

    @get("/{request_id:uuid}", guards=[signed_in])
    @reads
    def show(
        self, request_id: FromPath[UUID], unit: NamedDependency[Unit], actor: NamedDependency[Actor]
    ) -> PromotionView:
        """A request with its reviews and its gate."""
        return _present(unit, find_case(unit, actor, request_id))

    @post("/{request_id:uuid}/reviews", guards=[requires(*REVIEWING)])
    @writes
    def review(
        self,
        request_id: FromPath[UUID],
        data: JSONBody[NewReview],
        unit: NamedDependency[Unit],
        actor: NamedDependency[Actor],
    ) -> PromotionView:
        """Approve, reject, or ask for changes."""
        return _present(unit, review(unit, actor, request_id, data.role, data.decision, data.reason))

    @post("/{request_id:uuid}/comments", guards=[requires(*PARTICIPANTS)])
    @writes
    def comment(
        self,
        request_id: FromPath[UUID],
        data: JSONBody[NewComment],
        unit: NamedDependency[Unit],
        actor: NamedDependency[Actor],
    ) -> CommentView:
        """Say something about a request."""
        return CommentView.of(comment(unit, actor, request_id, data.text))

    @get("/{request_id:uuid}/comments", guards=[signed_in])
    @reads
    def comments(
        self, request_id: FromPath[UUID], unit: NamedDependency[Unit], actor: NamedDependency[Actor]
    ) -> list[CommentView]:
        """What people said about a request, oldest first."""
        find_case(unit, actor, request_id)
        return [CommentView.of(row) for row in comments_on(unit, request_id)]

    @post("/{request_id:uuid}/execution", guards=[requires(*REQUESTING)], status_code=200)
    @writes
    def execute(
        self, request_id: FromPath[UUID], unit: NamedDependency[Unit], actor: NamedDependency[Actor]
    ) -> PromotionView:
        """Move the version, if its gate is met now; else 409 with every unmet item."""
        return _present(unit, service.execute(unit, actor, request_id))

    @post("/{request_id:uuid}/withdrawal", guards=[requires(*PARTICIPANTS)], status_code=200)
    @writes
    def withdraw(
        self,
        request_id: FromPath[UUID],
        data: JSONBody[Withdrawal],
        unit: NamedDependency[Unit],
        actor: NamedDependency[Actor],
    ) -> PromotionView:
        """Take a request back."""
        return _present(unit, service.withdraw(unit, actor, request_id, data.reason))


class WaiverController(Controller):
    """Waivers."""

    path = "/api/v1"
    tags = ["gates"]

    @post("/models/{name:str}/versions/{number:int}/waivers", guards=[requires(*REVIEWING)])
    @writes
    def grant(
        self,
        name: FromPath[str],
        number: FromPath[int],
        data: JSONBody[NewWaiver],
        unit: NamedDependency[Unit],
        actor: NamedDependency[Actor],
    ) -> WaiverView:
        """Excuse one item for a while."""
        row = grant_waiver(
            unit,
            actor,
            find_version(unit, actor, name, number),
            data.item,
            reason=data.reason,
            compensating_measure=data.compensating_measure,
            expires_at=data.expires_at,
        )
        return WaiverView.of(row)

    @get("/models/{name:str}/versions/{number:int}/waivers", guards=[signed_in])
    @reads
    def search(
        self, name: FromPath[str], number: FromPath[int], unit: NamedDependency[Unit], actor: NamedDependency[Actor]
    ) -> list[WaiverView]:
        """All waivers of a version, newest first."""
        found = find_version(unit, actor, name, number)
        return [WaiverView.of(row) for row in list_waivers(unit, found.version.id)]

    @post("/waivers/{waiver_id:uuid}/revocation", guards=[requires(*REVIEWING)], status_code=200)
    @writes
    def revoke(
        self,
        waiver_id: FromPath[UUID],
        data: JSONBody[Revocation],
        unit: NamedDependency[Unit],
        actor: NamedDependency[Actor],
    ) -> WaiverView:
        """End a waiver now."""
        return WaiverView.of(revoke_waiver(unit, actor, waiver_id, data.reason))


def _present(unit: Unit, case: Case) -> PromotionView:
    active = find_policy_for(unit, case.found.place)
    governing = None if active is None else active.row_id
    return PromotionView.of(case, service.gate_of_case(unit, case), governing)


def _before(cursor: str | None) -> int | None:
    key = decode_cursor(cursor)
    if key is None:
        return None
    return number_in(key)
