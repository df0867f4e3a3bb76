"""Who counts as whom, and who has a stake: a machine counts as the person responsible for it."""

from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import ColumnElement, func, or_, select
from sqlmodel import col

from registry.access.actor import Actor
from registry.access.tables import ActorRow
from registry.catalog.tables import ModelVersion
from registry.policy.errors import ConflictOfInterestError
from registry.unit import Unit


def counts_as(person_id: UUID) -> ColumnElement[bool]:
    """The condition that an actor's row counts as that person."""
    return or_(col(ActorRow.id) == person_id, col(ActorRow.responsible_id) == person_id)


def person_of(unit: Unit, actor_id: UUID) -> UUID:
    """The person who counts for an actor."""
    person = func.coalesce(col(ActorRow.responsible_id), col(ActorRow.id))
    found: UUID = unit.session.execute(select(person).where(col(ActorRow.id) == actor_id)).scalar_one()
    return found


def refuse_creator(unit: Unit, actor: Actor, version: ModelVersion, deed: str) -> None:
    """Refuse whoever registered the version, and the person responsible for the machine that did.

    `deed`: what they may not do, such as "grants a waiver for it".

    Raises:
        ConflictOfInterestError: the actor has a stake in the version.
    """
    if actor.person_id == person_of(unit, version.created_by):
        raise ConflictOfInterestError(
            f"Nobody who registered a version, nor who answers for the machine that did, {deed}.",
            "Ask somebody who had no part in making it.",
        )


def lock_version(unit: Unit, version_id: UUID) -> None:
    """Order a change of a version's evidence before or after any execution that rests on it, and read it afresh.

    On PostgreSQL the version's row stays locked until the end of the transaction; SQLite has one writer anyway.
    """
    query = select(ModelVersion).where(col(ModelVersion.id) == version_id).with_for_update()
    unit.session.execute(query.execution_options(populate_existing=True)).scalar_one()
    read_clock_again(unit)


def read_clock_again(unit: Unit) -> None:
    """Once the locks are held: the instant that counts is this one, after all that was committed while they were not.

    A waiver revoked meanwhile ends later than the transaction began; at that earlier instant it would still excuse.
    """
    unit.now = datetime.now(UTC)
