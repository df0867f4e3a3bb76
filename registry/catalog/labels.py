"""Aliases and tags: the movable marks of versions."""

from typing import NamedTuple
from uuid import UUID

from sqlalchemy import BindParameter, CompoundSelect, bindparam, delete, literal_column, select, union_all
from sqlmodel import col

from registry.access.actor import Actor, Place, Role
from registry.catalog.facts import Stage
from registry.catalog.service import FoundVersion, find_version, get_model, version_by_id
from registry.catalog.tables import AliasRow, TagRow
from registry.errors import InvalidInputError, NotFoundError
from registry.names import checked_label, checked_name
from registry.unit import Committed, Unit


class Labels(NamedTuple):
    """The movable marks of a version."""

    aliases: tuple[str, ...]
    tags: dict[str, str]


NO_LABELS = Labels((), {})

# Built once: each list of versions makes its own number of parameters when it runs.
_VERSIONS: BindParameter[UUID] = bindparam("versions", expanding=True)
_LABELS: CompoundSelect[UUID, int, str, str] = union_all(
    select(col(AliasRow.version_id), literal_column("0"), col(AliasRow.alias), literal_column("''")).where(
        col(AliasRow.version_id).in_(_VERSIONS)
    ),
    select(col(TagRow.version_id), literal_column("1"), col(TagRow.key), col(TagRow.value)).where(
        col(TagRow.version_id).in_(_VERSIONS)
    ),
)


def labels_of(unit: Unit, version_ids: list[UUID]) -> dict[UUID, Labels]:
    """Aliases and tags of versions, in one query."""
    if not version_ids:
        return {}
    found: dict[UUID, Labels] = {}
    for version_id, is_tag, key, value in unit.connection.execute(_LABELS, {"versions": version_ids}):
        labels = found.get(version_id, Labels((), {}))
        if is_tag:
            found[version_id] = Labels(labels.aliases, labels.tags | {key: value})
        else:
            found[version_id] = Labels((*labels.aliases, key), labels.tags)
    return found


def set_alias(unit: Unit, actor: Actor, name: str, alias: str, number: int) -> FoundVersion:
    """Point an alias of the model at a version.

    Raises:
        InvalidInputError: the alias is a number or a stage, which would be mistaken for one.
    """
    found = find_version(unit, actor, name, number)
    actor.require(Role.DEVELOPER, place=found.place)
    checked_name("alias", alias)
    if alias.lower() in {stage.value for stage in Stage} | {"latest"} or alias.lstrip("v").isdecimal():
        raise InvalidInputError("alias", alias, "an alias must not look like a version number or a stage")
    row = unit.session.get(AliasRow, (found.model.id, alias))
    before = None if row is None else row.version_id
    if row is None:
        unit.session.add(AliasRow(model_id=found.model.id, alias=alias, version_id=found.version.id))
    else:
        row.version_id = found.version.id
    unit.record(actor, "alias.set", found.model.id, {"alias": alias, "version_id": found.version.id, "before": before})
    return found


def remove_alias(unit: Unit, actor: Actor, name: str, alias: str) -> None:
    """Take an alias away.

    Raises:
        NotFoundError: the model has no such alias.
    """
    model = get_model(unit, actor, name)
    actor.require(Role.DEVELOPER, place=Place(model.name, model.team))
    row = unit.session.get(AliasRow, (model.id, alias))
    if row is None:
        raise NotFoundError("alias", f"{name}@{alias}")
    unit.session.delete(row)
    unit.record(actor, "alias.removed", model.id, {"alias": alias, "before": row.version_id})


def version_of_alias(unit: Unit, actor: Actor, name: str, alias: str) -> FoundVersion:
    """The version that an alias points at.

    Raises:
        NotFoundError: the model has no such alias.
    """
    model = get_model(unit, actor, name)
    row = unit.session.get(AliasRow, (model.id, alias))
    if row is None:
        raise NotFoundError("alias", f"{name}@{alias}")
    return version_by_id(unit, actor, row.version_id)


def set_tag(unit: Unit, actor: Actor, name: str, number: int, key: str, value: str) -> FoundVersion:
    """Put a tag on a version, or change it."""
    found = find_version(unit, actor, name, number)
    actor.require(Role.DEVELOPER, place=found.place)
    checked_name("key", key)
    if len(value) > 5000 or "\0" in value:
        raise InvalidInputError("value", value, "a tag's value has at most 5000 characters and no NUL")
    row = unit.session.get(TagRow, (found.version.id, key))
    if row is None:
        unit.session.add(TagRow(version_id=found.version.id, key=key, value=value))
    else:
        row.value = value
    unit.record(actor, "tag.set", found.version.id, {"key": key, "value": Committed(value)})
    return found


def remove_tag(unit: Unit, actor: Actor, name: str, number: int, key: str) -> None:
    """Take a tag away.

    Raises:
        NotFoundError: the version has no such tag.
    """
    found = find_version(unit, actor, name, number)
    actor.require(Role.DEVELOPER, place=found.place)
    removed = unit.session.execute(
        delete(TagRow)
        .where(col(TagRow.version_id) == found.version.id, col(TagRow.key) == key)
        .returning(col(TagRow.key))
    ).all()
    if not removed:
        raise NotFoundError("tag", key)
    unit.record(actor, "tag.removed", found.version.id, {"key": checked_label("key", key)})
