"""A small typed client for notebooks, pipelines and the `acta` command.

    from registry.client import Client

    with Client("http://127.0.0.1:8700", token) as acta:
        gate = acta.gate("credit-default", 1, "production")

It imports neither the server's framework nor its database.
"""

from registry.client.client import Client
from registry.client.errors import ApiError, JobFailedError, UnreachableError

__all__ = ["ApiError", "Client", "JobFailedError", "UnreachableError"]
