"""What a change of the policies in force makes of the models: which policy governs them, their tier, live requests."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlmodel import col

from registry.access.actor import Actor, Place
from registry.catalog.facts import Stage
from registry.catalog.risk import assessed_under, begin_state, profile_of
from registry.catalog.tables import ModelVersion, RegisteredModel
from registry.errors import ConflictError
from registry.policy.service import ActivePolicy, governing
from registry.promotion.staleness import end
from registry.promotion.states import LIVE, Event
from registry.promotion.tables import PromotionRequest
from registry.unit import Unit


def reassess(unit: Unit, actor: Actor, before: Sequence[ActivePolicy], after: Sequence[ActivePolicy]) -> None:
    """Assess every model's risk anew by the policy that governs it from now on.

    A new state of its risk begins where tier, reason or the governing policy's name is another one.

    Raises:
        ConflictError: a model with a version in production would be governed by none.
    """
    query = select(col(RegisteredModel.id), col(RegisteredModel.name), col(RegisteredModel.team)).order_by(
        col(RegisteredModel.name)
    )
    for model_id, name, team in unit.session.execute(query).all():
        old, new = governing(before, Place(name, team)), governing(after, Place(name, team))
        if old is None or new is None or old.row_id != new.row_id:
            locked = select(RegisteredModel).where(col(RegisteredModel.id) == model_id).with_for_update()
            _reassess(unit, actor, unit.session.execute(locked).scalar_one(), old, new)


def _reassess(
    unit: Unit, actor: Actor, model: RegisteredModel, old: ActivePolicy | None, new: ActivePolicy | None
) -> None:
    if new is None and old is not None:
        _refuse_in_production(unit, model)
    profile = profile_of(model)
    was, found = assessed_under(old, profile), assessed_under(new, profile)
    names = [None if active is None else active.policy.name for active in (old, new)]
    if (model.risk_tier, was.reason, names[0]) != (found.tier, found.reason, names[1]):
        begin_state(unit, actor, model, found)
    if new is None or new.policy.applies_to_open_requests:
        _outdate_requests(unit, model, new)


def _refuse_in_production(unit: Unit, model: RegisteredModel) -> None:
    serving = select(col(ModelVersion.number)).where(
        col(ModelVersion.model_id) == model.id, col(ModelVersion.stage) == Stage.PRODUCTION.value
    )
    number = unit.session.execute(serving.limit(1)).scalar()
    if number is not None:
        raise ConflictError(
            f"No policy would govern the model {model.name!r}, whose version {number} is in production.",
            "Archive the version first, or activate another policy that governs the model.",
        )


def _outdate_requests(unit: Unit, model: RegisteredModel, active: ActivePolicy | None) -> None:
    """Live requests that were made under another policy become stale; where none governs any more, all of them."""
    query = (
        select(PromotionRequest)
        .join(ModelVersion, col(ModelVersion.id) == col(PromotionRequest.version_id))
        .where(
            col(ModelVersion.model_id) == model.id,
            col(PromotionRequest.state).in_(LIVE),
            col(PromotionRequest.policy_id).is_distinct_from(None if active is None else active.row_id),
        )
        .order_by(col(PromotionRequest.number))
        .with_for_update(of=PromotionRequest)
    )
    for row in unit.session.execute(query.execution_options(populate_existing=True)).scalars():
        end(unit, row, Event.OUTDATED, "policy", {"policy_id": None if active is None else active.row_id})
