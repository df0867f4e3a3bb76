"""What surrounds every page: who is signed in, how long the log is, which policy governs, as of when."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from litestar.response import Template
from sqlalchemy import func, select

from audit.tables import CHECKPOINT
from registry.access.actor import Actor
from registry.access.service import names_of
from registry.policy.errors import NoPolicyError
from registry.policy.service import policies_in_force
from registry.unit import Unit


@dataclass(frozen=True)
class Frame:
    """The frame of one page."""

    who: str
    """The name of the actor who is signed in."""
    roles: tuple[str, ...]
    entries: int
    """How many entries the log holds."""
    reads_log: bool
    """Whether the actor may open entries: a role reaches the whole installation."""
    policy: str | None
    """The policies in force."""
    now: datetime
    request_id: str | None


def frame_of(unit: Unit, actor: Actor) -> Frame:
    """The frame, as this transaction sees it."""
    size = unit.session.execute(select(func.max(CHECKPOINT.c.tree_size))).scalar()
    try:
        policy = ", ".join(f"{one.policy.name} {one.policy.version}" for one in policies_in_force(unit))
    except NoPolicyError:
        policy = None
    return Frame(
        who=names_of(unit, {actor.id}).get(actor.id, str(actor.id)),
        roles=tuple(sorted({grant.role.value for grant in actor.grants})),
        entries=size or 0,
        reads_log=actor.reads_everything,
        policy=policy,
        now=unit.now,
        request_id=unit.request_id,
    )


def page(unit: Unit, actor: Actor, template: str, **context: object) -> Template:
    """A page in its frame. Templates get finished values: they are rendered after the transaction."""
    return framed(frame_of(unit, actor), template, context)


def framed(frame: Frame | None, template: str, context: Mapping[str, object], status_code: int = 200) -> Template:
    """A page in a frame that is known; None where nobody is signed in."""
    return Template(template, context={"frame": frame, **context}, status_code=status_code, media_type="text/html")
