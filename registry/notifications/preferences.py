"""Where a person is told, and of what not: an e-mail address and muted kinds of events."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlmodel import col

from registry.access.actor import Actor
from registry.access.service import get_actor
from registry.errors import InvalidInputError
from registry.notifications.events import SUBSCRIBABLE, Event
from registry.notifications.mail import checked_address
from registry.notifications.tables import MutedRow
from registry.unit import Committed, Unit


@dataclass(frozen=True)
class Preferences:
    """A person's own."""

    email: str | None
    muted: tuple[Event, ...]


def preferences_of(unit: Unit, actor: Actor) -> Preferences:
    """The actor's own."""
    muted = unit.session.execute(select(col(MutedRow.events)).where(col(MutedRow.person_id) == actor.id)).scalar()
    return Preferences(get_actor(unit, actor.id).email, tuple(Event(event) for event in muted or []))


def set_preferences(unit: Unit, actor: Actor, email: str | None, muted: Sequence[Event]) -> Preferences:
    """Replace the actor's own.

    Raises:
        InvalidInputError: no e-mail address, a kind of event twice, or one that cannot be muted.
    """
    if email is not None:
        checked_address("email", email)
    for event in muted:
        if event not in SUBSCRIBABLE:
            raise InvalidInputError("muted", event.value, "an alert reaches its owner always")
    if len(set(muted)) != len(muted):
        raise InvalidInputError("muted", [event.value for event in muted], "name each kind of event once")
    get_actor(unit, actor.id).email = email
    row = unit.session.get(MutedRow, actor.id) or MutedRow(person_id=actor.id, events=[])
    row.events = [event.value for event in muted]
    unit.session.add(row)
    unit.record(
        actor,
        "actor.preferences-set",
        actor.id,
        {"email": None if email is None else Committed(email), "muted": row.events},
    )
    return Preferences(email, tuple(muted))
