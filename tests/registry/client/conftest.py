"""What the tests of the client share."""

from tests.registry.live_server import server

__all__ = ["server"]
