"""Bias assessments of a version: asked for here, done by a job, bound to the version's declared test set."""

from dataclasses import dataclass
from uuid import UUID

import msgspec
from sqlalchemy import select
from sqlmodel import col

from registry.access.actor import Actor, Role
from registry.assessments.request import AssessmentRoles, check_roles
from registry.assessments.tables import AssessmentRow, AssessmentState
from registry.assessments.verdicts import Verdict
from registry.catalog.facts import DatasetRole, EdgeKind
from registry.catalog.service import FoundVersion, find_version, version_by_id
from registry.catalog.tables import LineageRow
from registry.errors import ConflictError, InvalidInputError, NotFoundError, UnprocessableError
from registry.evidence.downloads import Download
from registry.jobs.service import enqueue, get_job
from registry.jobs.tables import JobRow, JobState
from registry.names import checked_path_part
from registry.policy.jobs import request_checks
from registry.unit import Committed, Unit

ASSESSORS = (Role.DEVELOPER, Role.VALIDATOR, Role.ETHICS_REVIEWER, Role.RISK_OFFICER)
"""Who may ask for an assessment."""


@dataclass(frozen=True)
class Predictions:
    """An uploaded table of outcomes and predictions, whose bytes are stored, and the names of its columns."""

    name: str
    digest: bytes
    size_bytes: int
    columns: tuple[str, ...]


@dataclass(frozen=True)
class FoundAssessment:
    """An assessment and the job that does it."""

    row: AssessmentRow
    job: JobRow | None

    @property
    def state(self) -> AssessmentState:
        """Whether there is a result; a job that ended without one has failed."""
        state = AssessmentState(self.row.state)
        ended = self.job is not None and self.job.state in {JobState.DEAD, JobState.CANCELLED}
        return AssessmentState.FAILED if state is AssessmentState.WAITING and ended else state

    @property
    def error(self) -> str | None:
        """Why it failed."""
        if self.state is not AssessmentState.FAILED or self.job is None:
            return None
        return self.job.error or f"The job was {self.job.state}."


def request(
    unit: Unit, actor: Actor, name: str, number: int, predictions: Predictions, roles: AssessmentRoles
) -> FoundAssessment:
    """Ask for an assessment of a version; a job does it.

    Raises:
        NotFoundError: no such version.
        RefusedError: the actor may not assess it.
        UnprocessableError: a column that is not in the data, contradictory roles, or a digest that belongs to no test
            set of the version.
    """
    found = find_version(unit, actor, name, number)
    actor.require(*ASSESSORS, place=found.place)
    checked_path_part("file name", predictions.name)
    if predictions.size_bytes == 0:
        raise InvalidInputError("file", predictions.name, "it is empty")
    declared = check_roles(roles, predictions.columns)
    if declared is not None:
        _check_declared(unit, found, declared)
    row = AssessmentRow(
        version_id=found.version.id,
        requested_by=actor.id,
        requested_at=unit.now,
        data_name=predictions.name,
        data_digest=predictions.digest,
        declared_digest=declared,
        data_size_bytes=predictions.size_bytes,
        roles=msgspec.to_builtins(roles),
    )
    job = get_job(unit, enqueue(unit, actor, "assess", {"assessment_id": str(row.id)}, subject_id=found.version.id))
    row.job_id = job.id
    unit.session.add(row)
    unit.record(
        actor,
        "assessment.requested",
        row.id,
        {
            "version_id": found.version.id,
            "job_id": job.id,
            "origin": row.origin,
            "data_name": Committed(row.data_name),
            "data_sha256": row.data_digest.hex(),
            "data_size_bytes": row.data_size_bytes,
            "declared_sha256": None if declared is None else declared.hex(),
            "roles": Committed(msgspec.json.encode(row.roles, order="deterministic").decode()),
        },
    )
    return FoundAssessment(row, job)


def _check_declared(unit: Unit, found: FoundVersion, declared: bytes) -> None:
    edges = unit.session.execute(
        select(col(LineageRow.name), col(LineageRow.digest)).where(
            col(LineageRow.version_id) == found.version.id,
            col(LineageRow.kind) == EdgeKind.DATASET.value,
            col(LineageRow.role) == DatasetRole.TEST.value,
        )
    ).all()
    if declared in {digest for _, digest in edges}:
        return
    listed = ", ".join(f"{name} ({digest.hex()})" for name, digest in edges if digest) or "none"
    raise UnprocessableError(
        "declared_digest",
        f"declared_digest is {declared.hex()}: no test set of version {found.version.number} has that digest.",
        f"Its declared test sets: {listed}.",
    )


def list_assessments(unit: Unit, actor: Actor, name: str, number: int) -> list[FoundAssessment]:
    """All assessments of a version, the newest first.

    Raises:
        NotFoundError: no such version.
    """
    return assessments_of(unit, find_version(unit, actor, name, number).version.id)


def assessments_of(unit: Unit, version_id: UUID) -> list[FoundAssessment]:
    """All assessments of a version that the caller has found, the newest first."""
    query = (
        select(AssessmentRow, JobRow)
        .outerjoin(JobRow, col(JobRow.id) == col(AssessmentRow.job_id))
        .where(col(AssessmentRow.version_id) == version_id)
        .order_by(col(AssessmentRow.requested_at).desc(), col(AssessmentRow.id))
    )
    return [FoundAssessment(row, job) for row, job in unit.session.execute(query)]


def find_assessment(unit: Unit, actor: Actor, assessment_id: UUID) -> FoundAssessment:
    """An assessment by its id.

    Raises:
        NotFoundError: there is none, or the actor may not see its version.
    """
    row = unit.session.get(AssessmentRow, assessment_id)
    if row is None:
        raise NotFoundError("assessment", assessment_id)
    try:
        version_by_id(unit, actor, row.version_id)
    except NotFoundError:
        raise NotFoundError("assessment", assessment_id) from None
    return FoundAssessment(row, None if row.job_id is None else unit.session.get(JobRow, row.job_id))


def download_result(unit: Unit, actor: Actor, assessment_id: UUID) -> Download:
    """The result of a finished assessment, to be handed out.

    Raises:
        NotFoundError: no such assessment.
        ConflictError: it has no result.
    """
    found = find_assessment(unit, actor, assessment_id)
    row = found.row
    if row.result_digest is None:
        raise ConflictError(f"This assessment has no result: it is {found.state.value}.", found.error)
    return Download("assessment", row.id, row.version_id, row.result_digest, "application/json")


@dataclass(frozen=True)
class Outcome:
    """What an assessment found, its result stored."""

    verdict: Verdict
    rows: int
    result_digest: bytes
    summary: str
    performance: dict[str, str]
    """Recomputed from the same table; decimal strings."""
    compared: list[list[str]]
    """The sensitive features, and the combinations of them, whose groups were compared."""


def finish(unit: Unit, assessment_id: UUID, outcome: Outcome) -> None:
    """Keep what an assessment found, and have the version's checks run again."""
    row = unit.session.get_one(AssessmentRow, assessment_id)
    row.state = AssessmentState.DONE.value
    row.verdict = outcome.verdict.value
    row.rows = outcome.rows
    row.result_digest = outcome.result_digest
    row.summary = outcome.summary
    row.compared = outcome.compared
    row.accuracy = outcome.performance.get("accuracy")
    row.finished_at = unit.now
    unit.record(
        None,
        "assessment.finished",
        row.id,
        {
            "version_id": row.version_id,
            "origin": row.origin,
            "verdict": row.verdict,
            "rows": outcome.rows,
            "data_sha256": row.data_digest.hex(),
            "result_sha256": outcome.result_digest.hex(),
            "summary": Committed(outcome.summary),
            "performance": dict(outcome.performance),
            "compared": Committed(msgspec.json.encode(outcome.compared).decode()),
        },
    )
    request_checks(unit, None, row.version_id)


def fail(unit: Unit, assessment_id: UUID, reason: str) -> None:
    """Keep that the data cannot be assessed, however often it is tried; the job says why."""
    row = unit.session.get_one(AssessmentRow, assessment_id)
    row.state = AssessmentState.FAILED.value
    row.finished_at = unit.now
    unit.record(None, "assessment.failed", row.id, {"version_id": row.version_id, "reason": Committed(reason)})
