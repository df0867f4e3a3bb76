"""A promotion request with all that belongs to it: found by id, locked for a change, listed."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, case, or_, select
from sqlmodel import col

from registry.access.actor import Actor
from registry.access.service import visible
from registry.catalog.facts import Stage
from registry.catalog.service import FoundVersion
from registry.catalog.tables import ModelVersion, RegisteredModel
from registry.errors import NotFoundError
from registry.policy.separation import read_clock_again
from registry.promotion.states import LIVE, state_at
from registry.promotion.tables import PromotionRequest, RequestState, ReviewRow
from registry.unit import Unit


@dataclass(frozen=True)
class Case:
    """A request, the version that it would move, and its reviews in the order in which they were given."""

    request: PromotionRequest
    found: FoundVersion
    reviews: tuple[ReviewRow, ...]
    now: datetime

    @property
    def state(self) -> RequestState:
        """How far it is: a request whose time has passed is expired, whatever its row says."""
        return state_at(self.request, self.found.model, self.found.version, self.now)


@dataclass(frozen=True)
class CaseFilter:
    """Which requests to list; None asks for all."""

    model: str | None = None
    version: int | None = None
    state: RequestState | None = None
    target_stage: Stage | None = None


def find_case(unit: Unit, actor: Actor, request_id: UUID) -> Case:
    """A request with its reviews.

    Raises:
        NotFoundError: there is none, or the actor may not see its model.
    """
    row = unit.session.execute(_joined().where(col(PromotionRequest.id) == request_id)).first()
    if row is None:
        raise NotFoundError("promotion request", request_id)
    found = FoundVersion(row[1], row[2])
    if not actor.reads(found.place):
        raise NotFoundError("promotion request", request_id)
    return Case(row[0], found, _reviews_of(unit, request_id), unit.now)


def locked_case(unit: Unit, actor: Actor, request_id: UUID) -> Case:
    """A request for a change: its model, its version and itself stay locked until the end of the transaction.

    The model first, since two executions for one model must not both find the stage empty.

    Raises:
        NotFoundError: there is none, or the actor may not see its model.
    """
    seen = find_case(unit, actor, request_id)
    lock = {"populate_existing": True}
    session = unit.session
    for table, identity in (
        (RegisteredModel, seen.found.model.id),
        (ModelVersion, seen.found.version.id),
        (PromotionRequest, request_id),
    ):
        query = select(table).where(col(table.id) == identity).with_for_update()
        session.execute(query.execution_options(**lock)).scalar_one()
    read_clock_again(unit)
    return Case(seen.request, seen.found, _reviews_of(unit, request_id), unit.now)


def list_cases(unit: Unit, actor: Actor, wanted: CaseFilter, before_number: int | None, limit: int) -> list[Case]:
    """Requests that the actor may see, newest first, from the one before a number on; without their reviews."""
    query = _joined().order_by(col(PromotionRequest.number).desc()).limit(limit)
    condition = visible(actor, col(RegisteredModel.name), col(RegisteredModel.team))
    if condition is not None:
        query = query.where(condition)
    if before_number is not None:
        query = query.where(col(PromotionRequest.number) < before_number)
    if wanted.model is not None:
        query = query.where(col(RegisteredModel.name) == wanted.model)
    if wanted.version is not None:
        query = query.where(col(ModelVersion.number) == wanted.version)
    if wanted.target_stage is not None:
        query = query.where(col(PromotionRequest.target_stage) == wanted.target_stage.value)
    if wanted.state is not None:
        query = query.where(_state_at(unit.now) == wanted.state.value)
    return [Case(row[0], FoundVersion(row[1], row[2]), (), unit.now) for row in unit.session.execute(query)]


def _joined() -> Select[PromotionRequest, RegisteredModel, ModelVersion]:
    return (
        select(PromotionRequest, RegisteredModel, ModelVersion)
        .join(ModelVersion, col(ModelVersion.id) == col(PromotionRequest.version_id))
        .join(RegisteredModel, col(RegisteredModel.id) == col(ModelVersion.model_id))
    )


def _state_at(now: datetime) -> ColumnElement[str]:
    """`states.state_at` in SQL, so that a filter by state sees what a reader of the request sees."""
    live = col(PromotionRequest.state).in_(LIVE)
    outdated = or_(
        col(PromotionRequest.content_digest) != col(ModelVersion.content_digest),
        col(PromotionRequest.risk_revision) != col(RegisteredModel.risk_revision),
    )
    return case(
        (and_(live, col(PromotionRequest.expires_at) <= now), RequestState.EXPIRED.value),
        (and_(live, outdated), RequestState.STALE.value),
        else_=col(PromotionRequest.state),
    )


def _reviews_of(unit: Unit, request_id: UUID) -> tuple[ReviewRow, ...]:
    query = (
        select(ReviewRow)
        .where(col(ReviewRow.request_id) == request_id)
        .order_by(col(ReviewRow.reviewed_at), col(ReviewRow.id))
    )
    return tuple(unit.session.execute(query).scalars())
