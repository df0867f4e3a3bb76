"""`acta serve`: one process that watches over the server's processes and a worker."""

import ctypes
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import click

from registry.cli.configuration import keep_private, load_settings
from registry.errors import UnavailableError
from registry.settings import Settings

RESTART_PAUSE_SECONDS = 1.0
STOP_SECONDS = 30.0
PR_SET_PDEATHSIG = 1
"""Linux, prctl(2)."""


@click.command()
@click.option("--host", help="Address to listen on. [default: ACTA_HOST, else 127.0.0.1]")
@click.option("--port", type=click.IntRange(0, 65535), help="Port to listen on. [default: ACTA_PORT, else 8700]")
@click.option("--workers", type=click.IntRange(1, 64), help="Server processes. [default: ACTA_WORKERS, else 1]")
@click.option("--no-worker", is_flag=True, help="Start no `acta worker`: jobs wait for one started elsewhere.")
def serve(host: str | None, port: int | None, workers: int | None, no_worker: bool) -> None:
    """Start the HTTP server and a worker.

    The first start makes the signing keys and prints a one-time administrator token.
    SIGTERM and Ctrl-C let requests in flight finish. Example: acta serve --port 8700 --workers 2
    """
    from registry.installation import start

    settings = load_settings()
    address = (host or settings.host, settings.port if port is None else port)
    _require_free(address)
    keep_private()
    made = start(settings)
    if made.key_created is not None:
        click.echo(f"Made the log's signing key {made.key_created} (back it up apart from the database).", err=True)
    if made.seal_created is not None:
        click.echo(f"Made a self-signed seal for model cards in {made.seal_created}.", err=True)
    if made.token is not None:
        click.echo("One-time administrator token, shown this once; `acta token create` exchanges it:", err=True)
        click.echo(made.token)
        sys.stdout.flush()
    if made.waits_for_exchange:
        click.echo(
            "The one-time administrator token of the first start was not exchanged yet (`acta token create`); if it is "
            "lost, `acta token recover` prints another.",
            err=True,
        )
    listening = f"http://{f'[{address[0]}]' if ':' in address[0] else address[0]}:{address[1]}"
    click.echo(f"Acta listens on {listening}", err=True)
    _state_public_url(settings, address[0], listening)
    raise SystemExit(run(settings, address, workers or settings.workers, [] if no_worker else [_worker_command()]))


def _state_public_url(settings: Settings, host: str, listening: str) -> None:
    """Links in alerts and on cards lead to where this server listens, unless the operator says another address."""
    if "public_url" in settings.model_fields_set:
        return
    if host in {"0.0.0.0", "::"}:  # noqa: S104 - compared, not bound to
        click.echo(f"Links in alerts and cards lead to {settings.public_url}: ACTA_PUBLIC_URL says another.", err=True)
    else:
        os.environ["ACTA_PUBLIC_URL"] = listening


def _require_free(address: tuple[str, int]) -> None:
    """Raise UnavailableError where somebody else listens already: the server's processes would wait for the port."""
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    with socket.socket(family) as probe:
        # As servers do: a port whose last connections are only ending counts as free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
        except OSError as error:
            raise UnavailableError(
                f"Acta cannot listen on {address[0]}:{address[1]} ({error.strerror}).",
                "Stop what listens there, or choose another with --host and --port.",
            ) from error


def _worker_command() -> list[str]:
    return [sys.executable, "-m", "registry.cli", "worker"]


def _server_command(address: tuple[str, int], workers: int) -> list[str]:
    return [
        sys.executable,
        "-m",
        "granian",
        "--interface=asgi",
        "--factory",
        "--no-ws",
        f"--host={address[0]}",
        f"--port={address[1]}",
        f"--workers={workers}",
        "--respawn-failed-workers",
        "--workers-kill-timeout=30",
        "--log-level=warning",
        "registry.asgi:application",
    ]


def run(settings: Settings, address: tuple[str, int], workers: int, helpers: Sequence[list[str]]) -> int:
    """Run until told to stop, or until the server ends by itself; its exit status."""
    stopping = False

    def stop(_signal: int, _frame: object) -> None:
        nonlocal stopping
        stopping = True

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    with _metrics_directory() as environment:
        # Each in a session of its own, so that Ctrl-C reaches them once and in order: through us.
        server = _started(_server_command(address, workers), environment)
        workers_running = [_started(command, environment) for command in helpers]
        try:
            while not stopping and server.poll() is None:
                for position, process in enumerate(workers_running):
                    if process.poll() is not None:
                        click.echo(f"The worker ended ({process.returncode}); starting another.", err=True)
                        time.sleep(RESTART_PAUSE_SECONDS)
                        workers_running[position] = _started(helpers[position], environment)
                time.sleep(0.1)
        finally:
            _stop([server, *workers_running])
    return 0 if stopping else server.returncode or 3


def _started(command: list[str], environment: dict[str, str]) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(command, env=environment, start_new_session=True, preexec_fn=end_with_parent)  # noqa: PLW1509 (no threads run here)


def end_with_parent() -> None:
    """In a new process: have the kernel end it when the one that started it dies, even by kill -9. Linux only."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


@contextmanager
def _metrics_directory() -> Iterator[dict[str, str]]:
    """An environment with the directory in which the server's processes share their counters."""
    with tempfile.TemporaryDirectory(prefix="acta-metrics-") as directory:
        yield os.environ | {"PROMETHEUS_MULTIPROC_DIR": directory}


def _stop(processes: Sequence[subprocess.Popen[bytes]]) -> None:
    for process in processes:
        if process.poll() is None:
            process.terminate()
    deadline = time.monotonic() + STOP_SECONDS
    for process in processes:
        try:
            process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
