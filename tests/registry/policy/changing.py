"""Policies to activate, and administrators who do it."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import update
from sqlmodel import col

from registry.access.actor import Actor, ActorKind, Grant, Role
from registry.access.service import add_actor, grant_role
from registry.policy.activation import activate, confirm
from registry.policy.tables import PolicyProposalRow, PolicyRow
from registry.resources import default_policy_path
from registry.unit import Units
from tests.registry.conftest import EVERYTHING, People

TEXT = default_policy_path().read_text(encoding="utf-8")


def policy_text(
    name: str = "acta-default", version: str = "2.0", models: str = '["*"]', *changes: tuple[str, str]
) -> str:
    """The default policy under another name or version, for other models."""
    text = TEXT.replace("name: acta-default", f"name: {name}").replace('version: "1.0"', f'version: "{version}"')
    text = text.replace('models: ["*"]', f"models: {models}")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return text


def administrator(
    units: Units, people: People, name: str, *, email: str | None = None, of: UUID | None = None
) -> Actor:
    """Another administrator: a person, or a machine for which the person `of` answers."""
    kind = ActorKind.PERSON if of is None else ActorKind.MACHINE
    with units.writing() as unit:
        row = add_actor(unit, people.administrator, kind=kind, name=name, email=email, responsible_id=of)
        unit.session.flush()
        # By a grant of the first administrator's, who may not grant to a machine of their own: written as it would be.
        if of is None:
            grant_role(unit, people.administrator, row.id, Role.ADMINISTRATOR, EVERYTHING)
        grants = (Grant(Role.ADMINISTRATOR, EVERYTHING, people.administrator.id),)
        return Actor(row.id, kind, of, grants)


def activated(units: Units, people: People, text: str) -> PolicyRow:
    """A policy that the only administrator activates."""
    with units.writing() as unit:
        change = activate(unit, people.administrator, text)
        assert change.policy is not None
        return change.policy


def proposed(units: Units, actor: Actor, text: str) -> PolicyProposalRow:
    """A policy that an administrator proposes to the other one."""
    with units.writing() as unit:
        change = activate(unit, actor, text)
        assert change.policy is None
        assert change.proposal is not None
        return change.proposal


def confirmed(units: Units, actor: Actor, proposal_id: UUID) -> PolicyRow:
    """A proposal that the other administrator confirms."""
    with units.writing() as unit:
        return confirm(unit, actor, proposal_id)


def expire(units: Units, proposal_id: UUID, proposed_at: datetime, expires_at: datetime) -> None:
    """Move a proposal into the past."""
    with units.writing() as unit:
        unit.session.execute(
            update(PolicyProposalRow)
            .where(col(PolicyProposalRow.id) == proposal_id)
            .values(proposed_at=proposed_at, expires_at=expires_at)
        )
