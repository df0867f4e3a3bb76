"""Assembles the Litestar application: routes, guards, error responses, lifespan."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from litestar import Litestar, Response, Router
from litestar.datastructures import State
from litestar.di import Provide
from litestar.exceptions import NotFoundException
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin, YamlRenderPlugin
from litestar.openapi.spec import Components, License, SecurityScheme
from litestar.plugins.prometheus import PrometheusConfig
from litestar.types import ControllerRouterHandler

from registry import __version__
from registry.access.api import ActorController, TokenController
from registry.access.delegation_api import DelegationController
from registry.assessments.api import AssessmentController
from registry.cards.api import CardController
from registry.catalog.api import ModelController, VersionSearchController
from registry.documents.api import DocumentController
from registry.evidence.api import AuditController, TileController
from registry.findings.api import FindingController
from registry.http.guards import keep_last_use, open_to_all
from registry.http.health import HealthController
from registry.http.logs import RequestLog
from registry.http.strictness import query_parameters, refuse_the_overlooked
from registry.http.transactions import provide_actor, provide_unit
from registry.installation import open_units
from registry.jobs.api import JobController
from registry.lapses.api import LapseController
from registry.monitoring.api import MonitoringController, PlanSchemaController
from registry.notifications.api import PreferencesController, WebhookController
from registry.policy.api import GateController
from registry.policy.checks import load_checks
from registry.policy.policies_api import PolicyController
from registry.promotion.api import PromotionController, WaiverController
from registry.promotion.handover_api import HandoverController
from registry.promotion.rollback_api import RollbackController
from registry.settings import Settings
from registry.storage import Storage
from registry.unit import Units
from registry.web.errors import respond_in_kind
from registry.web.headers import secure_pages
from registry.web.pages import PAGES
from registry.web.templating import static_files, template_config

CONTROLLERS: Sequence[ControllerRouterHandler] = (
    HealthController,
    ActorController,
    TokenController,
    DelegationController,
    HandoverController,
    ModelController,
    VersionSearchController,
    DocumentController,
    AssessmentController,
    GateController,
    PolicyController,
    PromotionController,
    WaiverController,
    FindingController,
    LapseController,
    MonitoringController,
    PlanSchemaController,
    WebhookController,
    PreferencesController,
    RollbackController,
    CardController,
    JobController,
    AuditController,
    TileController,
    *PAGES,
)

LARGEST_JSON_BODY = 4 * 2**20
"""Bytes of a request's body, except where a route takes files."""


def create_app(settings: Settings, units: Units | None = None) -> Litestar:
    """The application of one server process.

    Raises:
        UnavailableError: the database is not migrated, the log's key is missing, or another package registers a check
            that is none.
    """
    ours = units or open_units(settings)
    # Found now, so that no request has to look for packages, least of all one that holds a lock.
    load_checks()
    prometheus = PrometheusConfig(app_name="acta", prefix="acta", group_path=True, exclude=["/static"])
    app = Litestar(
        route_handlers=[*CONTROLLERS, static_files()],
        dependencies={
            "unit": Provide(provide_unit),
            "actor": Provide(provide_actor, sync_to_thread=False),
            "settings": Provide(_provide_settings, sync_to_thread=False),
            "storage": Provide(_provide_storage, sync_to_thread=False),
        },
        state=State({"settings": settings, "storage": Storage(settings.storage), "units": ours}),
        middleware=[RequestLog(), prometheus.middleware],
        exception_handlers={Exception: respond_in_kind},
        template_config=template_config(),
        before_request=refuse_the_overlooked,
        before_send=[secure_pages],
        after_response=keep_last_use,
        # `registry.asgi` configures the logs; Litestar would replace them.
        logging_config=None,
        openapi_config=_openapi(),
        request_max_body_size=LARGEST_JSON_BODY,
        lifespan=[_disposing],
    )
    app.state.query_parameters = query_parameters(app)
    return app


def _provide_settings(state: State) -> Settings:
    settings: Settings = state.settings
    return settings


def _provide_storage(state: State) -> Storage:
    storage: Storage = state.storage
    return storage


@asynccontextmanager
async def _disposing(app: Litestar) -> AsyncIterator[None]:
    yield
    app.state.units.database.dispose()


def _openapi() -> OpenAPIConfig:
    bearer = SecurityScheme(type="http", scheme="bearer", description="An API token: `acta token create`.")
    return OpenAPIConfig(
        title="Acta",
        version=__version__,
        description="Governance platform and model registry.",
        license=License("Apache-2.0", identifier="Apache-2.0"),
        components=Components(security_schemes={"token": bearer}),
        security=[{"token": []}],
        use_handler_docstrings=True,
        # The pages of the usual viewers load from other origins: ours is `registry.web.reference`.
        render_plugins=[JsonRenderPlugin(path="/openapi.json"), YamlRenderPlugin(path="/openapi.yaml")],
        openapi_router=Router(
            path="/schema", route_handlers=[], guards=[open_to_all], after_request=_no_page_of_litestar
        ),
    )


def _no_page_of_litestar(response: Response[Any]) -> Response[Any]:
    """Litestar answers with a page of its own where there is nothing under `/schema`."""
    if response.status_code == 404:
        raise NotFoundException
    return response
