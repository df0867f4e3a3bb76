"""Work that is done again and again: enqueued when its period is over, once however many workers look.

When a kind is due next is a row. Whoever moves it on enqueues the job, in the same transaction. A clock that is set
back would let the row wait: one that is due later than a whole period from now is due at once.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import col

from registry.jobs.service import enqueue
from registry.jobs.tables import JobRow, JobState, PeriodicRow
from registry.unit import Unit

PERIODS: Mapping[str, timedelta] = {"review-evidence": timedelta(hours=1)}
"""How often each kind of job is done."""

_PENDING = (JobState.QUEUED.value, JobState.RUNNING.value)


def anything_periodic_due(unit: Unit) -> bool:
    """Whether `enqueue_periodic` would write anything: a read, so that idle workers do not write."""
    known = {row[0]: row[1] for row in unit.session.execute(select(col(PeriodicRow.kind), col(PeriodicRow.due_at)))}
    return any(kind not in known or not unit.now < known[kind] <= unit.now + period for kind, period in PERIODS.items())


def enqueue_periodic(unit: Unit) -> list[str]:
    """Enqueue each kind of job whose period is over, unless the one before still waits or runs; the kinds enqueued.

    A kind that this database has never seen is due one period from now.
    """
    enqueued = []
    for kind, period in PERIODS.items():
        following = unit.now + period
        _make_known(unit, kind, following)
        moved_on = unit.session.execute(
            update(PeriodicRow)
            .where(
                col(PeriodicRow.kind) == kind,
                or_(col(PeriodicRow.due_at) <= unit.now, col(PeriodicRow.due_at) > following),
            )
            .values(due_at=following)
            .returning(col(PeriodicRow.kind))
        ).first()
        if moved_on is not None and not _is_pending(unit, kind):
            enqueue(unit, None, kind, {})
            enqueued.append(kind)
    return enqueued


def _make_known(unit: Unit, kind: str, due_at: datetime) -> None:
    """Several workers may meet a kind for the first time at once: one of them makes the row."""
    values = {"kind": kind, "due_at": due_at}
    if unit.database.is_sqlite:
        unit.session.execute(sqlite.insert(PeriodicRow).values(values).on_conflict_do_nothing())
    else:
        unit.session.execute(postgresql.insert(PeriodicRow).values(values).on_conflict_do_nothing())


def _is_pending(unit: Unit, kind: str) -> bool:
    query = select(col(JobRow.id)).where(col(JobRow.kind) == kind, col(JobRow.state).in_(_PENDING))
    return unit.session.execute(query.limit(1)).first() is not None
