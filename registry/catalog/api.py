"""Routes of registered models and model versions."""

from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Controller, Response, delete, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, HeaderParameter, JSONBody

from registry.access.actor import Actor, Role
from registry.catalog import labels, service
from registry.catalog.facts import LineageEdge, RiskProfile, Stage, VersionFacts
from registry.catalog.labels import NO_LABELS
from registry.catalog.reads import VersionFilter, read_version, search_versions
from registry.catalog.risk import states_of
from registry.catalog.service import FoundVersion, ModelTexts
from registry.catalog.views import ModelView, RiskView, VersionView, edge_of
from registry.errors import InvalidInputError
from registry.http.guards import requires, signed_in
from registry.http.paging import Cursor, Limit, Page, decode_cursor, number_in, page_of
from registry.http.revisions import etag, revision_in
from registry.http.transactions import reads, writes
from registry.promotion.rollback import notice_of
from registry.unit import Unit


class ModelEdit(msgspec.Struct, forbid_unknown_fields=True):
    """What may be changed about a registered model; all of it is replaced."""

    owner_id: UUID
    purpose: str
    risk_profile: RiskProfile
    intended_users: str | None = None
    out_of_scope: str | None = None
    limitations: str | None = None
    affected_persons: str | None = None

    def texts(self) -> ModelTexts:
        """The part that is text for people."""
        return ModelTexts(self.purpose, self.intended_users, self.out_of_scope, self.limitations, self.affected_persons)


class ModelRegistration(ModelEdit, kw_only=True):
    """A new registered model."""

    name: str
    team: str


class AliasTarget(msgspec.Struct, forbid_unknown_fields=True):
    """The version that an alias is to point at."""

    version: int


class TagValue(msgspec.Struct, forbid_unknown_fields=True):
    """The value of a tag."""

    value: str


IfMatch = Annotated[str | None, HeaderParameter(name="If-Match", description="The ETag that reading it gave.")]


class ModelController(Controller):
    """Registered models."""

    path = "/api/v1/models"
    tags = ["models"]

    @post("/", guards=[requires(Role.DEVELOPER)])
    @writes
    def create(
        self, data: JSONBody[ModelRegistration], unit: NamedDependency[Unit], actor: NamedDependency[Actor]
    ) -> ModelView:
        """Register a model."""
        row = service.create_model(
            unit,
            actor,
            name=data.name,
            team=data.team,
            owner_id=data.owner_id,
            texts=data.texts(),
            profile=data.risk_profile,
        )
        return ModelView.of(row)

    @get("/", guards=[signed_in])
    @reads
    def search(
        self,
        unit: NamedDependency[Unit],
        actor: NamedDependency[Actor],
        contains: FromQuery[str | None] = None,
        limit: Limit = 100,
        cursor: Cursor = None,
    ) -> Page[ModelView]:
        """Models by name."""
        rows = service.list_models(unit, actor, contains=contains, after=decode_cursor(cursor), limit=limit + 1)
        return page_of(rows, limit, ModelView.of, lambda row: row.name)

    @get("/{name:str}", guards=[signed_in])
    @reads
    def show(
        self, name: FromPath[str], unit: NamedDependency[Unit], actor: NamedDependency[Actor]
    ) -> Response[ModelView]:
        """A model. Its ETag is what an edit must send as If-Match."""
        view = ModelView.of(service.get_model(unit, actor, name))
        view.notice = notice_of(unit, view.id)
        return Response(view, headers={"ETag": etag(view.revision)})

    @put("/{name:str}", guards=[requires(Role.DEVELOPER, Role.RISK_OFFICER)])
    @writes
    def edit(
        self,
        name: FromPath[str],
        data: JSONBody[ModelEdit],
        unit: NamedDependency[Unit],
        actor: NamedDependency[Actor],
        if_match: IfMatch = None,
    ) -> Response[ModelView]:
        """Replace owner, texts and risk profile of a model."""
        row = service.edit_model(
            unit,
            actor,
            name,
            revision_in(if_match),
            owner_id=data.owner_id,
            texts=data.texts(),
            profile=data.risk_profile,
        )
        view = ModelView.of(row)
        return Response(view, headers={"ETag": etag(view.revision)})

    @get("/{name:str}/risk", guards=[signed_in])
    @reads
    def risk(self, name: FromPath[str], unit: NamedDependency[Unit], actor: NamedDependency[Actor]) -> list[RiskView]:
        """All states of a model's risk, the present one first: answers, tier, reason and policy."""
        return [RiskView.of(row) for row in states_of(unit, service.get_model(unit, actor, name).id)]

    @post("/{name:str}/versions", guards=[requires(Role.DEVELOPER)])
    @writes
    def register(
        self,
        name: FromPath[str],
        data: JSONBody[VersionFacts],
        unit: NamedDependency[Unit],
        actor: NamedDependency[Actor],
    ) -> VersionView:
        """Register a version; a job then verifies its content digest."""
        return VersionView.of_record(service.register_version(unit, actor, name, data))

    @get("/{name:str}/versions/{number:int}", guards=[signed_in])
    @reads
    def show_version(
        self, name: FromPath[str], number: FromPath[int], unit: NamedDependency[Unit], actor: NamedDependency[Actor]
    ) -> VersionView:
        """A version with its aliases and tags."""
        return VersionView.of_record(read_version(unit, actor, name, number))

    @get("/{name:str}/versions/{number:int}/lineage", guards=[signed_in])
    @reads
    def lineage(
        self, name: FromPath[str], number: FromPath[int], unit: NamedDependency[Unit], actor: NamedDependency[Actor]
    ) -> list[LineageEdge]:
        """What a version came from."""
        found = service.find_version(unit, actor, name, number)
        return [edge_of(row) for row in service.lineage_of(unit, found.version.id)]

    @put("/{name:str}/aliases/{alias:str}", guards=[requires(Role.DEVELOPER)])
    @writes
    def set_alias(
        self,
        name: FromPath[str],
        alias: FromPath[str],
        data: JSONBody[AliasTarget],
        unit: NamedDependency[Unit],
        actor: NamedDependency[Actor],
    ) -> VersionView:
        """Point an alias at a version."""
        found = labels.set_alias(unit, actor, name, alias, data.version)
        return _view(unit, found)

    @get("/{name:str}/aliases/{alias:str}", guards=[signed_in])
    @reads
    def show_alias(
        self, name: FromPath[str], alias: FromPath[str], unit: NamedDependency[Unit], actor: NamedDependency[Actor]
    ) -> VersionView:
        """The version that an alias points at."""
        found = labels.version_of_alias(unit, actor, name, alias)
        return _view(unit, found)

    @delete("/{name:str}/aliases/{alias:str}", guards=[requires(Role.DEVELOPER)])
    @writes
    def remove_alias(
        self, name: FromPath[str], alias: FromPath[str], unit: NamedDependency[Unit], actor: NamedDependency[Actor]
    ) -> None:
        """Take an alias away."""
        labels.remove_alias(unit, actor, name, alias)

    @put("/{name:str}/versions/{number:int}/tags/{key:str}", guards=[requires(Role.DEVELOPER)])
    @writes
    def set_tag(
        self,
        name: FromPath[str],
        number: FromPath[int],
        key: FromPath[str],
        data: JSONBody[TagValue],
        unit: NamedDependency[Unit],
        actor: NamedDependency[Actor],
    ) -> VersionView:
        """Put a tag on a version."""
        found = labels.set_tag(unit, actor, name, number, key, data.value)
        return _view(unit, found)

    @delete("/{name:str}/versions/{number:int}/tags/{key:str}", guards=[requires(Role.DEVELOPER)])
    @writes
    def remove_tag(
        self,
        name: FromPath[str],
        number: FromPath[int],
        key: FromPath[str],
        unit: NamedDependency[Unit],
        actor: NamedDependency[Actor],
    ) -> None:
        """Take a tag from a version."""
        labels.remove_tag(unit, actor, name, number, key)


class VersionSearchController(Controller):
    """Model versions across models."""

    path = "/api/v1/versions"
    tags = ["models"]

    @get("/", guards=[signed_in])
    @reads
    def search(
        self,
        unit: NamedDependency[Unit],
        actor: NamedDependency[Actor],
        model: FromQuery[str | None] = None,
        stage: FromQuery[Stage | None] = None,
        run_id: FromQuery[str | None] = None,
        tag_key: FromQuery[str | None] = None,
        tag_value: FromQuery[str | None] = None,
        limit: Limit = 100,
        cursor: Cursor = None,
    ) -> Page[VersionView]:
        """Versions by model name, newest first."""
        wanted = VersionFilter(model, stage, run_id, tag_key, tag_value)
        records = search_versions(unit, actor, wanted, _position(cursor), limit + 1)
        return page_of(records, limit, VersionView.of_record, lambda record: f"{record.number} {record.model}")


def _view(unit: Unit, found: FoundVersion) -> VersionView:
    return VersionView.of(found, labels.labels_of(unit, [found.version.id]).get(found.version.id, NO_LABELS))


def _position(cursor: str | None) -> tuple[str, int] | None:
    key = decode_cursor(cursor)
    if key is None:
        return None
    number, _, name = key.partition(" ")
    if not name:
        raise InvalidInputError("cursor", cursor, "use the next_cursor of the page before, unchanged")
    return name, number_in(number)
