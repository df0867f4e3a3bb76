"""The servers that benchmarks compare: Acta, and an MLflow server on the same kind of database."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import httpx
import psycopg
from sqlalchemy import make_url

from registry.database import upgrade
from tests.acta_server import ActaServer, descendants, free_port
from tests.postgresql import PostgresqlServer, start_server

MLFLOW_SETTINGS = {
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
}
UVICORN = ["-m", "uvicorn", "--factory", "registry.asgi:application", "--no-access-log", "--log-level=warning"]
DURABLE: Mapping[str, str] = {"max_connections": "200"}
"""PostgreSQL's defaults otherwise: fsync, full_page_writes and synchronous_commit are on."""
START_SECONDS = 180.0


@contextmanager
def postgresql() -> Iterator[PostgresqlServer]:
    """A PostgreSQL with durable settings; it ends with this process."""
    directory = Path(tempfile.mkdtemp(prefix="acta-bench-", dir="/tmp"))
    yield start_server(directory, DURABLE, os.getpid())


def new_database(server: PostgresqlServer, name: str) -> str:
    """Make a database; its SQLAlchemy URL."""
    address = make_url(server.url("postgres")).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    return server.url(name)


@contextmanager
def acta(directory: Path, database_url: str, *arguments: str) -> Iterator[ActaServer]:
    """A running Acta server of one process, without job worker."""
    upgrade(database_url)
    server = ActaServer(directory, database_url)
    server.start("--workers=1", "--no-worker", *arguments)
    try:
        yield server
    finally:
        server.kill()


@contextmanager
def uvicorn_instead(server: ActaServer) -> Iterator[ActaServer]:
    """The same installation served by uvicorn, on another port, beside the one that runs."""
    port = free_port()
    beside = ActaServer(server.directory, server.database_url, port=port)
    command = [*UVICORN, f"--port={port}"]
    with _running(command, beside.environment, server.directory / "uvicorn.log", port, "/health/live") as process:
        beside.process = process
        yield beside


@dataclass(frozen=True)
class MlflowServer:
    """A running MLflow server."""

    port: int

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def mlflow(directory: Path, database_url: str) -> Iterator[MlflowServer]:
    """A running MLflow server of one process."""
    directory.mkdir()
    port = free_port()
    command = ["-m", "mlflow", "server", f"--backend-store-uri={database_url}", "--workers=1", "--host=127.0.0.1"]
    command += [f"--default-artifact-root={directory / 'artifacts'}", f"--port={port}"]
    with _running(command, os.environ | MLFLOW_SETTINGS, directory / "log", port, "/health"):
        yield MlflowServer(port)


@contextmanager
def _running(
    command: list[str], environment: Mapping[str, str], log: Path, port: int, path: str
) -> Iterator["subprocess.Popen[bytes]"]:
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, *command],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        _wait(process, f"http://127.0.0.1:{port}{path}", log)
        yield process
    finally:
        for pid in [process.pid, *descendants(process.pid)]:
            os.kill(pid, signal.SIGKILL)
        process.wait()


def _wait(process: "subprocess.Popen[bytes]", url: str, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            if httpx.get(url, timeout=5.0, trust_env=False).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    raise RuntimeError(f"{url} did not answer:\n{log.read_text()[-4000:]}")


def mlflow_description(database: str) -> str:
    """The peer's version and settings, in one line."""
    settings = " ".join(f"{name}={value}" for name, value in MLFLOW_SETTINGS.items())
    return f"peer: mlflow {version('mlflow')}, mlflow server --workers=1 on {database}, {settings}"


@dataclass(frozen=True)
class Memory:
    """Of one process, in megabytes (10^6 bytes)."""

    rss: float
    pss: float


def memory(pid: int) -> Memory:
    """What a process holds now; PSS counts shared pages in part."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
    kilobytes = {name: int(rest.split()[0]) for name, _, rest in (line.partition(":") for line in lines)}
    return Memory(kilobytes["Rss"] * 1024 / 1e6, kilobytes["Pss"] * 1024 / 1e6)


def largest_process(pid: int) -> Memory:
    """The memory of the largest process at and below `pid`: of a server with one worker, that worker's."""
    return max((memory(found) for found in [pid, *descendants(pid)]), key=lambda used: used.rss)
