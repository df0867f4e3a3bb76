"""The state machine of promotion requests: all transitions there are, in one table. No I/O.

open ──approved──▶ approved ──executed──▶ executed
 │ ▲                  │ │
 │ └──changes asked───┘ │
 └──────────┬───────────┘
            └──▶ rejected, withdrawn, expired, stale
"""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from registry.catalog.tables import ModelVersion, RegisteredModel
from registry.promotion.errors import IllegalTransitionError
from registry.promotion.tables import PromotionRequest, RequestState


class Event(StrEnum):
    """What happens to a request, in the participle that people read."""

    APPROVED = "approved"
    """All approvals that the policy asks for are given, and no changes are asked for."""
    CHANGES_ASKED = "sent back for changes"
    REJECTED = "rejected"
    EXECUTED = "executed"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"
    """Its time has passed."""
    OUTDATED = "made stale"
    """What it was made for is no longer so: version digest, the model's risk answers, evidence, or policy."""


TRANSITIONS: Mapping[tuple[RequestState, Event], RequestState] = {
    (RequestState.OPEN, Event.APPROVED): RequestState.APPROVED,
    (RequestState.OPEN, Event.CHANGES_ASKED): RequestState.OPEN,
    (RequestState.OPEN, Event.REJECTED): RequestState.REJECTED,
    (RequestState.OPEN, Event.WITHDRAWN): RequestState.WITHDRAWN,
    (RequestState.OPEN, Event.EXPIRED): RequestState.EXPIRED,
    (RequestState.OPEN, Event.OUTDATED): RequestState.STALE,
    (RequestState.APPROVED, Event.CHANGES_ASKED): RequestState.OPEN,
    (RequestState.APPROVED, Event.REJECTED): RequestState.REJECTED,
    (RequestState.APPROVED, Event.EXECUTED): RequestState.EXECUTED,
    (RequestState.APPROVED, Event.WITHDRAWN): RequestState.WITHDRAWN,
    (RequestState.APPROVED, Event.EXPIRED): RequestState.EXPIRED,
    (RequestState.APPROVED, Event.OUTDATED): RequestState.STALE,
}

LIVE = (RequestState.OPEN, RequestState.APPROVED)
"""The states that something still leads out of."""


def after(state: RequestState, event: Event) -> RequestState:
    """The state that follows.

    Raises:
        IllegalTransitionError: the table has no such transition.
    """
    following = TRANSITIONS.get((state, event))
    if following is None:
        raise IllegalTransitionError(state.value, event.value)
    return following


def lapse(request: PromotionRequest, model: RegisteredModel, version: ModelVersion, now: datetime) -> Event | None:
    """What time or a change has made of a live request, whether or not its row says so yet."""
    if RequestState(request.state) not in LIVE:
        return None
    if now >= request.expires_at:
        return Event.EXPIRED
    if request.content_digest != version.content_digest or request.risk_revision != model.risk_revision:
        return Event.OUTDATED
    return None


def state_at(request: PromotionRequest, model: RegisteredModel, version: ModelVersion, now: datetime) -> RequestState:
    """How far a request is at `now`."""
    state = RequestState(request.state)
    event = lapse(request, model, version, now)
    return state if event is None else after(state, event)


def as_markdown() -> str:
    """The table of transitions as docs/promotion.md prints it: a test compares the two."""
    lines = ["| State | What happens | State after |", "|---|---|---|"]
    lines += [f"| {state.value} | {event.value} | {then.value} |" for (state, event), then in TRANSITIONS.items()]
    return "\n".join(lines) + "\n"
