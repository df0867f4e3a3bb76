"""Findings whose due time has passed: told once to those who answer for them."""

from uuid import UUID

from sqlalchemy import select
from sqlmodel import col

from registry.access.actor import Role
from registry.catalog.service import FoundVersion
from registry.catalog.tables import ModelVersion, RegisteredModel
from registry.findings.tables import FindingRow, FindingState
from registry.notifications.service import Event, Subject, holders_of, notify
from registry.policy.separation import person_of
from registry.unit import Unit


def overdue(unit: Unit) -> list[UUID]:
    """Findings that are due and not closed, and of which nobody was told yet, the first due first."""
    query = (
        select(col(FindingRow.id))
        .where(
            col(FindingRow.state) != FindingState.CLOSED.value,
            col(FindingRow.due_at) <= unit.now,
            col(FindingRow.escalated_at).is_(None),
        )
        .order_by(col(FindingRow.due_at), col(FindingRow.id))
    )
    return list(unit.session.execute(query).scalars())


def escalate(unit: Unit, finding_id: UUID) -> bool:
    """Tell a finding's owner, the model's owner and the risk officers that it is overdue; False where it is not."""
    query = (
        select(FindingRow, RegisteredModel, ModelVersion)
        .join(ModelVersion, col(ModelVersion.id) == col(FindingRow.version_id))
        .join(RegisteredModel, col(RegisteredModel.id) == col(ModelVersion.model_id))
        .where(col(FindingRow.id) == finding_id)
        .with_for_update(of=FindingRow)
        .execution_options(populate_existing=True)
    )
    row, model, version = unit.session.execute(query).one()
    if row.state == FindingState.CLOSED or row.escalated_at is not None or row.due_at > unit.now:
        return False
    row.escalated_at = unit.now
    unit.record(
        None,
        "finding.escalated",
        row.id,
        {"version_id": row.version_id, "due_at": row.due_at, "escalated_at": row.escalated_at},
    )
    place = FoundVersion(model, version).place
    persons = {row.owner_id, person_of(unit, model.owner_id)} | holders_of(unit, place, [Role.RISK_OFFICER])
    facts = {
        "model": model.name,
        "version": str(version.number),
        "severity": row.severity,
        "finding": row.title,
        "due": f"{row.due_at:%Y-%m-%d %H:%M} UTC",
    }
    notify(
        unit,
        Event.FINDING_ESCALATED,
        Subject("finding", row.id, row.title, f"/findings/{row.id}", place),
        persons,
        facts,
    )
    return True
