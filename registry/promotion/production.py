"""The order in which a model's versions came into production, and to which one of them a rollback leads."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlmodel import col

from registry.catalog.facts import Stage
from registry.catalog.tables import ModelVersion
from registry.promotion.tables import PromotionRequest, RequestState, Rollback
from registry.unit import Unit


@dataclass(frozen=True)
class Entered:
    """A version that a promotion brought into production, with the digest that was promoted."""

    version_id: UUID
    content_digest: bytes


@dataclass(frozen=True)
class RolledAway:
    """A rollback led back to a version: what came into production after it was left."""

    to_version_id: UUID


def entered_production(unit: Unit, model_id: UUID) -> list[Entered]:
    """The versions that rollbacks have not left, in the order in which promotions brought them into production.

    A rollback takes away what came after the version to which it led: another rollback leads further back, and not to
    what was fled from. A version that is promoted again is there again.
    """
    standing: list[Entered] = []
    for _, _, event in sorted(_events(unit, model_id), key=lambda one: one[:2]):
        if isinstance(event, Entered):
            standing.append(event)
        else:
            places = [place for place, one in enumerate(standing) if one.version_id == event.to_version_id]
            del standing[places[-1] + 1 :]
    return standing


def _events(unit: Unit, model_id: UUID) -> list[tuple[datetime, int, Entered | RolledAway]]:
    """Promotions and rollbacks with their times; where two are equal, by number, rollbacks last."""
    promoted = (
        select(
            col(PromotionRequest.ended_at),
            col(PromotionRequest.number),
            col(PromotionRequest.version_id),
            col(PromotionRequest.content_digest),
        )
        .join(ModelVersion, col(ModelVersion.id) == col(PromotionRequest.version_id))
        .where(
            col(ModelVersion.model_id) == model_id,
            col(PromotionRequest.target_stage) == Stage.PRODUCTION.value,
            col(PromotionRequest.state) == RequestState.EXECUTED.value,
        )
    )
    rolled_back = select(col(Rollback.called_at), col(Rollback.to_version_id)).where(col(Rollback.model_id) == model_id)
    last = 2**63
    events: list[tuple[datetime, int, Entered | RolledAway]] = [
        (at, number, Entered(version_id, digest))
        for at, number, version_id, digest in unit.session.execute(promoted)
        if at is not None
    ]
    return events + [(at, last, RolledAway(version_id)) for at, version_id in unit.session.execute(rolled_back)]


def returned_by_rollback(unit: Unit, version_ids: Sequence[UUID]) -> dict[UUID, Rollback]:
    """The newest rollback that led to each of these versions, of those to which one did."""
    query = select(Rollback).where(col(Rollback.to_version_id).in_(version_ids)).order_by(col(Rollback.called_at))
    return {row.to_version_id: row for row in unit.session.execute(query).scalars()}


def rollbacks_about(unit: Unit, version_id: UUID) -> list[Rollback]:
    """The rollbacks that led to a version or away from it, newest first."""
    query = (
        select(Rollback)
        .where((col(Rollback.to_version_id) == version_id) | (col(Rollback.from_version_id) == version_id))
        .order_by(col(Rollback.called_at).desc(), col(Rollback.id))
    )
    return list(unit.session.execute(query).scalars())
