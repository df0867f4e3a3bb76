"""Ends live requests that no longer ask for what was reviewed: other evidence, or a policy that says so."""

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import select
from sqlmodel import col

from registry.catalog.facts import Stage
from registry.catalog.service import FoundVersion
from registry.catalog.tables import ModelVersion, RegisteredModel
from registry.policy.errors import NoGateError
from registry.policy.gate import Gate
from registry.policy.service import gate_under, policy_of
from registry.promotion.binding import replaced
from registry.promotion.states import LIVE, Event, after
from registry.promotion.tables import Decision, PromotionRequest, RequestState, ReviewRow
from registry.unit import Unit, Value


def end(unit: Unit, row: PromotionRequest, event: Event, cause: str, details: dict[str, Value] | None = None) -> None:
    """End a live request by an event that nobody asked for, and say so in the log."""
    row.state = after(RequestState(row.state), event).value
    row.ended_at = unit.now
    changes: dict[str, Value] = {"state": row.state, "ended_at": row.ended_at, "cause": cause}
    unit.record(None, f"promotion.{row.state}", row.id, changes | (details or {}))


def outdate_requests(unit: Unit, version_id: UUID) -> None:
    """After a change of a version's evidence: end the live requests with an approval that rested on what is gone."""
    query = select(PromotionRequest).where(
        col(PromotionRequest.version_id) == version_id, col(PromotionRequest.state).in_(LIVE)
    )
    # On PostgreSQL in the order in which everybody takes the locks: the version's is held by whoever changes it.
    rows = list(unit.session.execute(query.order_by(col(PromotionRequest.number)).with_for_update()).scalars())
    for row in rows:
        reviews = unit.session.execute(select(ReviewRow).where(col(ReviewRow.request_id) == row.id)).scalars().all()
        if not any(bound_by(review) for review in reviews):
            continue
        gate = _gate(unit, row)
        items = [] if gate is None else replaced_since(reviews, gate)
        if items:
            end(unit, row, Event.OUTDATED, "evidence", {"items": items})
    unit.session.flush()


def bound_by(review: ReviewRow) -> dict[str, str]:
    """What a review rests on: nothing, unless it approves."""
    return review.evidence or {} if review.decision == Decision.APPROVE.value else {}


def replaced_since(reviews: Iterable[ReviewRow], gate: Gate) -> list[str]:
    """The items whose evidence is no longer the one on which some approval rests."""
    return sorted({item for review in reviews for item in replaced(bound_by(review), gate)})


def _gate(unit: Unit, row: PromotionRequest) -> Gate | None:
    model, version = unit.session.execute(
        select(RegisteredModel, ModelVersion)
        .join(ModelVersion, col(ModelVersion.model_id) == col(RegisteredModel.id))
        .where(col(ModelVersion.id) == row.version_id)
    ).one()
    unit.session.flush()
    try:
        return gate_under(unit, policy_of(unit, row.policy_id), FoundVersion(model, version), Stage(row.target_stage))
    except NoGateError:
        return None
