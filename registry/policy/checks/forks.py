"""Has checks forked by `registry.policy.checks.fork_server`."""

import atexit
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import IO

import msgspec

from registry.policy.checks.fork_server import END, LARGEST_MESSAGE, Ended, Start

# -P: the working directory is not searched for modules.
COMMAND = (sys.executable, "-P", "-m", "registry.policy.checks.fork_server")
PASSED_ON = ("PATH", "PYTHONPATH", "PYTHONHOME", "LANG", "LC_ALL", "LD_LIBRARY_PATH")
"""Variables of the environment that a check gets. None of Acta's settings is among them."""
SECONDS_TO_END = 20.0
"""How long a server may take to end a check that it was told to end; a machine out of memory is slow."""


class ForkServerError(Exception):
    """A fork server ended, or answered nonsense."""


class ForkServer:
    """One process that forks one check at a time."""

    def __init__(self, environment: Mapping[str, str], command: Sequence[str]) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        with theirs:
            self._process = subprocess.Popen(
                command,
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=environment,
                start_new_session=True,
            )
        self._socket = ours

    @property
    def lives(self) -> bool:
        """Whether the process still runs."""
        return self._process.poll() is None

    def start(self, start: Start, streams: tuple[IO[bytes], IO[bytes], IO[bytes]]) -> None:
        """Fork a check with these as its standard input, output and error.

        Raises:
            ForkServerError: the server has ended.
        """
        try:
            socket.send_fds(self._socket, [msgspec.json.encode(start)], [stream.fileno() for stream in streams])
        except OSError as error:
            raise ForkServerError(f"The process that forks checks has ended ({error}).") from error

    def ended(self, seconds: float) -> int | None:
        """The exit status of the check that was started, negative for a signal; None where it still runs.

        Raises:
            ForkServerError: the server has ended.
        """
        self._socket.settimeout(seconds)
        try:
            message = self._socket.recv(LARGEST_MESSAGE)
            return msgspec.json.decode(message, type=Ended).status
        except TimeoutError:
            return None
        except (OSError, msgspec.DecodeError) as error:
            raise ForkServerError("The process that forks checks has ended.") from error

    def end(self) -> int:
        """End the check that was started; its exit status, that of an end of its own if it was quicker.

        Raises:
            ForkServerError: the server has ended, or did not end the check.
        """
        with suppress(OSError):
            self._socket.send(END)
        status = self.ended(SECONDS_TO_END)
        if status is None:
            raise ForkServerError("The process that forks checks does not answer.")
        return status

    def close(self) -> None:
        """End the server, and with it what it still runs."""
        self._socket.close()
        try:
            self._process.wait(SECONDS_TO_END)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


class ForkServers:
    """The fork servers of a process: as many as checks ran at once, each kept for the next check."""

    def __init__(self, command: Sequence[str] = COMMAND) -> None:
        self._command = command
        self._idle: list[tuple[Mapping[str, str], ForkServer]] = []
        self._lock = threading.Lock()

    @contextmanager
    def one(self) -> Iterator[ForkServer]:
        """A fork server with today's environment. One that fails in use is not used again."""
        environment = passed_on()
        server = self._taken(environment) or ForkServer(environment, self._command)
        try:
            yield server
        except BaseException:
            server.close()
            raise
        with self._lock:
            self._idle.append((environment, server))

    def close(self) -> None:
        """End those that are idle."""
        while self._idle:
            self._idle.pop()[1].close()

    def _taken(self, environment: Mapping[str, str]) -> ForkServer | None:
        with self._lock:
            while self._idle:
                known, server = self._idle.pop()
                if known == environment and server.lives:
                    return server
                server.close()
        return None


def passed_on() -> Mapping[str, str]:
    """The environment of a fork server; a check's own has its home and place for temporary files besides."""
    passed = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    # One thread each, so that numerical libraries do not take the machine.
    threads = {f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS", "MKL", "NUMEXPR")}
    return passed | threads | {"PYTHONDONTWRITEBYTECODE": "1"}


FORK_SERVERS = ForkServers()
atexit.register(FORK_SERVERS.close)
