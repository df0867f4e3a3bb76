"""Everybody who acts in the tests of the state machine of promotions, and the clock that they move on."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

from sqlalchemy import update

from registry.access.actor import Actor, ActorKind, Grant, Role
from registry.access.service import add_actor
from registry.policy.tables import PolicyRow
from registry.unit import Units
from tests.registry.conftest import EVERYTHING, People
from tests.registry.promotion.oracle import POLICY, Known


class Clock(datetime):
    """Time that the tests move on."""

    offset = timedelta()

    @classmethod
    def now(cls, tz: Any = None) -> datetime:  # type: ignore[override] - an ordinary instant, later than now
        """The present, moved on."""
        return datetime.now(tz) + cls.offset


@dataclass
class World:
    """An installation under the small policy, and everybody who acts in it."""

    units: Units
    actors: dict[str, Actor]
    outcomes: Counter[str] = field(default_factory=Counter)

    @property
    def known(self) -> dict[str, Known]:
        """The actors as the oracle knows them."""
        result = {}
        for actor in self.actors.values():
            roles: dict[str, set[tuple[str, str | None]]] = {}
            for grant in actor.reach:
                behalf = None if grant.on_behalf_of is None else str(grant.on_behalf_of)
                roles.setdefault(grant.role.value, set()).add((str(grant.granted_by), behalf))
            frozen = {role: frozenset(grants) for role, grants in roles.items()}
            result[str(actor.id)] = Known(str(actor.person_id), frozen)
        return result


def build_world(units: Units, people: People) -> World:
    """People with one role, with all, with machines, with delegates, and with roles from somebody who also asks."""
    with units.writing() as unit:
        unit.session.execute(update(PolicyRow).values(ended_at=unit.now))
        digest = sha256(POLICY.encode()).digest()
        unit.session.add(PolicyRow(name="small", version="1.0", digest=digest, text=POLICY, activated_at=unit.now))
        admin = people.administrator

        def person(name: str, *roles: Role, by: UUID = admin.id) -> Actor:
            row = add_actor(unit, admin, kind=ActorKind.PERSON, name=name, email=None, responsible_id=None)
            unit.session.flush()
            return Actor(row.id, ActorKind.PERSON, None, tuple(Grant(role, EVERYTHING, by) for role in roles))

        def machine(name: str, of: Actor, *roles: Role) -> Actor:
            row = add_actor(unit, admin, kind=ActorKind.MACHINE, name=name, email=None, responsible_id=of.id)
            unit.session.flush()
            return Actor(row.id, ActorKind.MACHINE, of.id, tuple(Grant(role, EVERYTHING, admin.id) for role in roles))

        def deputy(name: str, of: Actor, role: Role) -> Actor:
            row = add_actor(unit, admin, kind=ActorKind.PERSON, name=name, email=None, responsible_id=None)
            unit.session.flush()
            return Actor(row.id, ActorKind.PERSON, None, (), delegated=(Grant(role, EVERYTHING, of.id, of.id),))

        every = (
            Role.DEVELOPER,
            Role.VALIDATOR,
            Role.ETHICS_REVIEWER,
            Role.OPERATIONS_REVIEWER,
            Role.RISK_OFFICER,
        )
        actors = {
            "developer a": person("developer a", Role.DEVELOPER),
            "developer b": person("developer b", Role.DEVELOPER),
            "validator a": person("validator a", Role.VALIDATOR),
            "validator b": person("validator b", Role.VALIDATOR),
            "validator c": person("validator c", Role.VALIDATOR),
            "ethics a": person("ethics a", Role.ETHICS_REVIEWER),
            "operations a": person("operations a", Role.OPERATIONS_REVIEWER),
            "operations b": person("operations b", Role.OPERATIONS_REVIEWER),
            "risk a": person("risk a", Role.RISK_OFFICER),
            "everything": person("everything", *every),
            "chief": person("chief", Role.DEVELOPER, Role.RISK_OFFICER),
        }
        chief = actors["chief"].id
        actors |= {
            "chief's validator": person("chief's validator", Role.VALIDATOR, by=chief),
            "chief's operations": person("chief's operations", Role.OPERATIONS_REVIEWER, by=chief),
            "machine of developer a": machine("machine of developer a", actors["developer a"], *every),
            "machine of validator a": machine(
                "machine of validator a", actors["validator a"], Role.VALIDATOR, Role.OPERATIONS_REVIEWER
            ),
            "deputy of validator b": deputy("deputy of validator b", actors["validator b"], Role.VALIDATOR),
            "deputy of everything": deputy("deputy of everything", actors["everything"], Role.OPERATIONS_REVIEWER),
            "ethics deputy": deputy("ethics deputy", actors["everything"], Role.ETHICS_REVIEWER),
        }
    return World(units, actors)
