"""Promotion requests: open, review, execute, withdraw. Nothing else in Acta moves a version to another stage.

Rules of separation: whoever made the request or registered the version reviews neither; a person counts once, whatever
roles that person holds; a machine counts as the person responsible for it.
"""

from datetime import timedelta
from uuid import UUID

import msgspec
from sqlalchemy import func, select, text
from sqlmodel import col

from registry.access.actor import Actor, Role
from registry.access.tables import ActorRow
from registry.catalog.facts import Stage
from registry.catalog.service import FoundVersion
from registry.catalog.tables import ModelVersion
from registry.errors import ConflictError, InvalidInputError
from registry.names import checked_text
from registry.policy.errors import NoGateError
from registry.policy.gate import Gate
from registry.policy.jobs import request_checks
from registry.policy.policy import Displaced, GateRule
from registry.policy.separation import counts_as, lock_version, person_of
from registry.policy.service import active_policy, gate_under, policy_of
from registry.policy.views import GateView
from registry.promotion.cases import Case, find_case, locked_case
from registry.promotion.errors import ChangesAskedForError, GateNotMetError, IllegalTransitionError, SelfReviewError
from registry.promotion.states import LIVE, Event, after, lapse
from registry.promotion.tables import Decision, PromotionRequest, RequestState, ReviewRow
from registry.promotion.waivers import refuse_waiver_holder
from registry.unit import Committed, Unit

REQUESTING = (Role.DEVELOPER, Role.OPERATIONS_REVIEWER, Role.RISK_OFFICER)
"""The roles that may ask for a version to be moved, and have an approved request executed."""

_EVENTS = {
    Decision.APPROVE: Event.APPROVED,
    Decision.REJECT: Event.REJECTED,
    Decision.ASK_FOR_CHANGES: Event.CHANGES_ASKED,
}

_NUMBER_LOCK = 0x41637461_50524F4D
"""PostgreSQL's advisory lock under which a request draws its number."""


def request(unit: Unit, actor: Actor, found: FoundVersion, target_stage: Stage, justification: str) -> Case:
    """Ask for a version to be moved to a stage, by the policy that governs now; the automatic checks then run.

    Raises:
        RefusedError: the actor is neither developer nor operations reviewer nor risk officer there.
        NoGateError: the policy lets no version of this tier into that stage.
        ConflictError: the version stands there already, or a live request asks for the same.
    """
    checked_text("justification", justification)
    actor.require(*REQUESTING, place=found.place)
    lock_version(unit, found.version.id)
    refuse_waiver_holder(unit, actor, found)
    if found.version.stage == target_stage:
        raise ConflictError(f"This version is in {target_stage.value} already.")
    _clear_the_way(unit, found, target_stage)
    active = active_policy(unit)
    rule = active.policy.gate(target_stage, found.model.risk_tier)
    if rule is None:
        raise NoGateError(active.policy.name, active.policy.version, target_stage.value, found.model.risk_tier)
    row = PromotionRequest(
        number=_next_number(unit),
        version_id=found.version.id,
        content_digest=found.version.content_digest,
        target_stage=target_stage.value,
        policy_id=active.row_id,
        risk_tier=found.model.risk_tier,
        justification=justification,
        # Where the policy asks for nobody's approval, none is awaited.
        state=(RequestState.OPEN if rule.approvals else after(RequestState.OPEN, Event.APPROVED)).value,
        requested_by=actor.id,
        requested_at=unit.now,
        expires_at=unit.now + timedelta(days=rule.request_days),
    )
    unit.session.add(row)
    unit.record(
        actor,
        "promotion.requested",
        row.id,
        {
            "number": row.number,
            "version_id": row.version_id,
            "content_digest": row.content_digest.hex(),
            "target_stage": target_stage,
            "policy_id": row.policy_id,
            "risk_tier": row.risk_tier,
            "justification": Committed(justification),
            "state": row.state,
            "requested_at": row.requested_at,
            "expires_at": row.expires_at,
        },
    )
    request_checks(unit, actor, found.version.id)
    unit.session.flush()
    return find_case(unit, actor, row.id)


def _clear_the_way(unit: Unit, found: FoundVersion, target_stage: Stage) -> None:
    """End a request for the same whose time has passed or which is stale; a live one is in the way."""
    query = select(PromotionRequest).where(
        col(PromotionRequest.version_id) == found.version.id,
        col(PromotionRequest.target_stage) == target_stage.value,
        col(PromotionRequest.state).in_(LIVE),
    )
    row = unit.session.execute(query.with_for_update()).scalar()
    if row is None:
        return
    event = lapse(row, found.model, found.version, unit.now)
    if event is None:
        raise ConflictError(
            f"Request {row.number} asks for this already.", "Have it reviewed and executed, or withdraw it first."
        )
    row.state = after(RequestState(row.state), event).value
    row.ended_at = unit.now
    unit.record(None, f"promotion.{row.state}", row.id, {"state": row.state, "ended_at": row.ended_at})
    # Before the new row: a version has one live request for a stage.
    unit.session.flush()


def _next_number(unit: Unit) -> int:
    if not unit.database.is_sqlite:
        unit.session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _NUMBER_LOCK})
    newest = unit.session.execute(select(func.max(col(PromotionRequest.number)))).scalar()
    return (newest or 0) + 1


def review(unit: Unit, actor: Actor, request_id: UUID, role: Role, decision: Decision, reason: str) -> Case:
    """Approve a request, reject it, or ask for changes, in one role.

    Raises:
        IllegalTransitionError: the request is not live.
        InvalidInputError: the policy asks for no review in that role.
        RefusedError: the actor does not hold the role there.
        SelfReviewError: the actor, or the person who counts for it, made the request or registered the version.
        ConflictError: that person has reviewed it already.
    """
    checked_text("reason", reason)
    case = locked_case(unit, actor, request_id)
    _require_live(case, _EVENTS[decision])
    rule = _rule(unit, case)
    wanted = [approval.role for approval in rule.approvals]
    if role not in wanted:
        names = ", ".join(one.value for one in wanted) or "nobody"
        raise InvalidInputError("role", role.value, f"this request is reviewed by {names}")
    actor.require(role, place=case.found.place)
    _refuse_interested(unit, actor, case)
    row = _review_of_person(unit, actor, case.request, role)
    row.role, row.decision, row.reason = role.value, decision.value, reason
    row.reviewed_by, row.reviewed_at = actor.id, unit.now
    unit.session.add(row)
    unit.session.flush()
    _advance(unit, case, decision)
    unit.record(
        actor,
        "promotion.reviewed",
        case.request.id,
        {
            "review_id": row.id,
            "role": role,
            "decision": decision,
            "reason": Committed(reason),
            "reviewed_at": row.reviewed_at,
            "state": case.request.state,
            "ended_at": case.request.ended_at,
        },
    )
    return find_case(unit, actor, request_id)


def _refuse_interested(unit: Unit, actor: Actor, case: Case) -> None:
    if actor.person_id == person_of(unit, case.request.requested_by):
        raise SelfReviewError(
            "Nobody reviews their own request, nor one of a machine that they answer for.", "Ask another reviewer."
        )
    if actor.person_id == person_of(unit, case.found.version.created_by):
        raise SelfReviewError(
            "Nobody who registered a version, nor who answers for the machine that did, reviews its promotion.",
            "Ask another reviewer.",
        )


def _review_of_person(unit: Unit, actor: Actor, row: PromotionRequest, role: Role) -> ReviewRow:
    """A new review; or the one in which this person asked for changes, to be replaced."""
    query = (
        select(ReviewRow)
        .join(ActorRow, col(ReviewRow.reviewed_by) == col(ActorRow.id))
        .where(col(ReviewRow.request_id) == row.id, counts_as(actor.person_id))
    )
    earlier = unit.session.execute(query).scalar()
    if earlier is None:
        return ReviewRow(
            request_id=row.id, role=role.value, decision="", reason="", reviewed_by=actor.id, reviewed_at=unit.now
        )
    if earlier.decision != Decision.ASK_FOR_CHANGES:
        raise ConflictError(
            "You have reviewed this request already: a person counts once, whatever roles they hold.",
            "Somebody else must give the other review.",
        )
    return earlier


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
            enough = all(approval.met for approval in _gate(unit, case).approvals)
            if enough and state is RequestState.OPEN and not _changes_asked_for(unit, row):
                row.state = after(state, Event.APPROVED).value


def _changes_asked_for(unit: Unit, row: PromotionRequest) -> bool:
    query = select(col(ReviewRow.id)).where(
        col(ReviewRow.request_id) == row.id, col(ReviewRow.decision) == Decision.ASK_FOR_CHANGES.value
    )
    return unit.session.execute(query.limit(1)).first() is not None


def execute(unit: Unit, actor: Actor, request_id: UUID) -> Case:
    """Move the version, if the gate is met at this instant; what it displaces is archived where the policy says so.

    The gate is evaluated here, under the locks of model, request and version, on rows alone.

    Raises:
        IllegalTransitionError: the request is not live.
        GateNotMetError: listing every unmet item and missing approval, and who can meet it.
        ChangesAskedForError: a reviewer waits for changes.
        ConflictError: the version stands there already.
    """
    case = locked_case(unit, actor, request_id)
    actor.require(*REQUESTING, place=case.found.place)
    _require_live(case, Event.EXECUTED)
    if case.found.version.stage == case.request.target_stage:
        raise ConflictError(f"This version is in {case.request.target_stage} already.", "Withdraw the request.")
    gate = _gate(unit, case)
    if not gate.met:
        raise GateNotMetError(case.request.id, gate.target_stage.value, gate.unmet)
    row = case.request
    if _changes_asked_for(unit, row):
        raise ChangesAskedForError
    row.state = after(RequestState(row.state), Event.EXECUTED).value
    row.ended_at = unit.now
    row.executed_by = actor.id
    view = GateView.of(gate)
    row.gate = msgspec.to_builtins(view)
    unit.record(
        actor,
        "promotion.executed",
        row.id,
        {
            "version_id": row.version_id,
            "content_digest": row.content_digest.hex(),
            "target_stage": row.target_stage,
            "policy_id": row.policy_id,
            "state": row.state,
            "ended_at": row.ended_at,
            "items": {item.item.id: item.state for item in gate.items},
            "gate": Committed(msgspec.json.encode(view).decode()),
        },
    )
    _move(unit, actor, case.found.version, gate.target_stage, row.id)
    if gate.rule.displaced is Displaced.ARCHIVED:
        for displaced in _others_in(unit, case.found.version, gate.target_stage):
            _move(unit, actor, displaced, Stage.ARCHIVED, row.id)
    unit.session.flush()
    return find_case(unit, actor, request_id)


def _move(unit: Unit, actor: Actor, version: ModelVersion, stage: Stage, request_id: UUID) -> None:
    changes = {"from": version.stage, "to": stage.value, "promotion_id": str(request_id)}
    version.stage = stage.value
    unit.record(actor, "version.stage-changed", version.id, changes)


def _others_in(unit: Unit, version: ModelVersion, stage: Stage) -> list[ModelVersion]:
    query = (
        select(ModelVersion)
        .where(
            col(ModelVersion.model_id) == version.model_id,
            col(ModelVersion.stage) == stage.value,
            col(ModelVersion.id) != version.id,
        )
        .order_by(col(ModelVersion.number))
        .with_for_update()
    )
    return list(unit.session.execute(query).scalars())


def withdraw(unit: Unit, actor: Actor, request_id: UUID, reason: str) -> Case:
    """Take a request back.

    Raises:
        RefusedError: the actor neither made it nor is risk officer there.
        IllegalTransitionError: the request is not live.
    """
    checked_text("reason", reason)
    case = locked_case(unit, actor, request_id)
    if actor.person_id != person_of(unit, case.request.requested_by):
        actor.require(Role.RISK_OFFICER, place=case.found.place)
    _require_live(case, Event.WITHDRAWN)
    row = case.request
    row.state = after(RequestState(row.state), Event.WITHDRAWN).value
    row.ended_at = unit.now
    unit.record(
        actor,
        "promotion.withdrawn",
        row.id,
        {"reason": Committed(reason), "state": row.state, "ended_at": row.ended_at},
    )
    unit.session.flush()
    return find_case(unit, actor, request_id)


def gate_of_case(unit: Unit, case: Case) -> GateView | None:
    """The gate as it stands now for a live request, as it stood for an executed one; None for the others."""
    if case.request.gate is not None:
        return msgspec.convert(case.request.gate, GateView)
    return GateView.of(_gate(unit, case)) if case.state in LIVE else None


def _gate(unit: Unit, case: Case) -> Gate:
    return gate_under(unit, policy_of(unit, case.request.policy_id), case.found, Stage(case.request.target_stage))


def _rule(unit: Unit, case: Case) -> GateRule:
    policy = policy_of(unit, case.request.policy_id).policy
    rule = policy.gate(Stage(case.request.target_stage), case.found.model.risk_tier)
    if rule is None:
        raise NoGateError(policy.name, policy.version, case.request.target_stage, case.found.model.risk_tier)
    return rule


def _require_live(case: Case, event: Event) -> None:
    if case.state not in LIVE:
        raise IllegalTransitionError(case.state.value, event.value)
