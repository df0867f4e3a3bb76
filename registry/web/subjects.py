"""What entries are about, as people call it and where its page is."""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote
from uuid import UUID

from sqlalchemy import select
from sqlmodel import col

from audit.entry import Json
from registry.access.service import names_of
from registry.catalog.tables import ModelVersion, RegisteredModel
from registry.evidence.service import ReadEntry
from registry.unit import Unit


@dataclass(frozen=True)
class Subject:
    """What an entry is about. `href`: its page, where it has one."""

    kind: str
    id: str
    title: str
    href: str | None


def version_href(model: str, number: int) -> str:
    """Address of a version's page."""
    return f"/models/{quote(model, safe='')}/versions/{number}"


def subjects_of(unit: Unit, found: Sequence[ReadEntry]) -> dict[int, Subject]:
    """The subject of each entry, by sequence number: three statements for all."""
    versions = _versions(unit, {one for read in found if (one := _version_id(read))})
    models = _models(unit, {one for read in found if (one := _model_id(read))})
    people = names_of(
        unit,
        {
            one
            for read in found
            if read.entry.subject_kind in {"actor", "access", "session"} and (one := _uuid(read.entry.subject_id))
        },
    )
    return {read.entry.sequence: _subject(read, versions, models, people) for read in found}


def _subject(
    read: ReadEntry, versions: dict[UUID, tuple[str, int]], models: dict[UUID, str], people: dict[UUID, str]
) -> Subject:
    kind, identifier = read.entry.subject_kind, read.entry.subject_id
    version_id, model_id, own_id = _version_id(read), _model_id(read), _uuid(identifier)
    if kind == "promotion":
        version = versions.get(version_id) if version_id else None
        title = f"{version[0]} {version[1]}, request" if version else f"request {identifier[:8]}"
        return Subject(kind, identifier, title, f"/promotions/{identifier}")
    if kind == "policy":
        return Subject(kind, identifier, f"policy {identifier[:8]}", f"/policies/{identifier}")
    if kind == "finding":
        version = versions.get(version_id) if version_id else None
        title = f"{version[0]} {version[1]}, finding" if version else f"finding {identifier[:8]}"
        return Subject(kind, identifier, title, f"/findings/{identifier}")
    if version_id in versions:
        name, number = versions[version_id]
        return Subject(kind, identifier, f"{name} {number}", version_href(name, number))
    if model_id in models:
        return Subject(kind, identifier, models[model_id], f"/models/{quote(models[model_id], safe='')}")
    if own_id in people:
        return Subject(kind, identifier, people[own_id], None)
    return Subject(kind, identifier, f"{kind} {identifier[:8]}", None)


def _version_id(read: ReadEntry) -> UUID | None:
    if read.entry.subject_kind in {"version", "tag"}:
        return _uuid(read.entry.subject_id)
    if read.entry.subject_kind == "alias":
        return None
    return _uuid(read.entry.changes.get("version_id"))


def _model_id(read: ReadEntry) -> UUID | None:
    return _uuid(read.entry.subject_id) if read.entry.subject_kind in {"model", "alias"} else None


def _versions(unit: Unit, ids: set[UUID]) -> dict[UUID, tuple[str, int]]:
    if not ids:
        return {}
    query = (
        select(col(ModelVersion.id), col(RegisteredModel.name), col(ModelVersion.number))
        .join(RegisteredModel, col(RegisteredModel.id) == col(ModelVersion.model_id))
        .where(col(ModelVersion.id).in_(ids))
    )
    return {row[0]: (row[1], row[2]) for row in unit.session.execute(query)}


def _models(unit: Unit, ids: set[UUID]) -> dict[UUID, str]:
    if not ids:
        return {}
    query = select(col(RegisteredModel.id), col(RegisteredModel.name)).where(col(RegisteredModel.id).in_(ids))
    return {row[0]: row[1] for row in unit.session.execute(query)}


def _uuid(value: Json) -> UUID | None:
    try:
        return UUID(value) if isinstance(value, str) else None
    except ValueError:
        return None
