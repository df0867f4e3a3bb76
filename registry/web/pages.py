"""All controllers of pages, for `registry.app`."""

from collections.abc import Sequence

from litestar.types import ControllerRouterHandler

from registry.web.acknowledge import AcknowledgePage
from registry.web.audit import AuditPages
from registry.web.files import FilePages
from registry.web.findings import FindingPages
from registry.web.models import ModelPages
from registry.web.overview import OverviewPage
from registry.web.policies import PolicyPages
from registry.web.promotions import PromotionPages
from registry.web.reference import ReferencePage
from registry.web.session import SessionController
from registry.web.version import VersionPages

PAGES: Sequence[ControllerRouterHandler] = (
    SessionController,
    OverviewPage,
    ModelPages,
    VersionPages,
    PromotionPages,
    FilePages,
    FindingPages,
    AuditPages,
    PolicyPages,
    ReferencePage,
    AcknowledgePage,
)
