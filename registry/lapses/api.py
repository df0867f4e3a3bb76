"""Routes of what has lapsed, of what will, and of reviews in production."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter

from registry.access.actor import Actor
from registry.catalog.service import find_version
from registry.http.guards import requires, signed_in
from registry.http.transactions import reads, writes
from registry.lapses import service
from registry.lapses.service import REVIEWING, Due
from registry.lapses.tables import LapseRow, StageReviewRow
from registry.unit import Unit


class LapseView(msgspec.Struct, frozen=True):
    """One thing that a version in production must show and shows no longer."""

    id: UUID
    version_id: UUID
    requirement: str
    """A checklist item, `finding-` with the finding's id, or `periodic-review`."""
    title: str
    reason: str
    policy_id: UUID
    since: datetime
    flagged_at: datetime
    move_at: datetime | None
    """When the grace is over; None where the policy lets the version stay."""
    then_stage: str | None
    ended_at: datetime | None
    ended_as: str | None
    """met again, moved or left production; None while it lasts."""

    @classmethod
    def of(cls, row: LapseRow) -> "LapseView":
        """The view of a row."""
        return cls(
            id=row.id,
            version_id=row.version_id,
            requirement=row.requirement,
            title=row.title,
            reason=row.reason,
            policy_id=row.policy_id,
            since=row.since,
            flagged_at=row.flagged_at,
            move_at=row.move_at,
            then_stage=row.then_stage,
            ended_at=row.ended_at,
            ended_as=row.ended_as,
        )


class ComingLapse(msgspec.Struct, frozen=True):
    """A requirement that is met now, and from `at` on will not be without new evidence."""

    requirement: str
    title: str
    reason: str
    at: datetime


class DueView(msgspec.Struct, frozen=True):
    """A version in production whose review is due, or will be within the days asked for."""

    model: str
    version: int
    version_id: UUID
    review_due_since: datetime | None
    """None while nothing has lapsed."""
    lapsed: list[LapseView]
    coming: list[ComingLapse]

    @classmethod
    def of(cls, due: Due) -> "DueView":
        """The view of a version with what is due."""
        return cls(
            model=due.found.model.name,
            version=due.found.version.number,
            version_id=due.found.version.id,
            review_due_since=min((row.since for row in due.lasting), default=None),
            lapsed=[LapseView.of(row) for row in due.lasting],
            coming=[ComingLapse(one.requirement, one.title, one.reason, one.at) for one in due.coming],
        )


class StageReview(msgspec.Struct, forbid_unknown_fields=True):
    """Why a version may stay in production for another period."""

    reason: str


class StageReviewView(msgspec.Struct, frozen=True):
    """Somebody looked again at a version in production, and lets it stay."""

    id: UUID
    version_id: UUID
    reason: str
    reviewed_by: UUID
    reviewed_at: datetime

    @classmethod
    def of(cls, row: StageReviewRow) -> "StageReviewView":
        """The view of a row."""
        return cls(row.id, row.version_id, row.reason, row.reviewed_by, row.reviewed_at)


class LapseController(Controller):
    """What has lapsed of what versions in production rest on."""

    path = "/api/v1"
    tags = ["lapses"]

    @get("/reviews-due", guards=[signed_in])
    @reads
    def due(
        self,
        unit: NamedDependency[Unit],
        actor: NamedDependency[Actor],
        days: Annotated[int, QueryParameter(ge=0, le=3650, description="How far to look ahead.")] = 30,
    ) -> list[DueView]:
        """Versions in production of which something has lapsed or will within these days; at most 500 are looked at."""
        return [DueView.of(due) for due in service.due_within(unit, actor, days)]

    @get("/models/{name:str}/versions/{number:int}/lapses", guards=[signed_in])
    @reads
    def search(
        self, name: FromPath[str], number: FromPath[int], unit: NamedDependency[Unit], actor: NamedDependency[Actor]
    ) -> list[LapseView]:
        """All that ever lapsed of a version, newest first; while one lasts, its review is due."""
        found = find_version(unit, actor, name, number)
        return [LapseView.of(row) for row in service.lapses_of(unit, found.version.id)]

    @post("/models/{name:str}/versions/{number:int}/stage-reviews", guards=[requires(*REVIEWING)])
    @writes
    def confirm(
        self,
        name: FromPath[str],
        number: FromPath[int],
        data: JSONBody[StageReview],
        unit: NamedDependency[Unit],
        actor: NamedDependency[Actor],
    ) -> StageReviewView:
        """Let a version stay in production for another period of the policy."""
        found = find_version(unit, actor, name, number)
        return StageReviewView.of(service.confirm_review(unit, actor, found, data.reason))
