"""Folds the log's entries about promotions, rollbacks, waivers and stages into the state that they imply. No I/O.

Whoever edits a table is caught by comparing it with this.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from audit.entry import Entry, Json, parse_time
from registry.promotion.states import Event, after
from registry.promotion.tables import Decision, RequestState


class ReplayError(Exception):
    """An entry that cannot follow those before it."""


@dataclass
class RequestReplay:
    """What the log says of a promotion request."""

    version_id: str
    target_stage: str
    requested_by: str
    state: RequestState
    reviews: dict[str, Decision] = field(default_factory=dict)
    """By review."""
    handed_to: str | None = None
    ended_at: datetime | None = None


@dataclass
class RollbackReplay:
    """What the log says of an emergency rollback."""

    from_version_id: str
    to_version_id: str
    reviews: dict[str, str] = field(default_factory=dict)
    """What each review found."""
    reviewed_at: datetime | None = None


@dataclass
class Replay:
    """The state that a log implies, by the ids of requests, rollbacks, waivers and versions."""

    requests: dict[str, RequestReplay] = field(default_factory=dict)
    rollbacks: dict[str, RollbackReplay] = field(default_factory=dict)
    waivers: dict[str, datetime] = field(default_factory=dict)
    """When each ends."""
    withdrawn: set[str] = field(default_factory=set)
    """Answers that were withdrawn."""
    stages: dict[str, str] = field(default_factory=dict)
    """Of versions that were ever moved."""
    transitions: Counter[tuple[RequestState, Event]] = field(default_factory=Counter)
    """How often each transition of `states.TRANSITIONS` fired."""


def replay(entries: Iterable[Entry]) -> Replay:
    """The state that entries imply, in their order.

    Raises:
        ReplayError: an entry that cannot follow those before it.
    """
    state = Replay()
    for entry in entries:
        kind, _, deed = entry.action.partition(".")
        match kind:
            case "promotion":
                _fold_promotion(state, entry, deed)
            case "rollback":
                _fold_rollback(state, entry, deed)
            case "waiver" if deed in {"granted", "revoked"}:
                state.waivers[entry.subject_id] = _instant(entry.changes["expires_at"])
            case "attestation" if deed == "withdrawn":
                state.withdrawn.add(entry.subject_id)
            case "version" if deed == "stage-changed":
                _fold_stage(state, entry)
            case _:
                pass
    return state


def _fold_promotion(state: Replay, entry: Entry, deed: str) -> None:
    if deed in {"refused", "commented"}:
        return
    if deed == "requested":
        _open(state, entry)
        return
    request = state.requests.get(entry.subject_id)
    if request is None:
        raise ReplayError(f"entry {entry.sequence}: {entry.action} of a request that nobody made")
    match deed:
        case "reviewed":
            _fold_review(state, request, entry.changes)
        case "handed-over":
            request.handed_to = str(entry.changes["handed_to"])
        case "executed":
            _advance(state, request, Event.EXECUTED, entry)
        case "withdrawn":
            _advance(state, request, Event.WITHDRAWN, entry)
        case "expired":
            _advance(state, request, Event.EXPIRED, entry)
        case "stale":
            _advance(state, request, Event.OUTDATED, entry)
        case _:
            raise ReplayError(f"entry {entry.sequence}: {entry.action} is not known")


def _open(state: Replay, entry: Entry) -> None:
    state.requests[entry.subject_id] = RequestReplay(
        version_id=str(entry.changes["version_id"]),
        target_stage=str(entry.changes["target_stage"]),
        requested_by=entry.actor,
        state=RequestState(str(entry.changes["state"])),
    )
    if entry.changes["state"] == RequestState.APPROVED:
        state.transitions[RequestState.OPEN, Event.APPROVED] += 1


def _fold_review(state: Replay, request: RequestReplay, changes: Mapping[str, Json]) -> None:
    decision = Decision(str(changes["decision"]))
    request.reviews[str(changes["review_id"])] = decision
    following = RequestState(str(changes["state"]))
    event = {
        Decision.APPROVE: Event.APPROVED,
        Decision.REJECT: Event.REJECTED,
        Decision.ASK_FOR_CHANGES: Event.CHANGES_ASKED,
    }[decision]
    if decision is Decision.APPROVE and following is request.state:
        # One of several that the policy asks for: nothing moved yet.
        return
    state.transitions[request.state, event] += 1
    request.state = after(request.state, event)
    if request.state is not following:
        raise ReplayError(f"a review leads to {request.state}, its entry says {following}")
    if changes["ended_at"] is not None:
        request.ended_at = _instant(changes["ended_at"])


def _advance(state: Replay, request: RequestReplay, event: Event, entry: Entry) -> None:
    state.transitions[request.state, event] += 1
    request.state = after(request.state, event)
    request.ended_at = _instant(entry.changes["ended_at"])


def _fold_rollback(state: Replay, entry: Entry, deed: str) -> None:
    changes = entry.changes
    if deed == "called":
        state.rollbacks[entry.subject_id] = RollbackReplay(
            str(changes["from_version_id"]), str(changes["to_version_id"])
        )
        return
    rollback = state.rollbacks[entry.subject_id]
    rollback.reviews[str(changes["review_id"])] = str(changes["finding"])
    if changes["reviewed_at"] is not None:
        rollback.reviewed_at = _instant(changes["reviewed_at"])


def _fold_stage(state: Replay, entry: Entry) -> None:
    before = state.stages.get(entry.subject_id)
    if before is not None and before != entry.changes["from"]:
        raise ReplayError(f"entry {entry.sequence}: a version leaves {entry.changes['from']}, where it is not")
    state.stages[entry.subject_id] = str(entry.changes["to"])


def _instant(value: Json) -> datetime:
    if not isinstance(value, str):
        raise ReplayError(f"{value!r} is no instant")
    return parse_time(value)
