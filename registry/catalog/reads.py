"""The reads that every client makes all the time: versions as plain rows, by statements that are built once.

Loading objects takes several times as long as Core rows. Whoever is going to change a version loads it with
`registry.catalog.service.find_version`.
"""

import functools
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, Integer, Row, Select, Table, Text, and_, bindparam, cast, or_, select
from sqlmodel import SQLModel, col

from registry.access.actor import Actor, Place
from registry.access.service import visible
from registry.catalog.facts import Stage
from registry.catalog.service import get_model
from registry.catalog.tables import ModelVersion, RegisteredModel, TagRow
from registry.errors import NotFoundError
from registry.unit import Unit


def _table(name: str) -> Table:
    return SQLModel.metadata.tables[name]


_MODEL = _table(RegisteredModel.__tablename__)
_VERSION = _table(ModelVersion.__tablename__)
_TAG = _table(TagRow.__tablename__)


class VersionRecord(NamedTuple):
    """A version with the names of its model and of its team."""

    id: UUID
    model: str
    team: str
    number: int
    stage: str
    source_uri: str
    content_digest: bytes
    digest_state: str
    digest_checked_at: datetime | None
    framework: str
    framework_version: str | None
    run_id: str | None
    metrics: dict[str, str]
    parameters: dict[str, str]
    signature: str | None
    size_bytes: int | None
    description: str | None
    created_at: datetime
    created_by: UUID


def _selected(name: str) -> ColumnElement[Any]:
    match name:
        case "model":
            return _MODEL.c.name
        case "team":
            return _MODEL.c.team
        case "metrics" | "parameters":
            # As text: msgspec reads JSON quicker than the drivers do.
            return cast(_VERSION.c[name], Text)
        case _:
            return _VERSION.c[name]


_VERSIONS = select(*map(_selected, VersionRecord._fields)).join_from(
    _VERSION, _MODEL, _VERSION.c.model_id == _MODEL.c.id
)
_ONE = _VERSIONS.where(_MODEL.c.name == bindparam("model"), _VERSION.c.number == bindparam("number"))
_METRICS, _PARAMETERS = VersionRecord._fields.index("metrics"), VersionRecord._fields.index("parameters")
_pairs = msgspec.json.Decoder(dict[str, str]).decode


def _record(row: Row[*tuple[object, ...]]) -> VersionRecord:
    values: list[Any] = list(row)
    values[_METRICS], values[_PARAMETERS] = _pairs(values[_METRICS]), _pairs(values[_PARAMETERS])
    return VersionRecord(*values)


def read_version(unit: Unit, actor: Actor, name: str, number: int) -> VersionRecord:
    """A version of a model by its number.

    Raises:
        NotFoundError: no such model or version, or the actor may not see it.
    """
    row = unit.connection.execute(_ONE, {"model": name, "number": number}).first()
    if row is None:
        get_model(unit, actor, name)
        raise NotFoundError("version", f"{name} {number}")
    record = _record(row)
    if not actor.reads(Place(record.model, record.team)):
        raise NotFoundError("model", name)
    return record


class VersionFilter(msgspec.Struct, frozen=True):
    """What a search of versions may ask for; all conditions must hold."""

    model: str | None = None
    stage: Stage | None = None
    run_id: str | None = None
    tag_key: str | None = None
    tag_value: str | None = None


def search_versions(
    unit: Unit, actor: Actor, wanted: VersionFilter, after: tuple[str, int] | None, limit: int
) -> list[VersionRecord]:
    """Versions by model name, newest first, from the one after `after` (model name, number) on."""
    values = {name: value for name, value in msgspec.structs.asdict(wanted).items() if value is not None}
    if wanted.stage is not None:
        values["stage"] = wanted.stage.value
    if after is not None:
        values["after_model"], values["after_number"] = after
    query = _search(frozenset(values))
    condition = visible(actor, col(RegisteredModel.name), col(RegisteredModel.team))
    if condition is not None:
        query = query.where(condition)
    rows = unit.connection.execute(query, values | {"limit": limit})
    return [_record(row) for row in rows]


@functools.cache
def _search(given: frozenset[str]) -> Select[*tuple[object, ...]]:
    """The statement for one choice of conditions."""
    tagged = select(_TAG.c.version_id).where(_TAG.c.key == bindparam("tag_key"))
    if "tag_value" in given:
        tagged = tagged.where(_TAG.c.value == bindparam("tag_value"))
    conditions = {
        "model": _MODEL.c.name == bindparam("model"),
        "stage": _VERSION.c.stage == bindparam("stage"),
        "run_id": _VERSION.c.run_id == bindparam("run_id"),
        "tag_key": _VERSION.c.id.in_(tagged),
        "after_model": or_(
            _MODEL.c.name > bindparam("after_model"),
            and_(_MODEL.c.name == bindparam("after_model"), _VERSION.c.number < bindparam("after_number")),
        ),
    }
    return (
        _VERSIONS.where(*(condition for name, condition in conditions.items() if name in given))
        .order_by(_MODEL.c.name, _VERSION.c.number.desc())
        .limit(bindparam("limit", type_=Integer))
    )
