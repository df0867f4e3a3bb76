"""How many persons are administrators: a machine counts as the person responsible for it, an e-mail address once."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import aliased
from sqlmodel import col

from registry.access.actor import Role
from registry.access.tables import ActorRow, GrantRow
from registry.unit import Unit


def count_administrators(unit: Unit) -> int:
    """Persons who are administrators now and have not left; two accounts with one e-mail address are one person."""
    responsible = aliased(ActorRow)
    query = (
        select(ActorRow, responsible)
        .join(GrantRow, col(GrantRow.actor_id) == col(ActorRow.id))
        .outerjoin(responsible, col(responsible.id) == col(ActorRow.responsible_id))
        .where(
            col(GrantRow.role) == Role.ADMINISTRATOR.value,
            col(GrantRow.revoked_at).is_(None),
            col(ActorRow.left_at).is_(None),
        )
    )
    rows: Sequence[tuple[ActorRow, ActorRow | None]] = [(row[0], row[1]) for row in unit.session.execute(query)]
    persons = [actor if person is None else person for actor, person in rows]
    return len({_identity(person) for person in persons if person.left_at is None})


def same_person(unit: Unit, one: ActorRow, other: ActorRow) -> bool:
    """Whether two actors count as one person."""
    return _identity(_person(unit, one)) == _identity(_person(unit, other))


def _person(unit: Unit, actor: ActorRow) -> ActorRow:
    return actor if actor.responsible_id is None else unit.session.get_one(ActorRow, actor.responsible_id)


def _identity(person: ActorRow) -> str:
    return str(person.id) if person.email is None else person.email.strip().casefold()
