"""Answers of people to the items of checklists."""

from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import select
from sqlmodel import col

from registry.access.actor import Actor
from registry.errors import InvalidInputError
from registry.names import checked_text
from registry.policy.policy import AttestationNeeded, Item, Policy
from registry.policy.separation import lock_version, refuse_creator
from registry.policy.service import active_policy
from registry.policy.tables import Answer, AttestationRow
from registry.unit import Committed, Unit

if TYPE_CHECKING:
    from registry.catalog.service import FoundVersion


def attest(
    unit: Unit, actor: Actor, found: "FoundVersion", item_id: str, answer: Answer, reason: str, evidence: str | None
) -> AttestationRow:
    """Answer an item for a version; the newest answer counts.

    Raises:
        InvalidInputError: no such item, one that is not answered by people, or an empty reason.
        RefusedError: the actor does not hold a role that may answer it.
        ConflictOfInterestError: the item wants somebody who had no part in the version.
    """
    checked_text("reason", reason)
    if evidence is not None:
        checked_text("evidence", evidence)
    item, needed = _attestable(active_policy(unit).policy, item_id)
    actor.require(*needed.roles, place=found.place)
    if needed.independent:
        refuse_creator(unit, actor, found.version, f"answers “{item.title}”")
    lock_version(unit, found.version.id)
    row = AttestationRow(
        version_id=found.version.id,
        item=item_id,
        answer=answer.value,
        reason=reason,
        evidence=evidence,
        attested_by=actor.id,
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
            "attested_at": row.attested_at,
        },
    )
    return row


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
