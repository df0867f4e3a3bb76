"""A real server for the tour: `acta serve` in a process of its own, on a free port of this machine only."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from registry.demo.directory import DemoDirectory
from registry.demo.pager import Pager, pager
from registry.errors import UnavailableError
from registry.settings import Settings

START_SECONDS = 60.0
STOP_SECONDS = 45.0
ORGANISATION = "Acta demo"


@dataclass(frozen=True)
class DemoServer:
    """A running server, and the one-time token of its first start."""

    url: str
    one_time_token: str
    process: subprocess.Popen[bytes]
    pager: Pager
    """Receives alerts; the server's settings allow it."""


def server_environment(directory: DemoDirectory, port: int, pager_host: str) -> dict[str, str]:
    """The server's settings. Those of the installation that this machine may have are left out."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("ACTA_")}
    return inherited | own_settings(directory, port, pager_host)


def own_settings(directory: DemoDirectory, port: int, pager_host: str) -> dict[str, str]:
    """The settings that the tour itself makes, as environment variables."""
    return {
        "ACTA_HOME": str(directory.home),
        "ACTA_ARTIFACT_ROOTS": str(directory.training),
        "ACTA_HOST": "127.0.0.1",
        "ACTA_PORT": str(port),
        "ACTA_PUBLIC_URL": f"http://127.0.0.1:{port}",
        "ACTA_ORGANISATION": ORGANISATION,
        "ACTA_JOB_POLL_SECONDS": "0.1",
        # On this machine, where webhooks may not reach otherwise.
        "ACTA_WEBHOOK_ALLOWED_HOSTS": pager_host,
    }


def demo_settings(directory: DemoDirectory) -> Settings:
    """The settings with which this process reads the tour's database and keys: nothing from the environment."""
    return Settings.model_validate({"home": directory.home, "organisation": ORGANISATION})


@contextmanager
def running(directory: DemoDirectory) -> Iterator[DemoServer]:
    """Migrate the database and run the server until the block ends.

    Raises:
        UnavailableError: the server does not start.
    """
    from registry.database import upgrade

    upgrade(f"sqlite:///{directory.database}")
    with pager() as receiver:
        port = _free_port()
        process = _start(directory, server_environment(directory, port, receiver.host))
        try:
            _wait_until_ready(process, f"http://127.0.0.1:{port}", directory)
            output = _output_of(directory)
            token = output.read_text().strip()
            output.unlink()
            yield DemoServer(f"http://127.0.0.1:{port}", token, process, receiver)
        finally:
            _stop(process)


def _start(directory: DemoDirectory, environment: dict[str, str]) -> subprocess.Popen[bytes]:
    # Files, not pipes: a pipe that nobody reads would stop the server.
    output = os.open(_output_of(directory), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(output, "wb") as out, directory.server_log.open("wb") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "registry.cli", "serve"],
            env=environment,
            stdout=out,
            stderr=log,
            # Ctrl-C reaches the server once: through us.
            start_new_session=True,
        )


def _output_of(directory: DemoDirectory) -> Path:
    return directory.root / "one-time-token"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_until_ready(process: subprocess.Popen[bytes], url: str, directory: DemoDirectory) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if httpx.get(f"{url}/health/ready", timeout=2.0, trust_env=False).status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    said = directory.server_log.read_text(errors="replace").strip().splitlines()
    raise UnavailableError(
        f"The server did not start: {said[-1] if said else 'it said nothing'}", f"Look at {directory.server_log}."
    )


def _stop(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def wait_for_interrupt(server: DemoServer) -> None:
    """Return when the user presses Ctrl-C, or the server is asked to stop by SIGTERM to this process.

    Raises:
        UnavailableError: the server ended by itself.
    """
    handlers: Mapping[int, object] = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    stopping = False

    def stop(_signal: int, _frame: object) -> None:
        nonlocal stopping
        stopping = True

    for number in handlers:
        signal.signal(number, stop)
    while not stopping:
        if server.process.poll() is not None:
            raise UnavailableError(f"The server ended by itself ({server.process.returncode}).", "Look at server.log.")
        time.sleep(0.1)
