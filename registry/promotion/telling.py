"""Who hears of a promotion request: those who can review it, then whoever made it and owns the model."""

from uuid import UUID

from registry.catalog.service import FoundVersion
from registry.notifications.service import Event, Subject, holders_of, notify
from registry.policy.policy import GateRule
from registry.promotion.tables import PromotionRequest
from registry.unit import Unit


def tell_requested(unit: Unit, found: FoundVersion, row: PromotionRequest, rule: GateRule) -> None:
    """Tell those who can review the request that it waits for them; not whoever made it."""
    persons = holders_of(unit, found.place, [approval.role for approval in rule.approvals]) - {row.requested_by}
    _tell(unit, Event.PROMOTION_REQUESTED, found, row, persons)


def tell_executed(unit: Unit, found: FoundVersion, row: PromotionRequest) -> None:
    """Tell whoever made the request, and the model's owner, that the version was moved."""
    _tell(unit, Event.PROMOTION_EXECUTED, found, row, {row.requested_by, found.model.owner_id})


def tell_rejected(unit: Unit, found: FoundVersion, row: PromotionRequest) -> None:
    """Tell whoever made the request, and the model's owner, that a reviewer rejected it."""
    _tell(unit, Event.PROMOTION_REJECTED, found, row, {row.requested_by, found.model.owner_id})


def _tell(unit: Unit, event: Event, found: FoundVersion, row: PromotionRequest, persons: set[UUID]) -> None:
    subject = Subject("promotion", row.id, f"Request {row.number}", f"/promotions/{row.id}", found.place)
    facts = {
        "model": found.model.name,
        "version": str(found.version.number),
        "target stage": row.target_stage,
        "risk tier": row.risk_tier,
        "state": row.state,
    }
    notify(unit, event, subject, persons, facts)
