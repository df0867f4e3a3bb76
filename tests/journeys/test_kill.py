"""What a server that is killed, stopped or blocked leaves behind. Real processes, real signals, both databases."""

import dataclasses
import fcntl
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from uuid import UUID

import psycopg
import pytest
from sqlalchemy import make_url

from audit.log import ADVISORY_LOCK
from registry.catalog.digest import content_digest, manifest_of_folder
from registry.catalog.facts import VersionFacts
from registry.client import Client
from registry.database import Database, Mode
from registry.jobs.tables import JobRow
from tests.acta_server import ActaServer, Developer, add_developer, add_model
from tests.journeys.crash import MODEL, SERVER_PROCESSES, WRITERS, crash

FACTS = VersionFacts(source_uri="file:///models/credit", content_digest="ab" * 32, framework="sklearn")


@pytest.fixture
def server(migrated_url: str, tmp_path: Path) -> Iterator[ActaServer]:
    server = ActaServer(tmp_path / "server", migrated_url, {"ACTA_ARTIFACT_ROOTS": str(tmp_path / "artifacts")})
    yield server
    if server.process is not None and server.process.poll() is None:
        server.kill()


def populate(server: ActaServer) -> Developer:
    developer = add_developer(server)
    add_model(server, developer, MODEL)
    return developer


@contextmanager
def writes_blocked(url: str) -> Iterator[None]:
    """Hold, from this process, what every writer of the server must wait for."""
    if url.startswith("sqlite"):
        path = Path(make_url(url).database or "")
        with path.with_name(path.name + ".lock").open("r+") as lock, closing(sqlite3.connect(path)) as connection:
            fcntl.flock(lock, fcntl.LOCK_EX)
            connection.isolation_level = None
            connection.execute("BEGIN IMMEDIATE")
            yield
        return
    address = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(address) as connection:
        connection.execute("SELECT pg_advisory_xact_lock(%s)", [ADVISORY_LOCK])
        yield


def test_a_killed_server_keeps_what_it_acknowledged_and_nothing_by_halves(server, tmp_path):
    server.start(f"--workers={SERVER_PROCESSES}")
    developer = populate(server)
    crashed = crash(server, developer.token, tmp_path / "records", "writer")
    assert crashed.is_sound, dataclasses.asdict(crashed)
    assert crashed.acknowledged >= 40
    assert crashed.processes >= 3 + SERVER_PROCESSES, "the supervisor, granian, its processes, the worker"
    assert 1 <= crashed.unanswered <= WRITERS


def test_blocked_writers_stop_no_reader_and_a_stopped_server_finishes_what_it_began(server, migrated_url):
    server.start("--no-worker")
    developer = populate(server)
    writers = 48
    registered: list[int] = []

    def register() -> None:
        with Client(server.url, developer.token) as client:
            registered.append(client.register_version(MODEL, FACTS).number)

    threads = [threading.Thread(target=register) for _ in range(writers)]
    with Client(server.url, developer.token) as client:
        client.register_version(MODEL, FACTS)
        with writes_blocked(migrated_url):
            for thread in threads:
                thread.start()
            time.sleep(1.0)
            started = time.monotonic()
            for _ in range(20):
                assert client.version(MODEL, 1).number == 1
                assert len(list(client.versions(MODEL))) == 1
            waited = time.monotonic() - started
            assert registered == [], "the writers were not blocked"
            server.process.send_signal(signal.SIGTERM)
            time.sleep(0.5)
    assert waited < 5.0
    for thread in threads:
        thread.join(60)
    assert server.process.wait(30) == 0
    assert sorted(registered) == list(range(2, writers + 2))


def test_a_job_whose_worker_was_killed_is_done_by_the_next_one(server, tmp_path):
    artifact = tmp_path / "artifacts" / "model"
    artifact.mkdir(parents=True)
    # Long enough to be killed in the middle; it takes no room on the disk.
    with (artifact / "weights.bin").open("wb") as file:
        file.truncate(2**28)
    digest = content_digest(manifest_of_folder(artifact)).hex()
    settings = {**server.settings, "ACTA_JOB_LEASE_SECONDS": "1"}
    server = dataclasses.replace(server, settings=settings)
    server.start("--no-worker")
    developer = populate(server)
    with Client(server.url, developer.token) as client:
        facts = VersionFacts(source_uri=artifact.as_uri(), content_digest=digest, framework="sklearn")
        version = client.register_version(MODEL, facts)
        (job,) = client.jobs()
        first = start_worker(server)
        while client.job(job.id).state == "queued":
            assert first.poll() is None
            time.sleep(0.01)
        first.kill()
        first.wait()
        assert client.job(job.id).state == "running"
        second = start_worker(server)
        ended = client.wait_for_job(job.id, seconds=30)
        second.terminate()
        assert second.wait(15) == 0
        assert ended.result is not None
        assert ended.result["digest_state"] == "verified"
        assert attempts(server, job.id) == 2
        assert client.version(MODEL, version.number).digest_state == "verified"
        assert [entry.action for entry in client.entries(version.id)].count("version.digest-checked") == 1
    assert server.terminate() == 0


def attempts(server: ActaServer, job_id: UUID) -> int:
    database = Database(server.database_url)
    try:
        with database.transaction(Mode.READ) as session:
            return session.get_one(JobRow, job_id).attempts
    finally:
        database.dispose()


def start_worker(server: ActaServer) -> "subprocess.Popen[bytes]":
    with (server.directory / "worker-log").open("ab") as log:
        return subprocess.Popen([sys.executable, "-m", "registry.cli", "worker"], env=server.environment, stderr=log)
