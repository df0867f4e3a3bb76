"""What clients do about findings, and about what has lapsed of versions in production."""

from collections.abc import Iterator
from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec

from registry.client.answers import Page, Waiver
from registry.client.connection import Connection, version_path
from registry.client.paging import pages

SeverityWord = Literal["critical", "high", "medium", "low"]
FindingStateWord = Literal["open", "remediated", "closed"]


class Finding(msgspec.Struct, frozen=True):
    """Something wrong with one version."""

    id: UUID
    model: str
    version: int
    severity: str
    title: str
    description: str
    state: str
    overdue: bool
    owner_id: UUID
    due_at: datetime
    opened_by: UUID | None
    check: str | None
    opened_at: datetime
    remediation: str | None
    remediation_evidence: str | None
    remediated_by: UUID | None
    remediated_at: datetime | None
    closed_by: UUID | None
    closed_at: datetime | None


class Lapse(msgspec.Struct, frozen=True):
    """One thing that a version in production must show and shows no longer."""

    requirement: str
    title: str
    reason: str
    since: datetime
    flagged_at: datetime
    move_at: datetime | None
    then_stage: str | None
    ended_at: datetime | None
    ended_as: str | None


class ComingLapse(msgspec.Struct, frozen=True):
    """A requirement that is met now, and from `at` on will not be without new evidence."""

    requirement: str
    title: str
    reason: str
    at: datetime


class Due(msgspec.Struct, frozen=True):
    """A version in production whose review is due, or will be within the days asked for."""

    model: str
    version: int
    review_due_since: datetime | None
    lapsed: list[Lapse]
    coming: list[ComingLapse]


class StageReview(msgspec.Struct, frozen=True):
    """Somebody looked again at a version in production, and lets it stay."""

    id: UUID
    reviewed_by: UUID
    reviewed_at: datetime


class FindingCalls:
    """The part of the client that speaks of findings and lapses."""

    _connection: Connection

    def open_finding(
        self,
        model: str,
        number: int,
        *,
        severity: SeverityWord,
        title: str,
        description: str,
        owner_id: UUID | None = None,
        due_at: datetime | None = None,
    ) -> Finding:
        """State what is wrong with a version. Its owner is the model's, and the policy says by when, unless given."""
        body = {
            "severity": severity,
            "title": title,
            "description": description,
            "owner_id": owner_id,
            "due_at": due_at,
        }
        return self._connection.post(f"{version_path(model, number)}/findings", body, Finding)

    def findings(
        self,
        model: str | None = None,
        state: FindingStateWord | None = None,
        severity: SeverityWord | None = None,
        owner_id: UUID | None = None,
    ) -> Iterator[Finding]:
        """Findings, the first due first."""
        owner = None if owner_id is None else str(owner_id)
        query = {"model": model, "state": state, "severity": severity, "owner_id": owner}
        return pages(self._connection, "/api/v1/findings", Page[Finding], query)

    def finding(self, finding_id: UUID) -> Finding:
        """A finding."""
        return self._connection.get(f"/api/v1/findings/{finding_id}", Finding)

    def remediate_finding(self, finding_id: UUID, remediation: str, evidence: str) -> Finding:
        """Say what was done about a finding, and where that is seen."""
        body = {"remediation": remediation, "evidence": evidence}
        return self._connection.post(f"/api/v1/findings/{finding_id}/remediation", body, Finding)

    def close_finding(self, finding_id: UUID, reason: str) -> Finding:
        """Agree that a finding is mended, as somebody who neither owns nor remediated it."""
        return self._connection.post(f"/api/v1/findings/{finding_id}/closing", {"reason": reason}, Finding)

    def reopen_finding(self, finding_id: UUID, reason: str, due_at: datetime | None = None) -> Finding:
        """Say that a finding is not mended after all."""
        body = {"reason": reason, "due_at": due_at}
        return self._connection.post(f"/api/v1/findings/{finding_id}/reopening", body, Finding)

    def reassign_finding(
        self, finding_id: UUID, owner_id: UUID, reason: str, due_at: datetime | None = None
    ) -> Finding:
        """Give a finding to another owner, and another time."""
        body = {"owner_id": owner_id, "reason": reason, "due_at": due_at}
        return self._connection.post(f"/api/v1/findings/{finding_id}/owner", body, Finding)

    def change_severity(self, finding_id: UUID, severity: SeverityWord, reason: str) -> Finding:
        """Say that a finding is graver, or less grave, as a risk officer."""
        body = {"severity": severity, "reason": reason}
        return self._connection.post(f"/api/v1/findings/{finding_id}/severity", body, Finding)

    def waive_finding(
        self, finding_id: UUID, *, reason: str, compensating_measure: str, expires_at: datetime
    ) -> Waiver:
        """Except a finding for a while: until then it holds no gate."""
        body = {"reason": reason, "compensating_measure": compensating_measure, "expires_at": expires_at}
        return self._connection.post(f"/api/v1/findings/{finding_id}/waivers", body, Waiver)

    def revoke_waiver(self, waiver_id: UUID, reason: str) -> Waiver:
        """End a waiver now."""
        return self._connection.post(f"/api/v1/waivers/{waiver_id}/revocation", {"reason": reason}, Waiver)

    def waivers(self, model: str, number: int) -> list[Waiver]:
        """All waivers of a version, ended ones too, newest first."""
        return self._connection.get(f"{version_path(model, number)}/waivers", list[Waiver])

    def reviews_due(self, days: int = 30) -> list[Due]:
        """Versions in production of which something has lapsed, or will within these days."""
        return self._connection.get("/api/v1/reviews-due", list[Due], {"days": days})

    def lapses(self, model: str, number: int) -> list[Lapse]:
        """All that ever lapsed of a version, newest first."""
        return self._connection.get(f"{version_path(model, number)}/lapses", list[Lapse])

    def confirm_review(self, model: str, number: int, reason: str) -> StageReview:
        """Let a version stay in production for another period of the policy."""
        return self._connection.post(f"{version_path(model, number)}/stage-reviews", {"reason": reason}, StageReview)
