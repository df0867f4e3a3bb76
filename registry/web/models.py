"""Pages of registered models: the list, and one model with its risk and its versions."""

from typing import Annotated
from urllib.parse import urlencode
from uuid import UUID

from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, QueryParameter
from litestar.response import Template
from sqlalchemy import func, select
from sqlmodel import col

from registry.access.actor import Actor, Place
from registry.access.service import names_of
from registry.catalog import service
from registry.catalog.reads import VersionFilter, search_versions
from registry.catalog.risk import states_of
from registry.catalog.tables import ModelVersion, RegisteredModel
from registry.catalog.views import ModelView, RiskView, VersionView
from registry.http.guards import signed_in
from registry.http.paging import decode_cursor, encode_cursor
from registry.http.transactions import reads
from registry.policy.service import find_policy_for
from registry.promotion.rollback import list_rollbacks, notice_of
from registry.unit import Unit
from registry.web.frame import page
from registry.web.history import history_of

PAGE_ROWS = 50
MOST_VERSIONS = 100


class ModelPages(Controller):
    """Registered models, for people."""

    path = "/models"
    include_in_schema = False

    @get("/", guards=[signed_in])
    @reads
    def search(
        self,
        unit: NamedDependency[Unit],
        actor: NamedDependency[Actor],
        contains: FromQuery[str | None] = None,
        cursor: FromQuery[str | None] = None,
    ) -> Template:
        """Models by name."""
        wanted = (contains or "").strip()
        rows = service.list_models(
            unit, actor, contains=wanted or None, after=decode_cursor(cursor), limit=PAGE_ROWS + 1
        )
        shown = rows[:PAGE_ROWS]
        following = None
        if len(rows) > PAGE_ROWS:
            query = {"cursor": encode_cursor(shown[-1].name)} | ({"contains": wanted} if wanted else {})
            following = f"/models?{urlencode(query)}"
        return page(
            unit,
            actor,
            "models.html",
            models=[ModelView.of(row) for row in shown],
            owners=names_of(unit, {row.owner_id for row in shown}),
            counts=_version_counts(unit, shown),
            contains=wanted,
            following=following,
            is_first=cursor is None,
        )

    @get("/{name:str}", guards=[signed_in])
    @reads
    def show(
        self,
        name: FromPath[str],
        unit: NamedDependency[Unit],
        actor: NamedDependency[Actor],
        before: Annotated[int | None, QueryParameter(ge=1)] = None,
    ) -> Template:
        """A model with its versions."""
        row = service.get_model(unit, actor, name)
        view = ModelView.of(row)
        view.notice = notice_of(unit, row.id)
        after = None if before is None else (row.name, before)
        found = search_versions(unit, actor, VersionFilter(model=row.name), after, MOST_VERSIONS + 1)
        versions = [VersionView.of_record(one) for one in found[:MOST_VERSIONS]]
        active = find_policy_for(unit, Place(row.name, row.team))
        states = [RiskView.of(state) for state in states_of(unit, row.id)]
        older = f"/models/{{}}?before={versions[-1].number}" if len(found) > MOST_VERSIONS else None
        return page(
            unit,
            actor,
            "model.html",
            model=view,
            governing=active,
            states=states,
            versions=versions,
            older=older,
            names=names_of(unit, _people(view, versions, states)),
            history=history_of(
                unit,
                [
                    view.id,
                    *(one.id for one in versions),
                    *(one.row.id for one in list_rollbacks(unit, actor, row.name)),
                ],
            ),
        )


def _people(view: ModelView, versions: list[VersionView], states: list[RiskView]) -> set[UUID]:
    """Whose names the page shows."""
    assessors = {state.assessed_by for state in states if state.assessed_by is not None}
    return {view.owner_id, view.created_by, *(one.created_by for one in versions), *assessors}


def _version_counts(unit: Unit, models: list[RegisteredModel]) -> dict[str, dict[str, int]]:
    """How many versions each model has, by stage, and the number of the one in production."""
    query = (
        select(col(RegisteredModel.name), col(ModelVersion.stage), func.count(), func.max(col(ModelVersion.number)))
        .join(ModelVersion, col(ModelVersion.model_id) == col(RegisteredModel.id))
        .where(col(RegisteredModel.id).in_([model.id for model in models]))
        .group_by(col(RegisteredModel.name), col(ModelVersion.stage))
    )
    counts: dict[str, dict[str, int]] = {model.name: {"all": 0, "production": 0} for model in models}
    for name, stage, number, newest in unit.session.execute(query):
        counts[name]["all"] += number
        if stage == "production":
            counts[name]["production"] = newest
    return counts
