"""Moves versions between stages. Whoever calls has decided that it may be done, and says why in the log."""

from collections.abc import Mapping

from sqlalchemy import select
from sqlmodel import col

from registry.access.actor import Actor
from registry.catalog.facts import Stage
from registry.catalog.tables import ModelVersion
from registry.unit import Unit, Value


def move(unit: Unit, actor: Actor | None, version: ModelVersion, stage: Stage, cause: Mapping[str, Value]) -> None:
    """Move a version. `cause`: what it rests on, such as the id of the promotion or of the rollback."""
    changes: dict[str, Value] = {"from": version.stage, "to": stage.value, **cause}
    version.stage = stage.value
    unit.record(actor, "version.stage-changed", version.id, changes)


def others_in(unit: Unit, version: ModelVersion, stage: Stage) -> list[ModelVersion]:
    """The other versions of the same model in a stage, locked for a change."""
    query = (
        select(ModelVersion)
        .where(
            col(ModelVersion.model_id) == version.model_id,
            col(ModelVersion.stage) == stage.value,
            col(ModelVersion.id) != version.id,
        )
        .order_by(col(ModelVersion.number))
        .with_for_update()
    )
    return list(unit.session.execute(query).scalars())
