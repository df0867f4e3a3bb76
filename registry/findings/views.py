"""What the API says of findings."""

from datetime import datetime
from uuid import UUID

import msgspec

from registry.findings.service import FoundFinding
from registry.findings.tables import FindingState


class FindingView(msgspec.Struct, frozen=True):
    """Something wrong with one version, with its owner and the time by which it is mended."""

    id: UUID
    model: str
    version: int
    version_id: UUID
    severity: str
    """critical, high, medium or low."""
    title: str
    description: str
    state: str
    """open, remediated or closed."""
    overdue: bool
    owner_id: UUID
    due_at: datetime
    opened_by: UUID | None
    """None where a check opened it."""
    check: str | None
    check_result_id: UUID | None
    opened_at: datetime
    remediation: str | None
    remediation_evidence: str | None
    remediated_by: UUID | None
    remediated_at: datetime | None
    closed_by: UUID | None
    closed_at: datetime | None
    escalated_at: datetime | None

    @classmethod
    def of(cls, one: FoundFinding, now: datetime) -> "FindingView":
        """The view of a finding at `now`."""
        row = one.row
        return cls(
            id=row.id,
            model=one.found.model.name,
            version=one.found.version.number,
            version_id=row.version_id,
            severity=row.severity,
            title=row.title,
            description=row.description,
            state=row.state,
            overdue=row.state != FindingState.CLOSED and row.due_at <= now,
            owner_id=row.owner_id,
            due_at=row.due_at,
            opened_by=row.opened_by,
            check=row.check_name,
            check_result_id=row.check_result_id,
            opened_at=row.opened_at,
            remediation=row.remediation,
            remediation_evidence=row.remediation_evidence,
            remediated_by=row.remediated_by,
            remediated_at=row.remediated_at,
            closed_by=row.closed_by,
            closed_at=row.closed_at,
            escalated_at=row.escalated_at,
        )
