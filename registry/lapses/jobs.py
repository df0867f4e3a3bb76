"""The periodic look at what has lapsed and what is overdue: a job of `acta worker`, and `acta review run`."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from uuid import UUID

from registry.findings.overdue import escalate, overdue
from registry.jobs.worker import Work
from registry.lapses.expiring import expiring, tell_of_expiry
from registry.lapses.rechecks import check_again, to_check_again
from registry.lapses.service import candidates, carry_out, decision_on
from registry.policy.separation import lock_version
from registry.unit import Units

Clock = Callable[[], datetime]


@dataclass(frozen=True)
class Tally:
    """What one look did. On a quiet day nothing, and nothing was written."""

    flagged: int = 0
    ended: int = 0
    moved: int = 0
    escalated: int = 0
    rechecked: int = 0

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(
            self.flagged + other.flagged,
            self.ended + other.ended,
            self.moved + other.moved,
            self.escalated + other.escalated,
            self.rechecked + other.rechecked,
        )


def present() -> datetime:
    """The present, in UTC."""
    return datetime.now(UTC)


def review_evidence(work: Work) -> None:
    """Look at every version in production and at every open finding, as the job of a worker."""
    tally = look(work.units)
    with work.outcome({name: str(count) for name, count in asdict(tally).items()}):
        pass


def look(units: Units, clock: Clock = present) -> Tally:
    """Flag what has lapsed, end what is met again, move what is over its grace, escalate what is overdue.

    It also tells, once, of waivers that end within a week, and has versions in production checked again that were not
    checked for a week.

    One transaction for each version and finding that something is to be written of; all others are only read. It may
    run at any time, in several processes at once.
    """
    with units.reading() as unit:
        unit.now = clock()
        versions, findings, waivers, ageing = candidates(unit), overdue(unit), expiring(unit), to_check_again(unit)
    tally = Tally()
    for version_id in versions:
        tally += _look_at(units, version_id, clock)
    for finding_id in findings:
        with units.writing() as unit:
            unit.now = clock()
            tally += Tally(escalated=int(escalate(unit, finding_id)))
    for waiver_id in waivers:
        with units.writing() as unit:
            unit.now = clock()
            tell_of_expiry(unit, waiver_id)
    for version_id in ageing:
        with units.writing() as unit:
            unit.now = clock()
            tally += Tally(rechecked=int(check_again(unit, version_id)))
    return tally


def _look_at(units: Units, version_id: UUID, clock: Clock) -> Tally:
    with units.reading() as unit:
        unit.now = clock()
        if decision_on(unit, version_id).does_nothing:
            return Tally()
    with units.writing() as unit:
        lock_version(unit, version_id)
        unit.now = clock()
        decision = decision_on(unit, version_id)
        carry_out(unit, version_id, decision)
    ended = len(decision.met_again) + len(decision.left)
    return Tally(flagged=len(decision.raised), ended=ended, moved=int(decision.overdue is not None))
