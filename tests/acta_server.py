"""An `acta serve` of its own, with its own directory and database: for journeys and benchmarks."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

import httpx

from registry.access.actor import Role
from registry.catalog.facts import Autonomy, Impact, LegalDomain, PersonalData, Reversibility, RiskProfile
from registry.client import Client

START_SECONDS = 100.0
STOP_SECONDS = 45.0

PROFILE = RiskProfile(
    financial_impact=Impact.NONE,
    reputational_impact=Impact.NONE,
    affects_persons=False,
    personal_data=PersonalData.NONE,
    decision_autonomy=Autonomy.ADVISES,
    reversibility=Reversibility.EASILY,
    legal_domain=LegalDomain.NONE,
)


def free_port() -> int:
    """A port of the loopback interface on which nobody listens now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def user_environment() -> dict[str, str]:
    """The environment of a process as a user starts it.

    This machine's own settings of Acta are left out. Where it keeps no bytecode, which makes a start three times as
    long, some is kept beside the installed libraries.
    """
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("ACTA_")}
    if inherited.pop("PYTHONDONTWRITEBYTECODE", None):
        inherited["PYTHONPYCACHEPREFIX"] = str(Path(sys.prefix) / "bytecode")
    return inherited


@dataclass
class ActaServer:
    """One installation and its server's processes. The database must have been migrated."""

    directory: Path
    """Made here: the installation's home, and what the server prints."""
    database_url: str
    settings: Mapping[str, str] = field(default_factory=dict)
    """Further environment variables."""
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def home(self) -> Path:
        """ACTA_HOME."""
        return self.directory / "home"

    @property
    def environment(self) -> dict[str, str]:
        """The environment of its processes."""
        return user_environment() | {
            "ACTA_HOME": str(self.home),
            "ACTA_DATABASE_URL": self.database_url,
            "ACTA_PORT": str(self.port),
            "ACTA_JOB_POLL_SECONDS": "0.1",
            **self.settings,
        }

    def start(self, *arguments: str) -> None:
        """Start `acta serve` and wait until it is ready.

        Raises:
            RuntimeError: it ended, or was not ready in time; with what it said.
        """
        self.directory.mkdir(exist_ok=True)
        with (self.directory / "out").open("ab") as out, (self.directory / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "registry.cli", "serve", *arguments],
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=log,
                start_new_session=True,
            )
        deadline = time.monotonic() + START_SECONDS
        while self.process.poll() is None and time.monotonic() < deadline:
            if self._is_ready():
                return
            time.sleep(0.05)
        self.kill()
        raise RuntimeError(f"the server did not start:\n{(self.directory / 'log').read_text()[-4000:]}")

    def _is_ready(self) -> bool:
        try:
            return httpx.get(f"{self.url}/health/ready", timeout=5.0, trust_env=False).status_code == 200
        except httpx.TransportError:
            return False

    @property
    def one_time_token(self) -> str:
        """What the first start printed."""
        return (self.directory / "out").read_text().split()[0]

    def terminate(self) -> int:
        """SIGTERM; its exit status."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            raise

    def kill(self) -> int:
        """SIGKILL to all of its processes at once; how many they were."""
        assert self.process is not None
        processes = [self.process.pid, *descendants(self.process.pid)]
        # From the top down: who is dead starts nobody anew.
        for pid in processes:
            _kill(pid)
        self.process.wait()
        return len(processes)


def descendants(pid: int) -> list[int]:
    """All processes below a process, parents before children."""
    listed = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    children: dict[int, list[int]] = {}
    for line in listed.splitlines():
        child, parent = map(int, line.split())
        children.setdefault(parent, []).append(child)
    found: list[int] = []
    waiting = [pid]
    while waiting:
        below = children.get(waiting.pop(0), [])
        found += below
        waiting += below
    return found


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


@dataclass(frozen=True)
class Developer:
    """A developer of the whole installation."""

    id: UUID
    token: str


def add_developer(server: ActaServer) -> Developer:
    """Exchange the one-time token and make one developer, over HTTP."""
    with Client(server.url, server.one_time_token) as founder:
        administrator = founder.create_token("administrator").secret
    with Client(server.url, administrator) as client:
        actor = client.create_actor("developer")
        client.grant_role(actor.id, Role.DEVELOPER)
        token = client.create_token("developer", actor_id=actor.id).secret
    assert token is not None
    return Developer(actor.id, token)


def add_model(server: ActaServer, developer: Developer, name: str) -> None:
    """Register a model of low risk."""
    with Client(server.url, developer.token) as client:
        client.register_model(
            name, team="benchmarks", owner_id=developer.id, purpose="Takes versions.", profile=PROFILE
        )
