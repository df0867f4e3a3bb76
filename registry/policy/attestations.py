"""Answers of people to the items of checklists."""

from collections.abc import Sequence
from typing import TYPE_CHECKING
from uuid import UUID

import msgspec
from sqlalchemy import select
from sqlmodel import col

from registry.access.actor import Actor, Capacity, Role
from registry.access.tables import ActorRow
from registry.errors import ConflictError, InvalidInputError, NotFoundError
from registry.names import checked_text
from registry.policy.errors import ConflictOfInterestError
from registry.policy.policy import AttestationNeeded, Item, Policy
from registry.policy.references import Reference, check_references
from registry.policy.separation import acted_as, counts_as, lock_version, persons_of, refuse_creator
from registry.policy.service import find_policy_for, policy_for
from registry.policy.tables import Answer, AttestationRow
from registry.promotion.staleness import outdate_requests
from registry.promotion.states import LIVE
from registry.promotion.tables import PromotionRequest
from registry.unit import Committed, Unit, Value

if TYPE_CHECKING:
    from registry.catalog.service import FoundVersion


def attest(
    unit: Unit,
    actor: Actor,
    found: "FoundVersion",
    item_id: str,
    answer: Answer,
    reason: str,
    evidence: str | None,
    rests_on: Sequence[Reference] = (),
) -> AttestationRow:
    """Answer an item for a version; the newest answer counts.

    `evidence`: a link, or where to look. `rests_on`: documents, assessments and check results of the version.

    Raises:
        InvalidInputError: no such item, one that is not answered by people, an empty reason, or evidence that the
            version does not have.
        RefusedError: the actor holds no role that may answer it, in its own right or as somebody's delegate.
        ConflictOfInterestError: the item wants somebody who had no part in the version nor asks for its promotion.
    """
    checked_text("reason", reason)
    if evidence is not None:
        checked_text("evidence", evidence)
    item, needed = _attestable(policy_for(unit, found.place).policy, item_id)
    capacity = actor.capacity(*needed.roles, place=found.place)
    lock_version(unit, found.version.id)
    if needed.independent:
        refuse_creator(unit, capacity, found.version, f"answers “{item.title}”")
        _refuse_requester(unit, capacity, found, item)
    check_references(unit, found.version.id, rests_on)
    row = AttestationRow(
        version_id=found.version.id,
        item=item_id,
        answer=answer.value,
        reason=reason,
        evidence=evidence,
        rests_on=[{"kind": one.kind.value, "id": str(one.id)} for one in rests_on] or None,
        risk_revision=found.model.risk_revision,
        attested_by=actor.id,
        on_behalf_of=capacity.on_behalf_of,
        attested_at=unit.now,
    )
    unit.session.add(row)
    unit.record(
        actor,
        "attestation.given",
        row.id,
        {
            "version_id": row.version_id,
            "item": item_id,
            "answer": answer,
            "reason": Committed(reason),
            "evidence": None if evidence is None else Committed(evidence),
            "rests_on": msgspec.to_builtins(list(rests_on)),
            "on_behalf_of": row.on_behalf_of,
            "risk_revision": row.risk_revision,
            "attested_at": row.attested_at,
        },
    )
    outdate_requests(unit, row.version_id)
    return row


def withdraw_attestation(
    unit: Unit, actor: Actor, found: "FoundVersion", attestation_id: UUID, reason: str
) -> AttestationRow:
    """Take an answer back: by who gave it, or by a risk officer. Its item is open again, or an older answer counts.

    Raises:
        NotFoundError: the version has no such answer.
        RefusedError: the actor neither gave it nor is risk officer there.
        ConflictError: it was withdrawn already.
    """
    checked_text("reason", reason)
    lock_version(unit, found.version.id)
    row = unit.session.get(AttestationRow, attestation_id, populate_existing=True)
    if row is None or row.version_id != found.version.id:
        raise NotFoundError("attestation", attestation_id)
    if actor.person_id not in {*persons_of(unit, row.attested_by), row.on_behalf_of}:
        actor.require(Role.RISK_OFFICER, place=found.place)
    if row.withdrawn_at is not None:
        raise ConflictError("This answer was withdrawn already.")
    row.withdrawn_at, row.withdrawn_by, row.withdrawal_reason = unit.now, actor.id, reason
    changes: dict[str, Value] = {
        "version_id": row.version_id,
        "item": row.item,
        "withdrawn_at": unit.now,
        "reason": Committed(reason),
    }
    unit.record(actor, "attestation.withdrawn", row.id, changes)
    outdate_requests(unit, row.version_id)
    return row


def refuse_independent_attester(unit: Unit, actor: Actor, found: "FoundVersion") -> None:
    """Refuse a request by whoever answered an independent item of the version, in whichever order the two come.

    Raises:
        ConflictOfInterestError: an answer in force is this person's, or a machine's or delegate's of theirs.
    """
    active = find_policy_for(unit, found.place)
    items = {} if active is None else active.policy.items
    independent = [
        item.id for item in items.values() if isinstance(item.shown, AttestationNeeded) and item.shown.independent
    ]
    query = (
        select(col(AttestationRow.item))
        .join(ActorRow, col(AttestationRow.attested_by) == col(ActorRow.id))
        .where(
            col(AttestationRow.version_id) == found.version.id,
            col(AttestationRow.item).in_(independent),
            col(AttestationRow.withdrawn_at).is_(None),
            acted_as(col(AttestationRow.on_behalf_of), frozenset({actor.person_id})),
        )
    )
    item = unit.session.execute(query.limit(1)).scalar()
    if item is not None:
        raise ConflictOfInterestError(
            f"You, a machine or a delegate of yours answered {item}, which wants somebody independent.",
            "Somebody who answered none of its independent items asks for its promotion.",
        )


def _refuse_requester(unit: Unit, capacity: Capacity, found: "FoundVersion", item: Item) -> None:
    """Whoever asks for a promotion answers no independent item of that version."""
    query = (
        select(col(PromotionRequest.number))
        .join(ActorRow, col(PromotionRequest.requested_by) == col(ActorRow.id))
        .where(
            col(PromotionRequest.version_id) == found.version.id,
            col(PromotionRequest.state).in_(LIVE),
            col(PromotionRequest.expires_at) > unit.now,
            counts_as(*capacity.persons) | col(PromotionRequest.handed_to).in_(capacity.persons),
        )
    )
    number = unit.session.execute(query.limit(1)).scalar()
    if number is not None:
        raise ConflictOfInterestError(
            f"You, or a machine that you answer for, made request {number} for this version.",
            f"Somebody who did not make the request answers “{item.title}”.",
        )


def _attestable(policy: Policy, item_id: str) -> tuple[Item, AttestationNeeded]:
    item = policy.items.get(item_id)
    if item is not None and isinstance(item.shown, AttestationNeeded):
        return item, item.shown
    answered = [other.id for other in policy.items.values() if isinstance(other.shown, AttestationNeeded)]
    problem = "no item has that id" if item is None else f"people do not answer it: it is shown by a {item.kind}"
    raise InvalidInputError("item", item_id, f"{problem}; people answer {', '.join(answered)}")


def list_attestations(unit: Unit, version_id: UUID) -> list[AttestationRow]:
    """All answers for a version, newest first."""
    query = (
        select(AttestationRow)
        .where(col(AttestationRow.version_id) == version_id)
        .order_by(col(AttestationRow.attested_at).desc(), col(AttestationRow.id))
    )
    return list(unit.session.execute(query).scalars())
