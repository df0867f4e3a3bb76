"""Versions in production are checked again from time to time: bytes, export and plan may have changed unseen."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, func, select
from sqlmodel import col

from registry.catalog.facts import Stage
from registry.catalog.tables import ModelVersion
from registry.jobs.service import enqueue
from registry.jobs.tables import JobRow, JobState
from registry.policy.tables import CheckResultRow
from registry.unit import Unit

RECHECK_AFTER = timedelta(days=7)
"""Since the newest result of any check of the version."""


def to_check_again(unit: Unit) -> list[UUID]:
    """The versions in production that were checked last longer ago, and wait for no check."""
    return list(unit.session.execute(select(col(ModelVersion.id)).where(*_conditions(unit))).scalars())


def check_again(unit: Unit, version_id: UUID) -> bool:
    """Enqueue the checks of a version, unless somebody else did meanwhile; whether they were."""
    query = select(ModelVersion).where(col(ModelVersion.id) == version_id).with_for_update()
    unit.session.execute(query.execution_options(populate_existing=True)).scalar_one()
    still = select(col(ModelVersion.id)).where(col(ModelVersion.id) == version_id, *_conditions(unit))
    if unit.session.execute(still).first() is None:
        return False
    enqueue(unit, None, "run-checks", {"version_id": str(version_id)}, subject_id=version_id)
    return True


def _conditions(unit: Unit) -> tuple[ColumnElement[bool], ...]:
    newest = (
        select(func.max(col(CheckResultRow.checked_at)))
        .where(col(CheckResultRow.version_id) == col(ModelVersion.id))
        .scalar_subquery()
    )
    pending = (
        select(col(JobRow.id))
        .where(
            col(JobRow.kind) == "run-checks",
            col(JobRow.subject_id) == col(ModelVersion.id),
            col(JobRow.state).in_((JobState.QUEUED.value, JobState.RUNNING.value)),
        )
        .exists()
    )
    return col(ModelVersion.stage) == Stage.PRODUCTION.value, newest <= unit.now - RECHECK_AFTER, ~pending
