"""All controllers of pages, for `registry.app`."""

from collections.abc import Sequence

from litestar.types import ControllerRouterHandler

from registry.web.session import SessionController

PAGES: Sequence[ControllerRouterHandler] = (SessionController,)
