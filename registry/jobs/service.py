"""Jobs: enqueue within a transaction, lease, renew, finish, retry, cancel, replay."""

import random
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, and_, bindparam, insert, or_, select, update
from sqlmodel import SQLModel, col

from registry.access.actor import Actor, Role
from registry.errors import ConflictError, InvalidInputError, NotFoundError
from registry.jobs.tables import MOST_ATTEMPTS, JobRow, JobState
from registry.prepared import Prepared
from registry.unit import Unit

FIRST_RETRY = timedelta(seconds=2)
LONGEST_RETRY = timedelta(hours=1)

_JOB = SQLModel.metadata.tables[JobRow.__tablename__]
_GIVEN = (
    "id",
    "kind",
    "arguments",
    "requested_by",
    "subject_id",
    "state",
    "attempts",
    "most_attempts",
    "run_after",
    "progress",
    "created_at",
)
_INSERT = Prepared(insert(_JOB).values({name: bindparam(name, type_=_JOB.c[name].type) for name in _GIVEN}))


@dataclass(frozen=True)
class Lease:
    """A job that one worker holds until a time; losing it shows when it is renewed or finished."""

    job_id: UUID
    kind: str
    arguments: Mapping[str, str]
    requested_by: UUID | None
    attempt: int
    holder: str


class LeaseLostError(Exception):
    """Another worker has the job, or it was cancelled: stop, and write nothing."""


def enqueue(
    unit: Unit,
    actor: Actor | None,
    kind: str,
    arguments: Mapping[str, str],
    *,
    subject_id: UUID | None = None,
    most_attempts: int = MOST_ATTEMPTS,
) -> UUID:
    """Put work into the queue, and return its id; it exists if and when this transaction commits."""
    job_id = uuid4()
    values = {
        "id": job_id,
        "kind": kind,
        "arguments": dict(arguments),
        "requested_by": None if actor is None else actor.id,
        "subject_id": subject_id,
        "state": JobState.QUEUED.value,
        "attempts": 0,
        "most_attempts": most_attempts,
        "run_after": unit.now,
        "progress": 0.0,
        "created_at": unit.now,
    }
    _INSERT.rows(unit.connection, values)
    return job_id


def take(unit: Unit, holder: str, lease: timedelta, kinds: Collection[str] | None = None) -> Lease | None:
    """Lease the job that has been due the longest, or one whose worker fell silent; None where nothing is due.

    `kinds`: only of these; None: of all.
    """
    row = unit.session.execute(
        select(JobRow)
        .where(_due(unit, kinds))
        .order_by(col(JobRow.run_after))
        .limit(1)
        .with_for_update(skip_locked=True)
    ).scalar()
    if row is None:
        return None
    if row.cancel_requested_at is not None:
        _end(unit, row, JobState.CANCELLED)
        return None
    if row.attempts >= row.most_attempts:
        row.error = row.error or "Its worker died each time it was tried."
        _end(unit, row, JobState.DEAD)
        return None
    row.state = JobState.RUNNING.value
    row.attempts += 1
    row.lease_until = unit.now + lease
    row.lease_holder = holder
    return Lease(row.id, row.kind, row.arguments, row.requested_by, row.attempts, holder)


def anything_due(unit: Unit, kinds: Collection[str] | None = None) -> bool:
    """Whether `take` would find something: a read, so that idle workers do not write."""
    return unit.session.execute(select(col(JobRow.id)).where(_due(unit, kinds)).limit(1)).first() is not None


def _due(unit: Unit, kinds: Collection[str] | None) -> ColumnElement[bool]:
    due = or_(
        and_(col(JobRow.state) == JobState.QUEUED.value, col(JobRow.run_after) <= unit.now),
        and_(col(JobRow.state) == JobState.RUNNING.value, col(JobRow.lease_until) < unit.now),
    )
    return due if kinds is None else and_(due, col(JobRow.kind).in_(kinds))


def renew(unit: Unit, lease: Lease, length: timedelta, progress: float, text: str | None) -> None:
    """Say that the worker lives, and how far it is (0 to 1).

    Raises:
        LeaseLostError: the job is no longer this worker's, or is to be cancelled.
    """
    renewed = unit.session.execute(
        update(JobRow)
        .where(*_still_held(lease), col(JobRow.cancel_requested_at).is_(None))
        .values(lease_until=unit.now + length, progress=min(max(progress, 0.0), 1.0), progress_text=text)
        .returning(col(JobRow.id))
    ).first()
    if renewed is None:
        raise LeaseLostError(lease.job_id)


def hold(unit: Unit, lease: Lease) -> None:
    """Within the transaction that writes a job's outcome: make sure that the job is still this worker's.

    Raises:
        LeaseLostError: it is not; roll back.
    """
    held = unit.session.execute(select(col(JobRow.id)).where(*_still_held(lease)).with_for_update()).first()
    if held is None:
        raise LeaseLostError(lease.job_id)


def finish(unit: Unit, lease: Lease, result: Mapping[str, str]) -> None:
    """The job is done; in the same transaction as what it wrote.

    Raises:
        LeaseLostError: the job is no longer this worker's.
    """
    hold(unit, lease)
    row = get_job(unit, lease.job_id)
    row.result = dict(result)
    row.error = None
    row.progress = 1.0
    _end(unit, row, JobState.SUCCEEDED)


def fail(unit: Unit, lease: Lease, reason: str) -> JobState:
    """The attempt failed: try again later, or give up after the last attempt.

    Raises:
        LeaseLostError: the job is no longer this worker's.
    """
    hold(unit, lease)
    row = get_job(unit, lease.job_id)
    row.error = reason
    if row.cancel_requested_at is not None:
        _end(unit, row, JobState.CANCELLED)
    elif row.attempts >= row.most_attempts:
        _end(unit, row, JobState.DEAD)
    else:
        row.state = JobState.QUEUED.value
        row.lease_until = row.lease_holder = None
        row.run_after = unit.now + retry_delay(row.attempts)
    return JobState(row.state)


def give_back(unit: Unit, lease: Lease) -> None:
    """The worker stops: let another one do the job from its start. The attempt does not count.

    Raises:
        LeaseLostError: the job is no longer this worker's.
    """
    hold(unit, lease)
    row = get_job(unit, lease.job_id)
    if row.cancel_requested_at is not None:
        _end(unit, row, JobState.CANCELLED)
        return
    row.state = JobState.QUEUED.value
    row.attempts -= 1
    row.lease_until = row.lease_holder = None
    row.run_after = unit.now


def give_up(unit: Unit, lease: Lease, reason: str) -> None:
    """The job cannot succeed however often it is tried: its input is at fault."""
    hold(unit, lease)
    row = get_job(unit, lease.job_id)
    row.error = reason
    _end(unit, row, JobState.DEAD)


def retry_delay(attempts: int) -> timedelta:
    """Exponential back-off with full jitter above the first delay, at most one hour."""
    longest = min(FIRST_RETRY * 2.0 ** min(attempts - 1, 20), LONGEST_RETRY)
    return FIRST_RETRY + (longest - FIRST_RETRY) * random.random()  # noqa: S311 (spreads retries, guards nothing)


def _still_held(lease: Lease) -> tuple[ColumnElement[bool], ...]:
    return (
        col(JobRow.id) == lease.job_id,
        col(JobRow.state) == JobState.RUNNING.value,
        col(JobRow.lease_holder) == lease.holder,
        col(JobRow.attempts) == lease.attempt,
    )


def _end(unit: Unit, row: JobRow, state: JobState) -> None:
    row.state = state.value
    row.finished_at = unit.now
    row.lease_until = row.lease_holder = None


def get_job(unit: Unit, job_id: UUID) -> JobRow:
    """The job with that id.

    Raises:
        NotFoundError: there is none.
    """
    row = unit.session.get(JobRow, job_id)
    if row is None:
        raise NotFoundError("job", job_id)
    return row


def job_seen_by(unit: Unit, actor: Actor, job_id: UUID) -> JobRow:
    """A job, for who asked for it and for those who watch over all.

    Raises:
        NotFoundError: no such job, or the actor may not see it.
    """
    row = get_job(unit, job_id)
    if row.requested_by != actor.id and not actor.reads_everything:
        raise NotFoundError("job", job_id)
    return row


def list_jobs(
    unit: Unit, actor: Actor, *, state: JobState | None, subject_id: UUID | None, after: str | None, limit: int
) -> list[JobRow]:
    """Jobs, newest first, that the actor may see, from the one after the position `after` on.

    Raises:
        InvalidInputError: `after` is no position.
    """
    query = select(JobRow).order_by(col(JobRow.created_at).desc(), col(JobRow.id).desc()).limit(limit)
    if state is not None:
        query = query.where(col(JobRow.state) == state.value)
    if subject_id is not None:
        query = query.where(col(JobRow.subject_id) == subject_id)
    if not actor.reads_everything:
        query = query.where(col(JobRow.requested_by) == actor.id)
    if after is not None:
        created_at, job_id = _parsed_position(after)
        query = query.where(
            or_(
                col(JobRow.created_at) < created_at,
                and_(col(JobRow.created_at) == created_at, col(JobRow.id) < job_id),
            )
        )
    return list(unit.session.execute(query).scalars())


def position(row: JobRow) -> str:
    """Where a job stands in the order of `list_jobs`."""
    return f"{row.created_at.isoformat()} {row.id}"


def _parsed_position(text: str) -> tuple[datetime, UUID]:
    created_at, _, job_id = text.partition(" ")
    try:
        return datetime.fromisoformat(created_at), UUID(job_id)
    except ValueError:
        raise InvalidInputError("cursor", text, "use the next_cursor of the page before, unchanged") from None


def cancel(unit: Unit, actor: Actor, job_id: UUID) -> JobRow:
    """Ask for a job to stop: at once where it waits, at its next heartbeat where it runs.

    Raises:
        ConflictError: it has ended already.
    """
    row = job_seen_by(unit, actor, job_id)
    if row.requested_by != actor.id:
        actor.require(Role.ADMINISTRATOR)
    if row.state not in {JobState.QUEUED, JobState.RUNNING}:
        raise ConflictError(f"This job is {row.state} already.")
    row.cancel_requested_at = unit.now
    if row.state == JobState.QUEUED:
        _end(unit, row, JobState.CANCELLED)
    unit.record(actor, "job.cancelled", row.id, {"kind": row.kind})
    return row


def replay(unit: Unit, actor: Actor, job_id: UUID) -> JobRow:
    """Try a dead or cancelled job again, from the beginning.

    Raises:
        ConflictError: it is neither dead nor cancelled.
    """
    row = job_seen_by(unit, actor, job_id)
    if row.requested_by != actor.id:
        actor.require(Role.ADMINISTRATOR)
    if row.state not in {JobState.DEAD, JobState.CANCELLED}:
        raise ConflictError(f"This job is {row.state}.", "Only dead and cancelled jobs are replayed.")
    row.state = JobState.QUEUED.value
    row.attempts = 0
    row.progress = 0.0
    row.cancel_requested_at = row.finished_at = None
    row.run_after = unit.now
    unit.record(actor, "job.replayed", row.id, {"kind": row.kind})
    return row
