"""Logs in databases."""

import pytest
from sqlalchemy import Engine

from audit.log import Log
from tests.audit.examples import ORIGIN, SIGNER, counted_salts, create_log_tables, open_engine


@pytest.fixture
def log() -> Log:
    return Log(ORIGIN, SIGNER, counted_salts())


@pytest.fixture
def engine(database_url: str):
    """A database with the log's tables and triggers; the test runs on each kind."""
    engine = open_engine(database_url)
    create_log_tables(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def memory() -> Engine:
    """The same in memory, for what does not depend on the database."""
    engine = open_engine("sqlite://")
    create_log_tables(engine)
    return engine
