"""The application as the server's processes load it: settings come from the environment."""

from litestar import Litestar

from registry.app import create_app
from registry.http.logs import configure_logs
from registry.settings import Settings


def application() -> Litestar:
    """A new application."""
    settings = Settings()
    configure_logs(settings.logs_directory)
    return create_app(settings)
