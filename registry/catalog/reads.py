"""The reads that every client makes all the time: versions as plain rows, by statements that are built once.

Loading objects takes several times as long as Core rows. Whoever is going to change a version loads it with
`registry.catalog.service.find_version`.
"""

import functools
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, Integer, Select, Table, Text, and_, bindparam, cast, func, or_, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import GenericFunction
from sqlmodel import SQLModel, col

from registry.access.actor import Actor, Place
from registry.access.service import visible
from registry.catalog.facts import Stage
from registry.catalog.tables import AliasRow, ModelVersion, RegisteredModel, TagRow
from registry.errors import NotFoundError
from registry.prepared import Prepared
from registry.unit import Unit


def _table(name: str) -> Table:
    return SQLModel.metadata.tables[name]


MODEL = _table(RegisteredModel.__tablename__)
VERSION = _table(ModelVersion.__tablename__)
_ALIAS = _table(AliasRow.__tablename__)
_TAG = _table(TagRow.__tablename__)


class json_list(GenericFunction[str]):  # noqa: N801 - SQLAlchemy names functions as SQL does
    """A JSON array, as text, of the values of a group."""

    type = Text()
    inherit_cache = True


class json_pairs(GenericFunction[str]):  # noqa: N801 - SQLAlchemy names functions as SQL does
    """A JSON object, as text, of the keys and values of a group."""

    type = Text()
    inherit_cache = True


_AGGREGATES = {
    "sqlite": {"json_list": "json_group_array({})", "json_pairs": "json_group_object({})"},
    "postgresql": {"json_list": "json_agg({})::text", "json_pairs": "json_object_agg({})::text"},
}


@compiles(json_list)
@compiles(json_pairs)
def _compiled(element: json_list | json_pairs, compiler: SQLCompiler, **options: Any) -> str:  # noqa: ANN401 - as SQLAlchemy passes them
    return _AGGREGATES[compiler.dialect.name][element.name].format(compiler.process(element.clauses, **options))


class VersionRecord(NamedTuple):
    """A version with the names of its model and of its team, and its labels."""

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
    trained_by: UUID | None
    aliases: list[str]
    tags: dict[str, str]


def _selected(name: str) -> ColumnElement[Any]:
    match name:
        case "model":
            return MODEL.c.name
        case "team":
            return MODEL.c.team
        case "metrics" | "parameters":
            # As text: msgspec reads JSON quicker than the drivers do.
            return cast(VERSION.c[name], Text)
        case "aliases":
            aliases = select(json_list(_ALIAS.c.alias)).where(_ALIAS.c.version_id == VERSION.c.id)
            return func.coalesce(aliases.scalar_subquery(), "[]")
        case "tags":
            tags = select(json_pairs(_TAG.c.key, _TAG.c.value)).where(_TAG.c.version_id == VERSION.c.id)
            return func.coalesce(tags.scalar_subquery(), "{}")
        case _:
            return VERSION.c[name]


_VERSIONS = select(*map(_selected, VersionRecord._fields)).join_from(VERSION, MODEL, VERSION.c.model_id == MODEL.c.id)
_MODEL_PLACE = select(MODEL.c.name, MODEL.c.team).where(MODEL.c.name == bindparam("model"))
_ONE = Prepared(_VERSIONS.where(MODEL.c.name == bindparam("model"), VERSION.c.number == bindparam("number")))
_pairs = msgspec.json.Decoder(dict[str, str]).decode
_texts = msgspec.json.Decoder(list[str]).decode
_DECODERS = {"metrics": _pairs, "parameters": _pairs, "aliases": _texts, "tags": _pairs}
_DECODED = [(VersionRecord._fields.index(name), decode) for name, decode in _DECODERS.items()]


def _record(row: Sequence[Any]) -> VersionRecord:
    values: list[Any] = list(row)
    for position, decode in _DECODED:
        values[position] = decode(values[position])
    return VersionRecord(*values)


def read_version(unit: Unit, actor: Actor, name: str, number: int) -> VersionRecord:
    """A version of a model by its number.

    Raises:
        NotFoundError: no such model or version, or the actor may not see it.
    """
    row = _ONE.row(unit.connection, {"model": name, "number": number})
    if row is None:
        model = unit.connection.execute(_MODEL_PLACE, {"model": name}).first()
        seen = model is not None and actor.reads(Place(*model))
        raise NotFoundError("version", f"{name} {number}") if seen else NotFoundError("model", name)
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
def _search(given: frozenset[str]) -> Select[*tuple[Any, ...]]:
    """The statement for one choice of conditions."""
    tagged = select(_TAG.c.version_id).where(_TAG.c.key == bindparam("tag_key"))
    if "tag_value" in given:
        tagged = tagged.where(_TAG.c.value == bindparam("tag_value"))
    conditions = {
        "model": MODEL.c.name == bindparam("model"),
        "stage": VERSION.c.stage == bindparam("stage"),
        "run_id": VERSION.c.run_id == bindparam("run_id"),
        "tag_key": VERSION.c.id.in_(tagged),
        "after_model": or_(
            MODEL.c.name > bindparam("after_model"),
            and_(MODEL.c.name == bindparam("after_model"), VERSION.c.number < bindparam("after_number")),
        ),
    }
    return (
        _VERSIONS.where(*(condition for name, condition in conditions.items() if name in given))
        .order_by(MODEL.c.name, VERSION.c.number.desc())
        .limit(bindparam("limit", type_=Integer))
    )
