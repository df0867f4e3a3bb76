"""Kills a server in the middle of a stream of writes by several processes, and counts what is there afterwards."""

import http.client
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session
from sqlmodel import col

from audit.tables import ENTRY
from registry.catalog.tables import LineageRow, ModelVersion, TagRow
from registry.database import Database, Mode
from registry.evidence.verification import own_key, verify_log
from registry.jobs.tables import JobRow
from registry.settings import Settings
from tests.acta_server import ActaServer
from tests.journeys.writer import LINEAGE, Record, read_record

MODEL = "written-to"
WRITERS = 4
SERVER_PROCESSES = 2
LEAST_ACKNOWLEDGED = 40
"""The server is killed a moment after so many requests were answered."""
STREAM_SECONDS = 60.0


@dataclass(frozen=True)
class Crash:
    """What one kill left behind. Versions and tags are counted together."""

    processes: int
    """How many were killed."""
    acknowledged: int
    found: int
    """Of the acknowledged: in their table."""
    in_log: int
    """Of the acknowledged: with exactly one entry."""
    unanswered: int
    """Requests in flight when the server died."""
    unanswered_done: int
    """Of those: done, with their entry; the others left no trace."""
    half_written: tuple[str, ...]
    """Sentences: rows without their entry, entries without their row, a version without its lineage or job."""
    repeated_wrongly: int
    """Unanswered requests that, repeated under their key after the restart, were not there exactly once."""
    log_problems: tuple[str, ...]
    entries: int
    """Of the whole log."""

    @property
    def is_sound(self) -> bool:
        """Whether nothing was lost, halved or doubled, and the log verifies."""
        return (
            self.acknowledged == self.found == self.in_log
            and not self.half_written
            and not self.repeated_wrongly
            and not self.log_problems
        )


def crash(server: ActaServer, token: str, directory: Path, name: str) -> Crash:
    """Let processes write to a running server, kill it, start it again, and count.

    A server of two processes runs afterwards.
    """
    records = _stream_until_killed(server, token, directory, name)
    killed = server.kill()
    with _ended(records):
        kept = [read_record(path) for _, path in records]
    before = _state(server)
    acknowledged = [key for record in kept for key in _acknowledged(record)]
    unanswered = [record.unanswered for record in kept if record.unanswered is not None]
    keys = [(step.kind, step.run_id) for step in unanswered]
    half_written = before.half_written()
    server.start(f"--workers={SERVER_PROCESSES}")
    with closing(http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=60)) as connection:
        for step in unanswered:
            step.send(connection, token)
    after = _state(server)
    settings = Settings(home=server.home)
    verification = verify_log(server.database_url, own_key(settings), None, None, lambda *_: None)
    return Crash(
        processes=killed,
        acknowledged=len(acknowledged),
        found=sum(before.rows[key] == 1 for key in acknowledged),
        in_log=sum(before.entries[key] == 1 for key in acknowledged),
        unanswered=len(keys),
        unanswered_done=sum(before.rows[key] == 1 and before.entries[key] == 1 for key in keys),
        half_written=(*half_written, *after.half_written()),
        # A tag that is set twice to the same value is there once, with two entries that say so.
        repeated_wrongly=sum(after.rows[key] != 1 or (key[0] == "version" and after.entries[key] != 1) for key in keys),
        log_problems=tuple(problem.sentence for problem in verification.problems),
        entries=verification.entries,
    )


Writer = tuple["subprocess.Popen[bytes]", Path]


def _stream_until_killed(server: ActaServer, token: str, directory: Path, name: str) -> list[Writer]:
    directory.mkdir(exist_ok=True)
    writers = []
    for number in range(WRITERS):
        record = directory / f"{name}-{number}"
        arguments = [server.url, token, MODEL, record.name, str(record)]
        writers.append((subprocess.Popen([sys.executable, "-m", "tests.journeys.writer", *arguments]), record))
    deadline = time.monotonic() + STREAM_SECONDS
    while _answers(writers) < LEAST_ACKNOWLEDGED:
        assert time.monotonic() < deadline, "the writers got too few answers"
        time.sleep(0.005)
    # Not at an instant that depends on an answer: any moment of a transaction may be the last.
    time.sleep(random.random() * 0.05)
    return writers


def _answers(writers: Sequence[Writer]) -> int:
    return sum(path.read_text().count('["acknowledged"') for _, path in writers if path.exists())


@contextmanager
def _ended(writers: Sequence[Writer]) -> Iterator[None]:
    for process, _ in writers:
        assert process.wait(60) == 0
    yield


def _acknowledged(record: Record) -> list[tuple[str, str]]:
    return [(step.kind, step.run_id) for step in record.asked[: len(record.acknowledged)]]


Key = tuple[str, str]
"""What a request made: "version" or "tag", and the run that marks it."""


@dataclass(frozen=True)
class _State:
    rows: Counter[Key]
    entries: Counter[Key]
    foreign_entries: int
    """Entries about versions that are not there."""
    numbers: list[int]
    lineage: dict[str, int]
    jobs: Counter[str]

    def half_written(self) -> list[str]:
        found = [f"{key} has a row and no entry" for key in self.rows if key not in self.entries]
        found += [f"{key} has an entry and no row" for key in self.entries if key not in self.rows]
        versions = [run_id for kind, run_id in self.rows if kind == "version"]
        found += [f"version {run} has not its whole lineage" for run in versions if self.lineage[run] != len(LINEAGE)]
        found += [f"version {run} has {self.jobs[run]} jobs" for run in versions if self.jobs[run] != 1]
        if self.foreign_entries:
            found.append(f"{self.foreign_entries} entries are about versions that are not there")
        if sorted(self.numbers) != list(range(1, len(self.numbers) + 1)):
            found.append("the versions' numbers have gaps")
        return found


def _state(server: ActaServer) -> _State:
    database = Database(server.database_url)
    try:
        with database.transaction(Mode.READ) as session:
            return _read_state(session)
    finally:
        database.dispose()


def _read_state(session: Session) -> _State:
    versions = session.execute(select(col(ModelVersion.id), col(ModelVersion.number), col(ModelVersion.run_id))).all()
    runs: dict[UUID, str] = {version_id: run_id or "" for version_id, _, run_id in versions}
    rows = Counter(("version", run_id) for run_id in runs.values())
    for version_id, value in session.execute(select(col(TagRow.version_id), col(TagRow.value))):
        assert runs[version_id] == value, "a tag lies on another version than its own"
        rows["tag", value] += 1
    entries: Counter[Key] = Counter()
    foreign = 0
    logged = select(ENTRY.c.action, ENTRY.c.subject_id).where(ENTRY.c.action.in_(["version.registered", "tag.set"]))
    for action, subject_id in session.execute(logged):
        run_id = runs.get(UUID(subject_id))
        if run_id is None:
            foreign += 1
        else:
            entries["version" if action == "version.registered" else "tag", run_id] += 1
    edges = select(col(LineageRow.version_id), func.count()).group_by(col(LineageRow.version_id))
    lineage = dict.fromkeys(runs.values(), 0)
    lineage |= {runs[version_id]: count for version_id, count in session.execute(edges)}
    jobs = Counter(
        runs[UUID(arguments["version_id"])] for (arguments,) in session.execute(select(col(JobRow.arguments)))
    )
    return _State(rows, entries, foreign, [number for _, number, _ in versions], lineage, jobs)
