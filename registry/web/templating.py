"""The Jinja2 environment of the pages: strict, escaping, ready for translation."""

from functools import cache
from hashlib import sha256
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from litestar import Router
from litestar.datastructures import CacheControlHeader
from litestar.plugins.jinja import JinjaTemplateEngine
from litestar.static_files import create_static_files_router
from litestar.template import TemplateConfig

from registry.http.guards import open_to_all
from registry.resources import static_directory, templates_directory
from registry.web.presentation import FILTERS, counted


def template_config() -> TemplateConfig[JinjaTemplateEngine]:
    """The engine of one application.

    Raises:
        UnavailableError: the installation has no templates.
    """
    return TemplateConfig(instance=JinjaTemplateEngine.from_environment(environment(templates_directory())))


def environment(templates: Path) -> Environment:
    """A Jinja2 environment that refuses undefined names and escapes everything."""
    made = Environment(
        loader=FileSystemLoader(templates / "pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    made.install_null_translations(newstyle=True)  # type: ignore[attr-defined]  # the extension adds it
    made.filters.update(FILTERS)
    made.globals["counted"] = counted
    made.globals["asset"] = asset
    return made


@cache
def asset(name: str) -> str:
    """Address of a static file, which changes with its bytes, so that browsers may keep it."""
    digest = sha256((static_directory() / name).read_bytes()).hexdigest()[:12]
    return f"/static/{name}?{digest}"


def static_files() -> Router:
    """Stylesheets and fonts."""
    return create_static_files_router(
        path="/static",
        directories=[static_directory()],
        guards=[open_to_all],
        cache_control=CacheControlHeader(max_age=86400, public=True),
    )
