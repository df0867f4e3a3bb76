"""What clients do about promotions beyond asking, reviewing and executing: rollbacks, comments, delegates, leavers."""

from datetime import datetime
from typing import Literal
from urllib.parse import quote
from uuid import UUID

import msgspec

from registry.access.actor import Role, ScopeKind
from registry.client.connection import Connection

FindingWord = Literal["justified", "not justified"]


class Comment(msgspec.Struct, frozen=True):
    """What somebody said about a request."""

    id: UUID
    text: str
    written_by: UUID
    written_at: datetime


class RollbackReview(msgspec.Struct, frozen=True):
    """One person's review of a rollback."""

    role: str
    finding: str
    reason: str
    reviewed_by: UUID
    reviewed_at: datetime


class Rollback(msgspec.Struct, frozen=True):
    """An emergency rollback; `notice` is None once its review is given."""

    id: UUID
    model: str
    from_version: int
    to_version: int
    reason: str
    called_by: UUID
    called_at: datetime
    reviewers: int
    review_due_at: datetime
    reviewed_at: datetime | None
    notice: str | None
    reviews: list[RollbackReview]


class Delegation(msgspec.Struct, frozen=True):
    """A role in which one person acts for another one."""

    id: UUID
    actor_id: UUID
    on_behalf_of: UUID | None
    role: str
    expires_at: datetime | None


class Handover(msgspec.Struct, frozen=True):
    """How much of a leaver's work was handed over."""

    models: int
    findings: int
    requests: int


class PromotionCalls:
    """The part of the client that speaks of them."""

    _connection: Connection

    def comment(self, request_id: UUID, text: str) -> Comment:
        """Say something about a promotion request."""
        return self._connection.post(f"/api/v1/promotions/{request_id}/comments", {"text": text}, Comment)

    def comments(self, request_id: UUID) -> list[Comment]:
        """What was said about a promotion request, oldest first."""
        return self._connection.get(f"/api/v1/promotions/{request_id}/comments", list[Comment])

    def roll_back(self, model: str, reason: str) -> Rollback:
        """Put the version back into production that was there before, and owe a review."""
        return self._connection.post(f"/api/v1/models/{quote(model, safe='')}/rollback", {"reason": reason}, Rollback)

    def rollbacks(self, model: str | None = None) -> list[Rollback]:
        """Emergency rollbacks, newest first."""
        return self._connection.get("/api/v1/rollbacks", list[Rollback], {"model": model})

    def review_rollback(self, rollback_id: UUID, finding: FindingWord, reason: str) -> Rollback:
        """Say afterwards whether a rollback was justified."""
        body = {"finding": finding, "reason": reason}
        return self._connection.post(f"/api/v1/rollbacks/{rollback_id}/reviews", body, Rollback)

    def delegate(
        self, actor_id: UUID, role: Role, expires_at: datetime, scope: ScopeKind, scope_name: str | None = None
    ) -> Delegation:
        """Let another person act in one of one's own roles."""
        body = {
            "actor_id": actor_id,
            "role": role,
            "expires_at": expires_at,
            "scope_kind": scope,
            "scope_name": scope_name,
        }
        return self._connection.post("/api/v1/delegations", body, Delegation)

    def end_delegation(self, delegation_id: UUID) -> None:
        """End a delegation now."""
        self._connection.delete(f"/api/v1/delegations/{delegation_id}")

    def hand_over(self, leaver_id: UUID, to: UUID, reason: str) -> Handover:
        """Give the open work of a person who has left to another one."""
        return self._connection.post(f"/api/v1/actors/{leaver_id}/handover", {"to": to, "reason": reason}, Handover)
