"""What is told, about what, as values. No I/O."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from registry.access.actor import EVERYWHERE, Place


class Event(StrEnum):
    """The kinds of events that webhooks subscribe to, and that people may mute."""

    PROMOTION_REQUESTED = "promotion.requested"
    PROMOTION_EXECUTED = "promotion.executed"
    PROMOTION_REJECTED = "promotion.rejected"
    FINDING_OPENED = "finding.opened"
    FINDING_ESCALATED = "finding.escalated"
    REVIEW_DUE = "review.due"
    VERSION_DEMOTED = "version.demoted"
    """It left production because the grace after a lapse was over."""
    ROLLBACK_CALLED = "rollback.called"
    WAIVER_EXPIRING = "waiver.expiring"
    ALERT_TEST = "alert.test"
    """A monitoring plan's route is tried. It goes along that route only."""
    WEBHOOK_TEST = "webhook.test"
    """A webhook is tried. It goes to that webhook only."""


SUBSCRIBABLE = tuple(event for event in Event if event not in {Event.ALERT_TEST, Event.WEBHOOK_TEST})
"""What webhooks subscribe to, and people may mute. An alert reaches its owner always, and nobody else."""


@dataclass(frozen=True)
class Subject:
    """What an event is about. `place`: whose webhooks hear of it; `path`: its page in this installation."""

    kind: str
    id: UUID
    title: str
    """As people are told: “credit-default 3”, “Request 12”."""
    path: str
    place: Place = EVERYWHERE
