"""Promotion requests: open, execute, withdraw. `registry.promotion.reviews` has their reviews.

Rules of separation: whoever made the request or the version reviews neither, nor does anybody in a role that they
granted; a person counts once, whatever roles that person holds; a machine counts as the person responsible for it, a
delegate as both persons.
"""

from datetime import timedelta
from uuid import UUID

import msgspec
from sqlalchemy import func, select, text
from sqlmodel import col

from registry.access.actor import Actor, Role
from registry.catalog.facts import Stage
from registry.catalog.service import FoundVersion
from registry.errors import ConflictError
from registry.names import checked_text
from registry.policy.attestations import refuse_independent_attester
from registry.policy.gate import Gate
from registry.policy.jobs import request_checks
from registry.policy.policy import Displaced
from registry.policy.separation import lock_version, persons_of
from registry.policy.serial import hold_policies
from registry.policy.service import gate_under, policy_for, policy_of
from registry.policy.views import GateView
from registry.promotion.binding import digest_of, met_evidence_of
from registry.promotion.cases import Case, find_case, locked_case
from registry.promotion.errors import ChangesAskedForError, GateNotMetError, IllegalTransitionError
from registry.promotion.moves import move, others_in
from registry.promotion.staleness import end, replaced_since
from registry.promotion.states import LIVE, Event, after, lapse
from registry.promotion.tables import Decision, PromotionRequest, RequestState
from registry.promotion.telling import tell_executed, tell_requested
from registry.promotion.waivers import refuse_waiver_holder
from registry.unit import Committed, Unit

REQUESTING = (Role.DEVELOPER, Role.OPERATIONS_REVIEWER, Role.RISK_OFFICER)
"""The roles that may ask for a version to be moved, and have an approved request executed."""

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
    hold_policies(unit)
    lock_version(unit, found.version.id)
    refuse_waiver_holder(unit, actor, found)
    refuse_independent_attester(unit, actor, found)
    if found.version.stage == target_stage:
        raise ConflictError(f"This version is in {target_stage.value} already.")
    _clear_the_way(unit, found, target_stage)
    active = policy_for(unit, found.place)
    gate = gate_under(unit, active, found, target_stage)
    evidence = met_evidence_of(gate)
    row = PromotionRequest(
        number=_next_number(unit),
        version_id=found.version.id,
        content_digest=found.version.content_digest,
        target_stage=target_stage.value,
        policy_id=active.row_id,
        risk_tier=gate.tier,
        risk_revision=found.model.risk_revision,
        justification=justification,
        # Where the policy asks for nobody's approval, none is awaited.
        state=(RequestState.OPEN if gate.rule.approvals else after(RequestState.OPEN, Event.APPROVED)).value,
        requested_by=actor.id,
        requested_at=unit.now,
        expires_at=unit.now + timedelta(days=gate.rule.request_days),
        evidence=evidence,
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
            "risk_revision": row.risk_revision,
            "justification": Committed(justification),
            "state": row.state,
            "requested_at": row.requested_at,
            "expires_at": row.expires_at,
            "evidence_sha256": digest_of(evidence),
        },
    )
    request_checks(unit, actor, found.version.id)
    tell_requested(unit, found, row, gate.rule)
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
    end(unit, row, event, "time" if event is Event.EXPIRED else "version or risk")
    # Before the new row: a version has one live request for a stage.
    unit.session.flush()


def _next_number(unit: Unit) -> int:
    if not unit.database.is_sqlite:
        unit.session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _NUMBER_LOCK})
    newest = unit.session.execute(select(func.max(col(PromotionRequest.number)))).scalar()
    return (newest or 0) + 1


def execute(unit: Unit, actor: Actor, request_id: UUID) -> Case:
    """Move the version, if the gate is met at this instant; what it displaces is archived where the policy says so.

    The gate is evaluated here, under the locks of model, request and version, on rows alone.

    Raises:
        IllegalTransitionError: the request is not live, or evidence on which an approval rests was replaced.
        GateNotMetError: listing every unmet item and missing approval, and who can meet it.
        ChangesAskedForError: a reviewer waits for changes.
        ConflictError: the version stands there already.
    """
    # First of all locks: what a policy governs in production must not lose it meanwhile.
    hold_policies(unit)
    case = locked_case(unit, actor, request_id)
    actor.require(*REQUESTING, place=case.found.place)
    require_live(case, Event.EXECUTED)
    if case.found.version.stage == case.request.target_stage:
        raise ConflictError(f"This version is in {case.request.target_stage} already.", "Withdraw the request.")
    gate = gate_of_request(unit, case, executing=persons_of(unit, actor.id))
    if not gate.met:
        raise GateNotMetError(case.request.id, gate.target_stage.value, gate.unmet)
    if replaced_since(case.reviews, gate):
        raise IllegalTransitionError(RequestState.STALE.value, Event.EXECUTED.value)
    if changes_asked_for(case):
        raise ChangesAskedForError
    row = case.request
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
    cause = {"promotion_id": row.id}
    move(unit, actor, case.found.version, gate.target_stage, cause)
    if gate.rule.displaced is Displaced.ARCHIVED:
        for displaced in others_in(unit, case.found.version, gate.target_stage):
            move(unit, actor, displaced, Stage.ARCHIVED, cause)
    tell_executed(unit, case.found, row)
    unit.session.flush()
    return find_case(unit, actor, request_id)


def withdraw(unit: Unit, actor: Actor, request_id: UUID, reason: str) -> Case:
    """Take a request back.

    Raises:
        RefusedError: the actor neither made it nor is risk officer there.
        IllegalTransitionError: the request is not live.
    """
    checked_text("reason", reason)
    case = locked_case(unit, actor, request_id)
    if actor.person_id not in persons_of(unit, case.request.requested_by, case.request.handed_to):
        actor.require(Role.RISK_OFFICER, place=case.found.place)
    require_live(case, Event.WITHDRAWN)
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
    return GateView.of(gate_of_request(unit, case)) if case.state in LIVE else None


def gate_of_request(unit: Unit, case: Case, executing: frozenset[UUID] = frozenset()) -> Gate:
    """The gate of a request by the policy under which it was made. `executing`: who would execute it now.

    Raises:
        NoGateError: that policy lets no version of this tier into that stage.
    """
    policy = policy_of(unit, case.request.policy_id)
    return gate_under(unit, policy, case.found, Stage(case.request.target_stage), executing)


def changes_asked_for(case: Case) -> bool:
    """Whether a reviewer asked for changes and has not decided otherwise since."""
    return any(review.decision == Decision.ASK_FOR_CHANGES.value for review in case.reviews)


def require_live(case: Case, event: Event) -> None:
    """Refuse what only a live request admits.

    Raises:
        IllegalTransitionError: the request has ended.
    """
    if case.state not in LIVE:
        raise IllegalTransitionError(case.state.value, event.value)
