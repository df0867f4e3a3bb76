"""A quiet connection to an MLflow tracking store: no telemetry, no talk on the terminal, no global left changed."""

import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlflow import MlflowClient


@contextmanager
def tracking(tracking_uri: str) -> Iterator["MlflowClient"]:
    """A client of `tracking_uri`, which is MLflow's default inside the block.

    MLflow's telemetry is off for the life of the process, because MLflow decides at its import. What MLflow
    warns about its own use of pandas and SQLAlchemy is silenced inside the block; its errors are not.
    """
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
    os.environ["DO_NOT_TRACK"] = "true"
    # Without a git executable, GitPython prints a page of advice when MLflow imports it.
    os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"(mlflow|sqlalchemy|alembic)\b")
        import mlflow

        talk = [logging.getLogger(name) for name in ("mlflow", "alembic")]
        levels = [logger.level for logger in talk]
        previous = mlflow.get_tracking_uri()
        for logger in talk:
            logger.setLevel(logging.ERROR)
        mlflow.set_tracking_uri(tracking_uri)
        try:
            yield mlflow.MlflowClient(tracking_uri=tracking_uri)
        finally:
            mlflow.set_tracking_uri(previous)
            for logger, level in zip(talk, levels, strict=True):
                logger.setLevel(level)
