"""What follows when a version in production shows no longer what it must. No I/O.

Whatever lapses is flagged once, and told. A flag ends when the requirement is met again, when the version leaves
production, or when the policy's grace is over: then the version is moved. The grace is counted from the flag, so that
owners always have all of it.

Time never goes back here: a version is looked at as of the newest of `now` and all that was noted of it. A clock that
is set back neither ends a flag nor raises it a second time.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from registry.policy.policy import Lapsed, LapseRule


@dataclass(frozen=True)
class Lacking:
    """A requirement that is not met."""

    title: str
    reason: str
    since: datetime | None
    """Since when, where the evidence says."""


@dataclass(frozen=True)
class Lasting:
    """A flag that has not ended."""

    id: UUID
    requirement: str
    flagged_at: datetime
    move_at: datetime | None
    then_stage: Lapsed | None


@dataclass(frozen=True)
class NewFlag:
    """A flag to be raised."""

    requirement: str
    title: str
    reason: str
    since: datetime
    move_at: datetime | None
    then_stage: Lapsed | None


@dataclass(frozen=True)
class Decision:
    """What is to be done about one version."""

    raised: tuple[NewFlag, ...] = ()
    met_again: tuple[Lasting, ...] = ()
    left: tuple[Lasting, ...] = ()
    """Flags of a version that is in production no longer."""
    overdue: Lasting | None = None
    """The flag whose grace is over, and by which the version is moved."""

    @property
    def does_nothing(self) -> bool:
        """Whether nothing is to be written."""
        return not (self.raised or self.met_again or self.left or self.overdue)


def as_of(now: datetime, noted: Iterable[datetime | None]) -> datetime:
    """The instant as of which a version is looked at: `now`, or the newest thing noted of it where that is later."""
    return max([now, *(instant for instant in noted if instant is not None)])


def decide(
    now: datetime, lacking: Mapping[str, Lacking] | None, lasting: Sequence[Lasting], rule: LapseRule | None
) -> Decision:
    """What is to be done about a version at `now`.

    `lacking`: by requirement, what it shows no longer; None where it is not in production. `rule`: what its gate says
    of lapses. A flag that was raised keeps the end that it was raised with.
    """
    if lacking is None:
        return Decision(left=tuple(lasting))
    known = {flag.requirement for flag in lasting}
    raised = tuple(
        _flag(requirement, missing, now, rule) for requirement, missing in lacking.items() if requirement not in known
    )
    over = [
        flag for flag in lasting if flag.requirement in lacking and flag.move_at is not None and flag.move_at <= now
    ]
    return Decision(
        raised=raised,
        met_again=tuple(flag for flag in lasting if flag.requirement not in lacking),
        overdue=min(over, key=lambda flag: (flag.move_at or now, flag.requirement), default=None),
    )


def _flag(requirement: str, missing: Lacking, now: datetime, rule: LapseRule | None) -> NewFlag:
    since = now if missing.since is None else min(missing.since, now)
    if rule is None:
        return NewFlag(requirement, missing.title, missing.reason, since, None, None)
    move_at = now + timedelta(days=rule.grace_days)
    return NewFlag(requirement, missing.title, missing.reason, since, move_at, rule.then)
