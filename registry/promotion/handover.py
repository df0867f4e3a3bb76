"""Hands a leaver's open work over: the models and findings that they own, and their live promotion requests."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlmodel import col

from registry.access.actor import Actor, ActorKind, Role
from registry.access.service import get_actor
from registry.access.tables import ActorRow
from registry.catalog.tables import ModelVersion, RegisteredModel
from registry.errors import ConflictError, InvalidInputError
from registry.findings.tables import FindingRow, FindingState
from registry.names import checked_text
from registry.policy.separation import counts_as
from registry.promotion.states import LIVE
from registry.promotion.tables import PromotionRequest
from registry.unit import Committed, Unit


@dataclass(frozen=True)
class HandedOver:
    """How much was handed over."""

    models: int
    findings: int
    requests: int


def hand_over(unit: Unit, actor: Actor, leaver_id: UUID, to_id: UUID, reason: str) -> HandedOver:
    """Give the open work of a person who has left to another one; what they delegated ended when they left.

    The other person counts as having made the requests, too: reviews that they gave before do not count any more.

    Raises:
        RefusedError: the actor is no administrator.
        NotFoundError: there is no such leaver.
        ConflictError: the person has not left.
        InvalidInputError: the other one is no person who is here.
    """
    actor.require(Role.ADMINISTRATOR)
    checked_text("reason", reason)
    leaver = get_actor(unit, leaver_id)
    if leaver.left_at is None:
        raise ConflictError("This actor has not left.", "Record the leaving first: `acta actor leave`.")
    heir = unit.session.get(ActorRow, to_id)
    if heir is None or heir.kind != ActorKind.PERSON or heir.left_at is not None:
        raise InvalidInputError("to", str(to_id), "open work goes to a person who is here")
    done = HandedOver(
        models=_hand_over_models(unit, actor, leaver_id, to_id),
        findings=_hand_over_findings(unit, actor, leaver_id, to_id, reason),
        requests=_hand_over_requests(unit, actor, leaver_id, to_id),
    )
    unit.record(
        actor,
        "actor.work-handed-over",
        leaver_id,
        {
            "to": to_id,
            "reason": Committed(reason),
            "models": done.models,
            "findings": done.findings,
            "requests": done.requests,
        },
    )
    unit.session.flush()
    return done


def _hand_over_models(unit: Unit, actor: Actor, leaver_id: UUID, to_id: UUID) -> int:
    query = select(RegisteredModel).where(col(RegisteredModel.owner_id) == leaver_id)
    rows = list(unit.session.execute(query.order_by(col(RegisteredModel.name)).with_for_update()).scalars())
    for row in rows:
        row.owner_id = to_id
        row.revision += 1
        unit.record(actor, "model.handed-over", row.id, {"owner_id": to_id, "revision": row.revision})
    return len(rows)


def _hand_over_findings(unit: Unit, actor: Actor, leaver_id: UUID, to_id: UUID, reason: str) -> int:
    query = select(FindingRow).where(
        col(FindingRow.owner_id) == leaver_id, col(FindingRow.state) != FindingState.CLOSED.value
    )
    rows = list(unit.session.execute(query.order_by(col(FindingRow.id)).with_for_update()).scalars())
    for row in rows:
        row.owner_id = to_id
        unit.record(
            actor,
            "finding.reassigned",
            row.id,
            {
                "version_id": row.version_id,
                "owner_id": row.owner_id,
                "due_at": row.due_at,
                "reason": Committed(reason),
            },
        )
    return len(rows)


def _hand_over_requests(unit: Unit, actor: Actor, leaver_id: UUID, to_id: UUID) -> int:
    """In the order in which everybody takes the locks: versions first."""
    query = (
        select(PromotionRequest)
        .join(ActorRow, col(ActorRow.id) == col(PromotionRequest.requested_by))
        .where(
            counts_as(leaver_id) | (col(PromotionRequest.handed_to) == leaver_id),
            col(PromotionRequest.state).in_(LIVE),
            col(PromotionRequest.expires_at) > unit.now,
        )
        .order_by(col(PromotionRequest.number))
    )
    rows = list(unit.session.execute(query).scalars())
    for version_id in sorted({row.version_id for row in rows}):
        unit.session.execute(
            select(col(ModelVersion.id)).where(col(ModelVersion.id) == version_id).with_for_update()
        ).one()
    for row in rows:
        unit.session.refresh(row, with_for_update=True)
        row.handed_to = to_id
        unit.record(actor, "promotion.handed-over", row.id, {"handed_to": to_id})
    return len(rows)
