"""Whether the server lives, whether it can work, and Prometheus metrics."""

import os

import msgspec
from anyio import to_thread
from litestar import Controller, Response, get
from litestar.datastructures import State
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from registry.database import current_revision, head_revision
from registry.errors import ActaError
from registry.http.guards import open_to_all, public_metrics_or_signed_in
from registry.unit import Units


class Health(msgspec.Struct):
    """`ok`, or what is wrong."""

    status: str


class HealthController(Controller):
    """For load balancers and monitoring."""

    path = "/"
    tags = ["operation"]

    @get("/health/live", guards=[open_to_all])
    async def live(self) -> Health:
        """The process answers."""
        return Health("ok")

    @get("/health/ready", guards=[open_to_all])
    async def ready(self, state: State) -> Response[Health]:
        """The database answers and is migrated; strangers learn no more than that."""
        ready = await to_thread.run_sync(_is_ready, state["units"])
        return Response(Health("ok" if ready else "not ready"), status_code=200 if ready else 503)

    @get("/metrics", guards=[public_metrics_or_signed_in])
    async def metrics(self) -> Response[bytes]:
        """Prometheus metrics, summed over the server's processes."""
        registry: CollectorRegistry = REGISTRY
        if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
            registry = CollectorRegistry()
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]  # the library has no types here
        # The framework adds the charset to every text.
        media_type = CONTENT_TYPE_LATEST.removesuffix("; charset=utf-8")
        return Response(generate_latest(registry), media_type=media_type)


def _is_ready(units: Units) -> bool:
    try:
        return current_revision(units.database) == head_revision()
    except ActaError:
        return False
