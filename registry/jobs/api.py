"""Routes of jobs: how far they are, cancel, replay."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, QueryParameter

from registry.access.actor import PARTICIPANTS, Actor
from registry.http.guards import requires, signed_in
from registry.http.paging import Cursor, Limit, Page, decode_cursor, page_of
from registry.http.transactions import reads, writes
from registry.jobs import service
from registry.jobs.tables import JobRow, JobState
from registry.unit import Unit


class JobView(msgspec.Struct):
    """A job, and what became of it."""

    id: UUID
    kind: str
    subject_id: UUID | None
    state: str
    attempts: int
    progress: float
    """From 0 to 1."""
    progress_text: str | None
    error: str | None
    result: dict[str, str] | None
    created_at: datetime
    run_after: datetime
    finished_at: datetime | None

    @classmethod
    def of(cls, row: JobRow) -> "JobView":
        """The view of a row."""
        return cls(
            row.id,
            row.kind,
            row.subject_id,
            row.state,
            row.attempts,
            row.progress,
            row.progress_text,
            row.error,
            row.result,
            row.created_at,
            row.run_after,
            row.finished_at,
        )


class JobController(Controller):
    """Jobs."""

    path = "/api/v1/jobs"
    tags = ["jobs"]

    @get("/", guards=[signed_in])
    @reads
    def search(
        self,
        unit: NamedDependency[Unit],
        actor: NamedDependency[Actor],
        in_state: Annotated[JobState | None, QueryParameter(name="state", description="How far they are.")] = None,
        subject_id: FromQuery[UUID | None] = None,
        limit: Limit = 100,
        cursor: Cursor = None,
    ) -> Page[JobView]:
        """Jobs, newest first."""
        after = decode_cursor(cursor)
        rows = service.list_jobs(unit, actor, state=in_state, subject_id=subject_id, after=after, limit=limit + 1)
        return page_of(rows, limit, JobView.of, service.position)

    @get("/{job_id:uuid}", guards=[signed_in])
    @reads
    def show(self, job_id: FromPath[UUID], unit: NamedDependency[Unit], actor: NamedDependency[Actor]) -> JobView:
        """How far a job is."""
        return JobView.of(service.job_seen_by(unit, actor, job_id))

    @post("/{job_id:uuid}/cancellation", guards=[requires(*PARTICIPANTS)], status_code=200)
    @writes
    def cancel(self, job_id: FromPath[UUID], unit: NamedDependency[Unit], actor: NamedDependency[Actor]) -> JobView:
        """Ask for a job to stop."""
        return JobView.of(service.cancel(unit, actor, job_id))

    @post("/{job_id:uuid}/replay", guards=[requires(*PARTICIPANTS)], status_code=200)
    @writes
    def replay(self, job_id: FromPath[UUID], unit: NamedDependency[Unit], actor: NamedDependency[Actor]) -> JobView:
        """Try a dead or cancelled job again."""
        return JobView.of(service.replay(unit, actor, job_id))
