"""Emergency rollback: back to the version that was in production before, in one call, reviewed afterwards.

No gate is evaluated: the version passed one when it entered production. Who calls it answers for it to others: until
so many persons as the policy names have reviewed it, every view of the model says that the review is owed.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlmodel import col

from registry.access.actor import Actor, Place
from registry.access.service import visible
from registry.access.tables import ActorRow
from registry.catalog.facts import Stage
from registry.catalog.service import get_model
from registry.catalog.tables import ModelVersion, RegisteredModel
from registry.errors import ConflictError, NotFoundError
from registry.names import checked_text
from registry.policy.separation import acted_as, persons_of, read_clock_again
from registry.policy.serial import hold_policies
from registry.policy.service import policy_for, policy_of
from registry.promotion.errors import NothingToRollBackError, SelfReviewError
from registry.promotion.moves import move
from registry.promotion.production import entered_production
from registry.promotion.tables import PromotionRequest, RequestState, Rollback, RollbackFinding, RollbackReview
from registry.promotion.telling import tell_rolled_back
from registry.unit import Committed, Unit


@dataclass(frozen=True)
class RolledBack:
    """A rollback with its model, its versions and its reviews."""

    row: Rollback
    model: RegisteredModel
    from_number: int
    to_number: int
    reviews: tuple[RollbackReview, ...]

    @property
    def review_is_owed(self) -> bool:
        """Whether somebody must still review it."""
        return self.row.reviewed_at is None


def roll_back(unit: Unit, actor: Actor, name: str, reason: str) -> RolledBack:
    """Put the version back into production that was there before the present one.

    Raises:
        NotFoundError: no such model, or the actor may not see it.
        RefusedError: the actor does not hold the role that the policy names.
        NothingToRollBackError: no version is in production, none was before it, or its bytes are not the same.
    """
    checked_text("reason", reason)
    hold_policies(unit)
    model = get_model(unit, actor, name)
    place = Place(model.name, model.team)
    active = policy_for(unit, place)
    rule = active.policy.rollback
    capacity = actor.capacity(rule.role, place=place)
    versions = _locked_versions(unit, model)
    current, previous = _current_and_previous(unit, model, versions)
    row = Rollback(
        model_id=model.id,
        from_version_id=current.id,
        to_version_id=previous.id,
        policy_id=active.row_id,
        reason=reason,
        called_by=actor.id,
        on_behalf_of=capacity.on_behalf_of,
        called_at=unit.now,
        reviewers=rule.reviewers,
        review_due_at=unit.now + timedelta(days=rule.review_days),
    )
    unit.session.add(row)
    unit.record(
        actor,
        "rollback.called",
        row.id,
        {
            "model_id": row.model_id,
            "from_version_id": row.from_version_id,
            "to_version_id": row.to_version_id,
            "policy_id": row.policy_id,
            "reason": Committed(reason),
            "on_behalf_of": row.on_behalf_of,
            "called_at": row.called_at,
            "reviewers": row.reviewers,
            "review_due_at": row.review_due_at,
        },
    )
    cause = {"rollback_id": row.id}
    move(unit, actor, current, Stage(rule.displaced.value), cause)
    if previous.stage != Stage.PRODUCTION:
        move(unit, actor, previous, Stage.PRODUCTION, cause)
    tell_rolled_back(unit, model, row, (current.number, previous.number), rule.reviewed_by)
    unit.session.flush()
    return find_rollback(unit, actor, row.id)


def _locked_versions(unit: Unit, model: RegisteredModel) -> dict[UUID, ModelVersion]:
    """The model's versions that are or were in production, locked with the model: executions wait, and are seen."""
    lock = {"populate_existing": True}
    session = unit.session
    query = select(RegisteredModel).where(col(RegisteredModel.id) == model.id).with_for_update()
    session.execute(query.execution_options(**lock)).scalar_one()
    entered = select(col(PromotionRequest.version_id)).where(
        col(PromotionRequest.target_stage) == Stage.PRODUCTION.value,
        col(PromotionRequest.state) == RequestState.EXECUTED.value,
    )
    rows = session.execute(
        select(ModelVersion)
        .where(col(ModelVersion.model_id) == model.id, col(ModelVersion.id).in_(entered))
        .order_by(col(ModelVersion.number))
        .with_for_update()
        .execution_options(**lock)
    ).scalars()
    found = {row.id: row for row in rows}
    read_clock_again(unit)
    return found


def _current_and_previous(
    unit: Unit, model: RegisteredModel, versions: dict[UUID, ModelVersion]
) -> tuple[ModelVersion, ModelVersion]:
    """The version that entered production last and is there, and the one that was there before it."""
    entered = entered_production(unit, model.id)
    places = [place for place, one in enumerate(entered) if versions[one.version_id].stage == Stage.PRODUCTION]
    if not places:
        raise NothingToRollBackError("No version of this model is in production by a promotion.")
    current = versions[entered[places[-1]].version_id]
    before = [one for one in entered[: places[-1]] if one.version_id != current.id]
    if not before:
        raise NothingToRollBackError(
            f"No other version of this model was in production before version {current.number}, or only such that a "
            "rollback left."
        )
    previous = versions[before[-1].version_id]
    if previous.content_digest != before[-1].content_digest:
        raise NothingToRollBackError("The version before no longer has the content digest with which it was promoted.")
    return current, previous


def review_rollback(unit: Unit, actor: Actor, rollback_id: UUID, finding: RollbackFinding, reason: str) -> RolledBack:
    """Say afterwards whether a rollback was justified. With the last review that it owes it is done.

    Raises:
        NotFoundError: there is none, or the actor may not see its model.
        RefusedError: the actor holds no role that reviews rollbacks there.
        SelfReviewError: a person who counts for the actor called it.
        ConflictError: it is done, or that person has reviewed it already.
    """
    checked_text("reason", reason)
    found = find_rollback(unit, actor, rollback_id)
    place = Place(found.model.name, found.model.team)
    capacity = actor.capacity(*policy_of(unit, found.row.policy_id).policy.rollback.reviewed_by, place=place)
    query = select(Rollback).where(col(Rollback.id) == rollback_id).with_for_update()
    row = unit.session.execute(query.execution_options(populate_existing=True)).scalar_one()
    read_clock_again(unit)
    if row.reviewed_at is not None:
        raise ConflictError("This rollback is reviewed already.")
    if capacity.persons & {*persons_of(unit, row.called_by), row.on_behalf_of}:
        raise SelfReviewError("Nobody reviews a rollback that they called.", "Ask another reviewer.")
    _refuse_second_review(unit, row, capacity.persons)
    given = RollbackReview(
        rollback_id=row.id,
        role=capacity.role.value,
        finding=finding.value,
        reason=reason,
        reviewed_by=actor.id,
        on_behalf_of=capacity.on_behalf_of,
        reviewed_at=unit.now,
    )
    unit.session.add(given)
    unit.session.flush()
    if len(_reviews_of(unit, [row.id])) >= row.reviewers:
        row.reviewed_at = unit.now
    unit.record(
        actor,
        "rollback.reviewed",
        row.id,
        {
            "review_id": given.id,
            "role": capacity.role,
            "finding": finding,
            "reason": Committed(reason),
            "on_behalf_of": given.on_behalf_of,
            "given_at": given.reviewed_at,
            "reviewed_at": row.reviewed_at,
        },
    )
    return find_rollback(unit, actor, rollback_id)


def _refuse_second_review(unit: Unit, row: Rollback, persons: frozenset[UUID]) -> None:
    query = (
        select(col(RollbackReview.id))
        .join(ActorRow, col(RollbackReview.reviewed_by) == col(ActorRow.id))
        .where(col(RollbackReview.rollback_id) == row.id, acted_as(col(RollbackReview.on_behalf_of), persons))
    )
    if unit.session.execute(query.limit(1)).first() is not None:
        raise ConflictError("You have reviewed this rollback already.", "Somebody else must give the other review.")


def find_rollback(unit: Unit, actor: Actor, rollback_id: UUID) -> RolledBack:
    """A rollback with its reviews.

    Raises:
        NotFoundError: there is none, or the actor may not see its model.
    """
    row = unit.session.get(Rollback, rollback_id)
    if row is not None:
        [found] = _with_reviews(unit, [row])
        if actor.reads(Place(found.model.name, found.model.team)):
            return found
    raise NotFoundError("rollback", rollback_id)


def list_rollbacks(unit: Unit, actor: Actor, model: str | None = None) -> list[RolledBack]:
    """The rollbacks of the models that the actor may see, newest first; at most 200."""
    query = select(Rollback).join(RegisteredModel, col(RegisteredModel.id) == col(Rollback.model_id))
    condition = visible(actor, col(RegisteredModel.name), col(RegisteredModel.team))
    if condition is not None:
        query = query.where(condition)
    if model is not None:
        query = query.where(col(RegisteredModel.name) == model)
    query = query.order_by(col(Rollback.called_at).desc(), col(Rollback.id)).limit(200)
    return _with_reviews(unit, list(unit.session.execute(query).scalars()))


def rollbacks_owing_review(unit: Unit, actor: Actor, model: str | None = None) -> list[RolledBack]:
    """Those of which the review is owed, the one due first at the head."""
    owed = [one for one in list_rollbacks(unit, actor, model) if one.review_is_owed]
    return sorted(owed, key=lambda one: (one.row.review_due_at, str(one.row.id)))


def owed_review_of(unit: Unit, model_id: UUID) -> Rollback | None:
    """The rollback of a model whose review is due first, for views whose reader has been let in already."""
    query = (
        select(Rollback)
        .where(col(Rollback.model_id) == model_id, col(Rollback.reviewed_at).is_(None))
        .order_by(col(Rollback.review_due_at), col(Rollback.id))
        .limit(1)
    )
    return unit.session.execute(query).scalar()


def _with_reviews(unit: Unit, rows: Iterable[Rollback]) -> list[RolledBack]:
    listed = list(rows)
    versions = {one for row in listed for one in (row.from_version_id, row.to_version_id)}
    query = select(col(ModelVersion.id), col(ModelVersion.number)).where(col(ModelVersion.id).in_(versions))
    numbers = {row[0]: row[1] for row in unit.session.execute(query)}
    models = unit.session.execute(
        select(RegisteredModel).where(col(RegisteredModel.id).in_({row.model_id for row in listed}))
    ).scalars()
    named = {model.id: model for model in models}
    reviews = _reviews_of(unit, [row.id for row in listed])
    return [
        RolledBack(
            row,
            named[row.model_id],
            numbers[row.from_version_id],
            numbers[row.to_version_id],
            tuple(review for review in reviews if review.rollback_id == row.id),
        )
        for row in listed
    ]


def _reviews_of(unit: Unit, rollback_ids: list[UUID]) -> list[RollbackReview]:
    query = (
        select(RollbackReview)
        .where(col(RollbackReview.rollback_id).in_(rollback_ids))
        .order_by(col(RollbackReview.reviewed_at), col(RollbackReview.id))
    )
    return list(unit.session.execute(query).scalars())


def notice_of(unit: Unit, model_id: UUID) -> str | None:
    """What every view of a model says as long as the review of a rollback is owed; None where none is."""
    row = owed_review_of(unit, model_id)
    return None if row is None else sentence(_with_reviews(unit, [row])[0], unit.now)


def sentence(found: RolledBack, now: datetime) -> str:
    """What every view says of the model until the review is given."""
    row = found.row
    due = f"{row.review_due_at:%Y-%m-%d}"
    when = f"was due on {due} and is overdue" if row.review_due_at < now else f"is due on {due}"
    return (
        f"Version {found.to_number} was put back into production in the place of version {found.from_number} by an "
        f"emergency rollback of {row.called_at:%Y-%m-%d}; its review {when}."
    )
