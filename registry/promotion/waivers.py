"""Waivers: dated, reasoned exceptions to one item for one version."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlmodel import col

from registry.access.actor import Actor
from registry.access.tables import ActorRow
from registry.catalog.service import FoundVersion, version_by_id
from registry.errors import InvalidInputError, NotFoundError
from registry.names import checked_text
from registry.policy.errors import ConflictOfInterestError
from registry.policy.policy import Item, Policy, WaiverRule
from registry.policy.separation import counts_as, lock_version, refuse_creator
from registry.policy.service import active_policy
from registry.promotion.errors import WaiverEndedError
from registry.promotion.states import LIVE
from registry.promotion.tables import PromotionRequest, Waiver
from registry.unit import Committed, Unit


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
    checked_text("reason", reason)
    checked_text("compensating_measure", compensating_measure)
    item, rule = _waivable(active_policy(unit).policy, item_id)
    actor.require(rule.role, place=found.place)
    refuse_creator(unit, actor, found.version, "grants a waiver for it")
    lock_version(unit, found.version.id)
    _refuse_requester(unit, actor, found)
    if expires_at.tzinfo is None:
        raise InvalidInputError("expires_at", str(expires_at), "give the time zone, such as Z for UTC")
    latest = unit.now + timedelta(days=rule.max_days)
    if not unit.now < expires_at <= latest:
        raise InvalidInputError(
            "expires_at",
            expires_at.isoformat(),
            f"a waiver of {item.id} ends after now and within {rule.max_days} days, by {latest:%Y-%m-%d %H:%M} UTC",
        )
    row = Waiver(
        version_id=found.version.id,
        item=item_id,
        reason=reason,
        compensating_measure=compensating_measure,
        granted_by=actor.id,
        granted_at=unit.now,
        expires_at=expires_at,
    )
    unit.session.add(row)
    unit.record(
        actor,
        "waiver.granted",
        row.id,
        {
            "version_id": row.version_id,
            "item": item_id,
            "reason": Committed(reason),
            "compensating_measure": Committed(compensating_measure),
            "granted_at": row.granted_at,
            "expires_at": row.expires_at,
        },
    )
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
    item = unit.session.execute(query.limit(1)).scalar()
    if item is not None:
        raise ConflictOfInterestError(
            f"You, or a machine that you answer for, waived {item} of this version.",
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
            counts_as(actor.person_id),
        )
    )
    number = unit.session.execute(query.limit(1)).scalar()
    if number is not None:
        raise ConflictOfInterestError(
            f"You, or a machine that you answer for, made request {number} for this version.",
            "Somebody who did not make the request weighs the waiver.",
        )


def revoke_waiver(unit: Unit, actor: Actor, waiver_id: UUID, reason: str) -> Waiver:
    """End a waiver now: its item counts as unmet again.

    Raises:
        NotFoundError: there is none, or the actor may not see its model.
        RefusedError: the actor does not hold the role that may waive the item.
        WaiverEndedError: it had already ended.
    """
    checked_text("reason", reason)
    row = unit.session.get(Waiver, waiver_id)
    if row is None:
        raise NotFoundError("waiver", waiver_id)
    found = version_by_id(unit, actor, row.version_id)
    item = active_policy(unit).policy.items.get(row.item)
    rule = item.waiver if item is not None else None
    actor.require((rule or WaiverRule()).role, place=found.place)
    lock_version(unit, row.version_id)
    unit.session.refresh(row)
    if row.expires_at <= unit.now:
        raise WaiverEndedError(row.id, row.expires_at)
    row.expires_at = unit.now
    unit.record(actor, "waiver.revoked", row.id, {"expires_at": row.expires_at, "reason": Committed(reason)})
    return row


def list_waivers(unit: Unit, version_id: UUID) -> list[Waiver]:
    """All waivers of a version, ended ones too, newest first."""
    query = (
        select(Waiver)
        .where(col(Waiver.version_id) == version_id)
        .order_by(col(Waiver.granted_at).desc(), col(Waiver.id))
    )
    return list(unit.session.execute(query).scalars())
