"""Reviews of promotion requests: approve, reject with a reason, ask for changes."""

from dataclasses import replace
from uuid import UUID

from sqlalchemy import select
from sqlmodel import col

from registry.access.actor import Actor, Capacity, Role
from registry.access.tables import ActorRow
from registry.errors import ConflictError, InvalidInputError
from registry.names import checked_text
from registry.policy.gate import Gate
from registry.policy.policy import GateRule
from registry.policy.separation import acted_as, granters_of, makers_of, persons_of
from registry.promotion.binding import digest_of, met_evidence_of
from registry.promotion.cases import Case, find_case, locked_case
from registry.promotion.errors import GrantedRoleError, SelfReviewError
from registry.promotion.service import changes_asked_for, gate_of_request, require_live
from registry.promotion.states import Event, after
from registry.promotion.tables import Decision, PromotionRequest, RequestState, ReviewRow
from registry.promotion.telling import tell_rejected
from registry.unit import Committed, Unit

_EVENTS = {
    Decision.APPROVE: Event.APPROVED,
    Decision.REJECT: Event.REJECTED,
    Decision.ASK_FOR_CHANGES: Event.CHANGES_ASKED,
}


def review(unit: Unit, actor: Actor, request_id: UUID, role: Role, decision: Decision, reason: str) -> Case:
    """Approve a request, reject it, or ask for changes, in one role: one's own, or as somebody's delegate.

    Raises:
        IllegalTransitionError: the request is not live.
        InvalidInputError: the policy asks for no review in that role.
        RefusedError: the actor does not hold the role there.
        SelfReviewError: a person who counts for the actor made the request or the version.
        GrantedRoleError: whoever granted the role made the request or the version.
        ConflictError: that person has reviewed it already.
    """
    checked_text("reason", reason)
    case = locked_case(unit, actor, request_id)
    require_live(case, _EVENTS[decision])
    gate = gate_of_request(unit, case)
    _require_wanted(gate.rule, role)
    capacity = actor.capacity(role, place=case.found.place)
    granters = granters_of(unit, capacity)
    _refuse_interested(unit, capacity, granters, case)
    row = _review_of_person(unit, actor, capacity, case.request)
    row.role, row.decision, row.reason = role.value, decision.value, reason
    row.reviewed_by, row.on_behalf_of, row.reviewed_at = actor.id, capacity.on_behalf_of, unit.now
    row.evidence = met_evidence_of(gate)
    row.role_granted_by = sorted(str(person) for person in granters)
    unit.session.add(row)
    unit.session.flush()
    _advance(unit, replace(case, reviews=(*(one for one in case.reviews if one.id != row.id), row)), decision)
    unit.record(
        actor,
        "promotion.reviewed",
        case.request.id,
        {
            "review_id": row.id,
            "role": role,
            "decision": decision,
            "reason": Committed(reason),
            "on_behalf_of": row.on_behalf_of,
            "reviewed_at": row.reviewed_at,
            "evidence_sha256": digest_of(row.evidence),
            "role_granted_by": row.role_granted_by,
            "state": case.request.state,
            "ended_at": case.request.ended_at,
        },
    )
    if decision is Decision.REJECT:
        tell_rejected(unit, case.found, case.request)
    return find_case(unit, actor, request_id)


def _require_wanted(rule: GateRule, role: Role) -> None:
    wanted = [approval.role for approval in rule.approvals]
    if role not in wanted:
        names = ", ".join(one.value for one in wanted) or "nobody"
        raise InvalidInputError("role", role.value, f"this request is reviewed by {names}")


def _refuse_interested(unit: Unit, capacity: Capacity, granters: frozenset[UUID], case: Case) -> None:
    requesters = persons_of(unit, case.request.requested_by, case.request.handed_to)
    makers = makers_of(unit, case.found.version)
    if capacity.persons & requesters:
        raise SelfReviewError(
            "Nobody reviews their own request, nor one of a machine that they answer for, nor as a delegate of who "
            "made it.",
            "Ask another reviewer.",
        )
    if capacity.persons & makers:
        raise SelfReviewError(
            "Nobody who registered or trained a version, nor who answers for the machine that did, reviews its "
            "promotion.",
            "Ask another reviewer.",
        )
    if granters and granters <= requesters | makers:
        raise GrantedRoleError(capacity.role.value)


def _review_of_person(unit: Unit, actor: Actor, capacity: Capacity, row: PromotionRequest) -> ReviewRow:
    """A new review; or the one in which this person asked for changes, to be replaced."""
    query = (
        select(ReviewRow)
        .join(ActorRow, col(ReviewRow.reviewed_by) == col(ActorRow.id))
        .where(col(ReviewRow.request_id) == row.id, acted_as(col(ReviewRow.on_behalf_of), capacity.persons))
    )
    earlier = list(unit.session.execute(query.order_by(col(ReviewRow.reviewed_at))).scalars())
    if not earlier:
        return ReviewRow(
            request_id=row.id,
            role=capacity.role.value,
            decision="",
            reason="",
            reviewed_by=actor.id,
            reviewed_at=unit.now,
        )
    if len(earlier) > 1 or earlier[0].decision != Decision.ASK_FOR_CHANGES:
        raise ConflictError(
            "You have reviewed this request already: a person counts once, whatever roles they hold.",
            "Somebody else must give the other review.",
        )
    return earlier[0]


def _advance(unit: Unit, case: Case, decision: Decision) -> None:
    """What a review makes of the request's state."""
    row = case.request
    state = RequestState(row.state)
    match decision:
        case Decision.REJECT:
            row.state, row.ended_at = after(state, Event.REJECTED).value, unit.now
        case Decision.ASK_FOR_CHANGES:
            row.state = after(state, Event.CHANGES_ASKED).value
        case Decision.APPROVE:
            enough = _are_enough(gate_of_request(unit, case))
            if enough and state is RequestState.OPEN and not changes_asked_for(case):
                row.state = after(state, Event.APPROVED).value


def _are_enough(gate: Gate) -> bool:
    return all(approval.met for approval in gate.approvals)
