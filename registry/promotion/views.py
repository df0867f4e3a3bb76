"""What the API says of promotion requests, reviews and waivers."""

from datetime import datetime
from uuid import UUID

import msgspec

from registry.policy.views import GateView
from registry.promotion.cases import Case
from registry.promotion.tables import PromotionComment, ReviewRow, Waiver


class ReviewView(msgspec.Struct, frozen=True):
    """One reviewer's decision in one role."""

    id: UUID
    role: str
    decision: str
    reason: str
    reviewed_by: UUID
    reviewed_at: datetime
    on_behalf_of: UUID | None
    """The person whose delegate reviewed."""
    evidence: dict[str, str]
    """SHA-256 of the evidence on which an approval rests, by item."""

    @classmethod
    def of(cls, row: ReviewRow) -> "ReviewView":
        """The view of a row."""
        return cls(
            row.id,
            row.role,
            row.decision,
            row.reason,
            row.reviewed_by,
            row.reviewed_at,
            row.on_behalf_of,
            row.evidence or {},
        )


class CommentView(msgspec.Struct, frozen=True):
    """What somebody said about a request."""

    id: UUID
    text: str
    written_by: UUID
    written_at: datetime

    @classmethod
    def of(cls, row: PromotionComment) -> "CommentView":
        """The view of a row."""
        return cls(row.id, row.text, row.written_by, row.written_at)


class PromotionSummary(msgspec.Struct, frozen=True):
    """A request to move one version to one stage."""

    id: UUID
    number: int
    model: str
    version: int
    version_id: UUID
    content_digest: str
    target_stage: str
    state: str
    """open, approved, executed, rejected, withdrawn, expired or stale."""
    risk_tier: str
    policy_id: UUID
    justification: str
    requested_by: UUID
    requested_at: datetime
    expires_at: datetime
    ended_at: datetime | None
    executed_by: UUID | None

    @classmethod
    def of(cls, case: Case) -> "PromotionSummary":
        """The view of a case."""
        row = case.request
        return cls(
            id=row.id,
            number=row.number,
            model=case.found.model.name,
            version=case.found.version.number,
            version_id=row.version_id,
            content_digest=row.content_digest.hex(),
            target_stage=row.target_stage,
            state=case.state.value,
            risk_tier=row.risk_tier,
            policy_id=row.policy_id,
            justification=row.justification,
            requested_by=row.requested_by,
            requested_at=row.requested_at,
            expires_at=row.expires_at,
            ended_at=row.ended_at,
            executed_by=row.executed_by,
        )


class PromotionView(msgspec.Struct, frozen=True):
    """A request with its reviews and its gate."""

    request: PromotionSummary
    reviews: list[ReviewView]
    gate: GateView | None
    """As it stands now for a live request, as it stood for an executed one; None for the others."""
    governing_policy_id: UUID | None = None
    """The policy that governs the model now; the request keeps the one under which it was made. None: none governs."""

    @classmethod
    def of(cls, case: Case, gate: GateView | None, governing_policy_id: UUID | None = None) -> "PromotionView":
        """The view of a case and its gate."""
        reviews = [ReviewView.of(row) for row in case.reviews]
        return cls(PromotionSummary.of(case), reviews, gate, governing_policy_id)


class WaiverView(msgspec.Struct, frozen=True):
    """A dated, reasoned exception to one item of one version, or to one finding on it."""

    id: UUID
    version_id: UUID
    item: str | None
    finding_id: UUID | None
    reason: str
    compensating_measure: str
    granted_by: UUID
    granted_at: datetime
    expires_at: datetime

    @classmethod
    def of(cls, row: Waiver) -> "WaiverView":
        """The view of a row."""
        return cls(
            row.id,
            row.version_id,
            row.item,
            row.finding_id,
            row.reason,
            row.compensating_measure,
            row.granted_by,
            row.granted_at,
            row.expires_at,
        )
