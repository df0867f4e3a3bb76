"""Findings that automatic checks open: once for each check and version, and never closed by a check."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import select
from sqlmodel import col

from registry.access.actor import Place
from registry.catalog.service import FoundVersion
from registry.catalog.tables import ModelVersion, RegisteredModel
from registry.findings.service import record_opened
from registry.findings.tables import FindingRow
from registry.policy.outcomes import Outcome
from registry.policy.policy import CheckNeeded, Policy, Severity
from registry.policy.separation import lock_version, person_of
from registry.policy.service import find_policy_for
from registry.policy.tables import CheckResultRow
from registry.unit import Unit


def open_where_failed(unit: Unit, result: CheckResultRow) -> FindingRow | None:
    """Open a finding where a check failed that the policy says opens one; None where nothing is to be opened.

    Its owner is the model's. One that somebody closed stays closed: the failed item holds the gate by itself.
    """
    if result.outcome != Outcome.FAILED:
        return None
    model = unit.session.execute(
        select(RegisteredModel)
        .join(ModelVersion, col(ModelVersion.model_id) == col(RegisteredModel.id))
        .where(col(ModelVersion.id) == result.version_id)
    ).scalar_one()
    active = find_policy_for(unit, Place(model.name, model.team))
    severity = None if active is None else severity_of(active.policy, result.check_name)
    if active is None or severity is None:
        return None
    # Two runs of the same checks at once open one finding.
    lock_version(unit, result.version_id)
    if _is_known(unit, result.version_id, result.check_name):
        return None
    row = FindingRow(
        version_id=result.version_id,
        severity=severity.value,
        title=f"The check {result.check_name} failed",
        description=result.reason,
        owner_id=person_of(unit, model.owner_id),
        due_at=unit.now + timedelta(days=active.policy.findings.due_days.of(severity)),
        check_name=result.check_name,
        check_result_id=result.id,
        opened_at=unit.now,
    )
    record_opened(unit, None, row, FoundVersion(model, unit.session.get_one(ModelVersion, result.version_id)))
    return row


def severity_of(policy: Policy, check: str) -> Severity | None:
    """The gravest severity that the policy gives to a failure of that check; None where it opens no finding."""
    named = {
        item.shown.opens_finding
        for item in policy.items.values()
        if isinstance(item.shown, CheckNeeded) and item.shown.check == check
    }
    return next((severity for severity in Severity if severity in named), None)


def _is_known(unit: Unit, version_id: UUID, check: str) -> bool:
    query = select(col(FindingRow.id)).where(
        col(FindingRow.version_id) == version_id, col(FindingRow.check_name) == check
    )
    return unit.session.execute(query).first() is not None
