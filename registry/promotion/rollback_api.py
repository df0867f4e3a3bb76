"""Routes of emergency rollbacks and of the reviews that they owe."""

from datetime import datetime
from uuid import UUID

import msgspec
from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody

from registry.access.actor import PARTICIPANTS, Actor
from registry.http.guards import requires, signed_in
from registry.http.transactions import reads, writes
from registry.promotion.rollback import (
    RolledBack,
    find_rollback,
    list_rollbacks,
    review_rollback,
    roll_back,
    rollbacks_owing_review,
    sentence,
)
from registry.promotion.tables import RollbackFinding, RollbackReview
from registry.unit import Unit


class NewRollback(msgspec.Struct, forbid_unknown_fields=True):
    """Why a model must go back at once."""

    reason: str


class NewRollbackReview(msgspec.Struct, forbid_unknown_fields=True):
    """What a reviewer finds afterwards."""

    finding: RollbackFinding
    reason: str


class RollbackReviewView(msgspec.Struct, frozen=True):
    """One person's review of a rollback."""

    id: UUID
    role: str
    finding: str
    reason: str
    reviewed_by: UUID
    on_behalf_of: UUID | None
    reviewed_at: datetime

    @classmethod
    def of(cls, row: RollbackReview) -> "RollbackReviewView":
        """The view of a row."""
        return cls(row.id, row.role, row.finding, row.reason, row.reviewed_by, row.on_behalf_of, row.reviewed_at)


class RollbackView(msgspec.Struct, frozen=True):
    """An emergency rollback, and whether its review is owed."""

    id: UUID
    model: str
    from_version: int
    to_version: int
    reason: str
    called_by: UUID
    on_behalf_of: UUID | None
    called_at: datetime
    reviewers: int
    review_due_at: datetime
    reviewed_at: datetime | None
    notice: str | None
    """What every view of the model says until the review is given; None from then on."""
    reviews: list[RollbackReviewView]

    @classmethod
    def of(cls, found: RolledBack, now: datetime) -> "RollbackView":
        """The view of a rollback at an instant."""
        row = found.row
        return cls(
            id=row.id,
            model=found.model.name,
            from_version=found.from_number,
            to_version=found.to_number,
            reason=row.reason,
            called_by=row.called_by,
            on_behalf_of=row.on_behalf_of,
            called_at=row.called_at,
            reviewers=row.reviewers,
            review_due_at=row.review_due_at,
            reviewed_at=row.reviewed_at,
            notice=sentence(found, now) if found.review_is_owed else None,
            reviews=[RollbackReviewView.of(review) for review in found.reviews],
        )


class RollbackController(Controller):
    """Emergency rollbacks."""

    path = "/api/v1"
    tags = ["promotions"]

    # Which role may is the policy's to say: the service asks it.
    @post("/models/{name:str}/rollback", guards=[requires(*PARTICIPANTS)])
    @writes
    def call(
        self,
        name: FromPath[str],
        data: JSONBody[NewRollback],
        unit: NamedDependency[Unit],
        actor: NamedDependency[Actor],
    ) -> RollbackView:
        """Put the version back into production that was there before the present one, and owe a review."""
        return RollbackView.of(roll_back(unit, actor, name, data.reason), unit.now)

    @get("/rollbacks", guards=[signed_in])
    @reads
    def search(
        self,
        unit: NamedDependency[Unit],
        actor: NamedDependency[Actor],
        model: FromQuery[str | None] = None,
        owed: FromQuery[bool] = False,
    ) -> list[RollbackView]:
        """Rollbacks, newest first; with `owed` those whose review is owed, the one due first at the head."""
        find = rollbacks_owing_review if owed else list_rollbacks
        return [RollbackView.of(one, unit.now) for one in find(unit, actor, model)]

    @get("/rollbacks/{rollback_id:uuid}", guards=[signed_in])
    @reads
    def show(
        self, rollback_id: FromPath[UUID], unit: NamedDependency[Unit], actor: NamedDependency[Actor]
    ) -> RollbackView:
        """A rollback with its reviews."""
        return RollbackView.of(find_rollback(unit, actor, rollback_id), unit.now)

    @post("/rollbacks/{rollback_id:uuid}/reviews", guards=[requires(*PARTICIPANTS)])
    @writes
    def review(
        self,
        rollback_id: FromPath[UUID],
        data: JSONBody[NewRollbackReview],
        unit: NamedDependency[Unit],
        actor: NamedDependency[Actor],
    ) -> RollbackView:
        """Say afterwards whether it was justified."""
        return RollbackView.of(review_rollback(unit, actor, rollback_id, data.finding, data.reason), unit.now)
