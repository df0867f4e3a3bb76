"""Who hears of a promotion request and of a rollback: who can review it, who made it, who owns the model."""

from collections.abc import Sequence
from uuid import UUID

from registry.access.actor import Place, Role
from registry.catalog.service import FoundVersion
from registry.catalog.tables import RegisteredModel
from registry.notifications.service import Event, Subject, holders_of, notify
from registry.policy.policy import GateRule
from registry.promotion.tables import PromotionRequest, Rollback
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


def tell_rolled_back(
    unit: Unit, model: RegisteredModel, row: Rollback, numbers: tuple[int, int], reviewed_by: Sequence[Role]
) -> None:
    """Tell the model's owner, and those who can review it, of a rollback. `numbers`: from which version to which."""
    place = Place(model.name, model.team)
    persons = holders_of(unit, place, reviewed_by) | {model.owner_id}
    subject = Subject("rollback", row.id, f"{model.name}: emergency rollback", f"/models/{model.name}", place)
    facts = {
        "model": model.name,
        "from version": str(numbers[0]),
        "to version": str(numbers[1]),
        "review due": f"{row.review_due_at:%Y-%m-%d}",
    }
    notify(unit, Event.ROLLBACK_CALLED, subject, persons - {row.called_by}, facts)
