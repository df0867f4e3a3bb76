"""Databases for the tests: SQLite, and a real PostgreSQL that the processes of one run share."""

import fcntl
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import hypothesis
import psycopg
import pytest
from sqlalchemy import make_url

from tests import run_summary
from tests.postgresql import QUICK, running_server, start_server

hypothesis.settings.register_profile("ci", deadline=None, derandomize=True)
hypothesis.settings.register_profile("local", deadline=None)
hypothesis.settings.load_profile("ci" if os.environ.get("CI") == "true" else "local")

Prepare = Callable[[str], None]
"""Puts rows into a migrated database, given its SQLAlchemy URL; its name names the database that is copied."""

LEAST_MEMORY_BYTES = 4 * 2**30

# One directory per run, shared by its worker processes: it holds the server and the migrated templates.
_RUN_DIRECTORY = pytest.StashKey[Path]()


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(run_summary)
    if not hasattr(config, "workerinput"):
        # A socket's path must be short, and the server's user must be able to enter: not below TMPDIR or a home.
        config.stash[_RUN_DIRECTORY] = Path(tempfile.mkdtemp(prefix="acta-tests-", dir=_place_for_databases()))


def _place_for_databases() -> str:
    """Memory, where there is enough: a thousand databases are made, and their disk is half of the tests' time."""
    memory = Path("/dev/shm")
    is_roomy = memory.is_dir() and shutil.disk_usage(memory).free >= LEAST_MEMORY_BYTES
    return str(memory) if is_roomy else "/tmp"


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node) -> None:
    """Tell a worker process of pytest-xdist what it shares with the others."""
    node.workerinput["run_directory"] = str(node.config.stash[_RUN_DIRECTORY])
    node.workerinput["run_pid"] = os.getpid()


def pytest_unconfigure(config: pytest.Config) -> None:
    directory = config.stash.get(_RUN_DIRECTORY, None)
    # Where a server runs in it, the server's watcher removes the directory.
    if directory is not None and running_server(directory) is None:
        shutil.rmtree(directory, ignore_errors=True)


@dataclass(frozen=True)
class Databases:
    """Makes databases for as long as they are needed. `kind` is "sqlite" or "postgresql"."""

    run_directory: Path
    run_pid: int

    @contextmanager
    def empty(self, kind: str) -> Iterator[str]:
        """SQLAlchemy URL of a database without tables."""
        if kind == "sqlite":
            with self._sqlite_file() as file:
                yield f"sqlite:///{file}"
            return
        with self._postgresql_database("template1") as url:
            yield url

    @contextmanager
    def migrated(self, kind: str, prepare: Prepare | None = None) -> Iterator[str]:
        """SQLAlchemy URL of a database at the newest migration: a copy of one that was made once per run.

        It has the rows that `prepare` puts into it, or none.
        """
        if kind == "sqlite":
            with self._sqlite_file() as file:
                shutil.copyfile(self._sqlite_template(prepare), file)
                yield f"sqlite:///{file}"
            return
        with self._postgresql_database(self._postgresql_template(prepare)) as url:
            yield url

    @contextmanager
    def _sqlite_file(self) -> Iterator[Path]:
        with tempfile.TemporaryDirectory(prefix="sqlite-", dir=self.run_directory) as directory:
            yield Path(directory) / "acta.db"

    @contextmanager
    def _postgresql_database(self, template: str) -> Iterator[str]:
        server = self._postgresql_url()
        name = f"acta_{uuid4().hex}"
        with _administration(server) as connection:
            connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY file_copy')
        try:
            yield make_url(server).set(database=name).render_as_string(hide_password=False)
        finally:
            with _administration(server) as connection:
                connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')

    def _postgresql_url(self) -> str:
        given = os.environ.get("ACTA_TEST_POSTGRES_URL")
        if given:
            return make_url(given).set(drivername="postgresql+psycopg").render_as_string(hide_password=False)
        with self._one_at_a_time():
            server = running_server(self.run_directory) or start_server(self.run_directory, QUICK, self.run_pid)
        return server.url("postgres")

    def _sqlite_template(self, prepare: Prepare | None) -> Path:
        template = self.run_directory / f"{_name_of(prepare)}.db"
        with self._one_at_a_time():
            if not template.exists():
                fresh = self.run_directory / f"{_name_of(prepare)}.making.db"
                _make(f"sqlite:///{fresh}", prepare)
                with closing(sqlite3.connect(fresh)) as connection:
                    # One file, whatever the write-ahead log still held.
                    connection.execute("VACUUM INTO ?", [str(template)])
        return template

    def _postgresql_template(self, prepare: Prepare | None) -> str:
        server = self._postgresql_url()
        name = f"{self.run_directory.name}-{_name_of(prepare)}"
        with self._one_at_a_time(), _administration(server) as connection:
            if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone() is None:
                fresh = f"acta_{uuid4().hex}"
                connection.execute(f'CREATE DATABASE "{fresh}"')
                _make(make_url(server).set(database=fresh).render_as_string(hide_password=False), prepare)
                connection.execute(f'ALTER DATABASE "{fresh}" ALLOW_CONNECTIONS false')
                connection.execute(f'ALTER DATABASE "{fresh}" RENAME TO "{name}"')
        return name

    @contextmanager
    def _one_at_a_time(self) -> Iterator[None]:
        with (self.run_directory / "lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


def _name_of(prepare: Prepare | None) -> str:
    return "migrated" if prepare is None else prepare.__name__.strip("_")


def _make(url: str, prepare: Prepare | None) -> None:
    from registry.database import upgrade

    upgrade(url)
    if prepare is not None:
        prepare(url)


@contextmanager
def _administration(server: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(
        make_url(server).set(drivername="postgresql").render_as_string(hide_password=False)
    ) as connection:
        connection.autocommit = True
        yield connection


@pytest.fixture(scope="session")
def databases(request: pytest.FixtureRequest) -> Databases:
    """Makes databases for fixtures that outlive one test. Parametrise those with `database_kind`'s values."""
    worker = getattr(request.config, "workerinput", None)
    if worker is None:
        return Databases(request.config.stash[_RUN_DIRECTORY], os.getpid())
    return Databases(Path(worker["run_directory"]), worker["run_pid"])


@pytest.fixture(params=["sqlite", "postgresql"])
def database_kind(request: pytest.FixtureRequest) -> str:
    """The test runs twice: once on each database."""
    request.node.user_properties.append((run_summary.DATABASE, request.param))
    return request.param


@pytest.fixture
def database_url(databases: Databases, database_kind: str) -> Iterator[str]:
    """SQLAlchemy URL of a fresh database without tables."""
    with databases.empty(database_kind) as url:
        yield url


@pytest.fixture
def migrated_url(databases: Databases, database_kind: str) -> Iterator[str]:
    """SQLAlchemy URL of a fresh database at the newest migration, without rows."""
    with databases.migrated(database_kind) as url:
        yield url
