"""Waivers: dated, reasoned exceptions to one item of one version, or to one finding on it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlmodel import col

from registry.access.actor import Actor, Role
from registry.access.tables import ActorRow
from registry.catalog.service import FoundVersion, version_by_id
from registry.errors import ConflictError, InvalidInputError, NotFoundError
from registry.findings.service import get_finding
from registry.findings.tables import FindingState
from registry.names import checked_text
from registry.policy.errors import ConflictOfInterestError
from registry.policy.policy import Item, Policy, WaiverRule
from registry.policy.separation import counts_as, lock_version, refuse_creator
from registry.policy.service import find_policy_for, policy_for
from registry.promotion.errors import WaiverEndedError
from registry.promotion.staleness import outdate_requests
from registry.promotion.states import LIVE
from registry.promotion.tables import PromotionRequest, Waiver
from registry.unit import Committed, Unit


@dataclass(frozen=True)
class Excuse:
    """Why something may be left as it is for a while, and what is done instead meanwhile."""

    reason: str
    compensating_measure: str
    expires_at: datetime


def grant_waiver(
    unit: Unit,
    actor: Actor,
    found: FoundVersion,
    item_id: str,
    *,
    reason: str,
    compensating_measure: str,
    expires_at: datetime,
) -> Waiver:
    """Excuse one item of a version for a while, for a reason and with a measure that compensates.

    Raises:
        InvalidInputError: no such item, one that cannot be waived, or an expiry that the policy does not allow.
        RefusedError: the actor does not hold the role that the policy names.
        ConflictOfInterestError: the actor registered the version, or made a live request for it.
    """
    excuse = _checked(Excuse(reason, compensating_measure, expires_at))
    item, rule = _waivable(policy_for(unit, found.place).policy, item_id)
    _check_grantor(unit, actor, found, rule)
    _check_expiry(unit, excuse.expires_at, item.id, rule)
    row = Waiver(
        version_id=found.version.id,
        item=item_id,
        reason=excuse.reason,
        compensating_measure=excuse.compensating_measure,
        granted_by=actor.id,
        granted_at=unit.now,
        expires_at=excuse.expires_at,
    )
    return _record_granted(unit, actor, row)


def waive_finding(unit: Unit, actor: Actor, finding_id: UUID, excuse: Excuse) -> Waiver:
    """Excuse a finding for a while: until then it holds no gate, and stays as open as it is.

    Raises:
        InvalidInputError: findings cannot be waived, or an expiry that the policy does not allow.
        ConflictError: the finding is closed.
        RefusedError: the actor does not hold the role that the policy names.
        ConflictOfInterestError: the actor registered the version, made a live request for it, or owns the finding.
    """
    _checked(excuse)
    one = get_finding(unit, actor, finding_id)
    rule = policy_for(unit, one.found.place).policy.findings.waiver
    if rule is None:
        raise InvalidInputError("finding", str(finding_id), "the policy lets nobody waive a finding")
    _check_grantor(unit, actor, one.found, rule)
    unit.session.refresh(one.row)
    if one.row.state == FindingState.CLOSED:
        raise ConflictError("This finding is closed: it holds no gate.")
    if actor.person_id == one.row.owner_id:
        raise ConflictOfInterestError("Nobody waives a finding that they own.", "Ask somebody else with the role.")
    _check_expiry(unit, excuse.expires_at, "a finding", rule)
    row = Waiver(
        version_id=one.row.version_id,
        finding_id=one.row.id,
        reason=excuse.reason,
        compensating_measure=excuse.compensating_measure,
        granted_by=actor.id,
        granted_at=unit.now,
        expires_at=excuse.expires_at,
    )
    return _record_granted(unit, actor, row)


def _checked(excuse: Excuse) -> Excuse:
    checked_text("reason", excuse.reason)
    checked_text("compensating_measure", excuse.compensating_measure)
    return excuse


def _check_grantor(unit: Unit, actor: Actor, found: FoundVersion, rule: WaiverRule) -> None:
    """The version is locked from here on."""
    actor.require(rule.role, place=found.place)
    refuse_creator(unit, actor, found.version, "grants a waiver for it")
    lock_version(unit, found.version.id)
    _refuse_requester(unit, actor, found)


def _check_expiry(unit: Unit, expires_at: datetime, what: str, rule: WaiverRule) -> None:
    if expires_at.tzinfo is None:
        raise InvalidInputError("expires_at", str(expires_at), "give the time zone, such as Z for UTC")
    latest = unit.now + timedelta(days=rule.max_days)
    if not unit.now < expires_at <= latest:
        raise InvalidInputError(
            "expires_at",
            expires_at.isoformat(),
            f"a waiver of {what} ends after now and within {rule.max_days} days, by {latest:%Y-%m-%d %H:%M} UTC",
        )


def _record_granted(unit: Unit, actor: Actor, row: Waiver) -> Waiver:
    unit.session.add(row)
    unit.record(
        actor,
        "waiver.granted",
        row.id,
        {
            "version_id": row.version_id,
            "item": row.item,
            "finding_id": row.finding_id,
            "reason": Committed(row.reason),
            "compensating_measure": Committed(row.compensating_measure),
            "granted_at": row.granted_at,
            "expires_at": row.expires_at,
        },
    )
    outdate_requests(unit, row.version_id)
    return row


def refuse_waiver_holder(unit: Unit, actor: Actor, found: FoundVersion) -> None:
    """Refuse a request by whoever waived an item of the version, in whichever order the two come.

    Raises:
        ConflictOfInterestError: a waiver in force was granted by this person, or by a machine of theirs.
    """
    query = (
        select(col(Waiver.item))
        .join(ActorRow, col(Waiver.granted_by) == col(ActorRow.id))
        .where(
            col(Waiver.version_id) == found.version.id,
            col(Waiver.expires_at) > unit.now,
            counts_as(actor.person_id),
        )
    )
    found_waiver = unit.session.execute(query.limit(1)).first()
    if found_waiver is not None:
        raise ConflictOfInterestError(
            f"You, or a machine that you answer for, waived {found_waiver[0] or 'a finding'} of this version.",
            "Somebody who waived nothing of it asks for its promotion.",
        )


def _waivable(policy: Policy, item_id: str) -> tuple[Item, WaiverRule]:
    item = policy.items.get(item_id)
    if item is not None and item.waiver is not None:
        return item, item.waiver
    problem = "no item has that id" if item is None else "the policy lets nobody waive it"
    names = ", ".join(other.id for other in policy.items.values() if other.waiver is not None)
    raise InvalidInputError("item", item_id, f"{problem}; these can be waived: {names}")


def _refuse_requester(unit: Unit, actor: Actor, found: FoundVersion) -> None:
    query = (
        select(col(PromotionRequest.number))
        .join(ActorRow, col(PromotionRequest.requested_by) == col(ActorRow.id))
        .where(
            col(PromotionRequest.version_id) == found.version.id,
            col(PromotionRequest.state).in_(LIVE),
            col(PromotionRequest.expires_at) > unit.now,
            counts_as(actor.person_id) | (col(PromotionRequest.handed_to) == actor.person_id),
        )
    )
    number = unit.session.execute(query.limit(1)).scalar()
    if number is not None:
        raise ConflictOfInterestError(
            f"You, or a machine that you answer for, made request {number} for this version.",
            "Somebody who did not make the request weighs the waiver.",
        )


def revoke_waiver(unit: Unit, actor: Actor, waiver_id: UUID, reason: str) -> Waiver:
    """End a waiver now: its item or finding holds the gate again.

    Raises:
        NotFoundError: there is none, or the actor may not see its model.
        RefusedError: the actor is no risk officer there, nor holds the role that grants such waivers.
        WaiverEndedError: it had already ended.
    """
    checked_text("reason", reason)
    row = unit.session.get(Waiver, waiver_id)
    if row is None:
        raise NotFoundError("waiver", waiver_id)
    found = version_by_id(unit, actor, row.version_id)
    actor.require(Role.RISK_OFFICER, *_granting(unit, found, row), place=found.place)
    lock_version(unit, row.version_id)
    unit.session.refresh(row)
    if row.expires_at <= unit.now:
        raise WaiverEndedError(row.id, row.expires_at)
    row.expires_at = unit.now
    unit.record(actor, "waiver.revoked", row.id, {"expires_at": row.expires_at, "reason": Committed(reason)})
    outdate_requests(unit, row.version_id)
    return row


def _granting(unit: Unit, found: FoundVersion, row: Waiver) -> tuple[Role, ...]:
    """The role that grants waivers of the same kind now, if anybody does."""
    active = find_policy_for(unit, found.place)
    if active is None:
        return ()
    item = active.policy.items.get(row.item or "")
    rule = active.policy.findings.waiver if row.finding_id is not None else item.waiver if item is not None else None
    return () if rule is None else (rule.role,)


def waivers_of_finding(unit: Unit, finding_id: UUID) -> list[Waiver]:
    """All waivers of a finding, ended ones too, newest first."""
    query = (
        select(Waiver)
        .where(col(Waiver.finding_id) == finding_id)
        .order_by(col(Waiver.granted_at).desc(), col(Waiver.id))
    )
    return list(unit.session.execute(query).scalars())


def list_waivers(unit: Unit, version_id: UUID) -> list[Waiver]:
    """All waivers of a version, ended ones too, newest first."""
    query = (
        select(Waiver)
        .where(col(Waiver.version_id) == version_id)
        .order_by(col(Waiver.granted_at).desc(), col(Waiver.id))
    )
    return list(unit.session.execute(query).scalars())
