"""Settings for the commands that run on the server's own machine."""

import os

from pydantic import ValidationError

from registry.errors import InvalidInputError
from registry.settings import Settings


def keep_private() -> None:
    """What this process writes from now on, only its owner may read: personal texts lie in the database."""
    os.umask(0o077)


def load_settings() -> Settings:
    """The settings in force.

    Raises:
        InvalidInputError: naming the environment variable, its value and the rule that it breaks.
    """
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors()[0]
        name = "ACTA_" + "_".join(str(part) for part in first["loc"]).upper()
        raise InvalidInputError(name, first.get("input"), first["msg"]) from None
