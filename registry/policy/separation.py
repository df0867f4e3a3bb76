"""Who counts as whom, and who has a stake: a machine counts as the person responsible for it, a delegate as two."""

from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Mapped
from sqlmodel import col

from registry.access.actor import Actor, Capacity
from registry.access.tables import ActorRow
from registry.catalog.tables import ModelVersion
from registry.policy.errors import ConflictOfInterestError
from registry.unit import Unit


def counts_as(*persons: UUID) -> ColumnElement[bool]:
    """The condition that an actor's row counts as one of these persons."""
    return or_(col(ActorRow.id).in_(persons), col(ActorRow.responsible_id).in_(persons))


def acted_as(on_behalf_of: Mapped[UUID | None], persons: frozenset[UUID]) -> ColumnElement[bool]:
    """The condition that who acted, of the joined actor's row, counts as one of these persons, or their delegate."""
    return or_(counts_as(*persons), on_behalf_of.in_(persons))


def person_of(unit: Unit, actor_id: UUID) -> UUID:
    """The person who counts for an actor."""
    person = func.coalesce(col(ActorRow.responsible_id), col(ActorRow.id))
    found: UUID = unit.session.execute(select(person).where(col(ActorRow.id) == actor_id)).scalar_one()
    return found


def persons_of(unit: Unit, *actor_ids: UUID | None) -> frozenset[UUID]:
    """The persons who count for actors; None stands for nobody."""
    person = func.coalesce(col(ActorRow.responsible_id), col(ActorRow.id))
    wanted = [actor_id for actor_id in actor_ids if actor_id is not None]
    return frozenset(unit.session.execute(select(person).where(col(ActorRow.id).in_(wanted))).scalars())


def makers_of(unit: Unit, version: ModelVersion) -> frozenset[UUID]:
    """The persons who registered a version and who trained it, as far as that is stated."""
    return persons_of(unit, version.created_by, version.trained_by)


def refuse_creator(unit: Unit, actor: Actor | Capacity, version: ModelVersion, deed: str) -> None:
    """Refuse whoever registered or trained the version, and the person responsible for the machine that did.

    `deed`: what they may not do, such as "grants a waiver for it".

    Raises:
        ConflictOfInterestError: the actor has a stake in the version.
    """
    persons = actor.persons if isinstance(actor, Capacity) else frozenset({actor.person_id})
    if persons & makers_of(unit, version):
        raise ConflictOfInterestError(
            f"Nobody who registered or trained a version, nor who answers for the machine that did, {deed}.",
            "Ask somebody who had no part in making it.",
        )


def granters_of(unit: Unit, capacity: Capacity) -> frozenset[UUID]:
    """The persons who granted the role in which somebody acts."""
    return persons_of(unit, *(grant.granted_by for grant in capacity.grants))


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
