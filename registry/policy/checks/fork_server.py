"""The process from which checks are forked: `python -P -m registry.policy.checks.fork_server`.

Python and what Acta's own checks import take longer to load than most checks to run, and a fork of a process that has
loaded them takes milliseconds. This process runs no check, reads nothing that was uploaded, and imports no other
package's code, so that each fork finds what a process of its own would find.

It is told by messages on the socket that is its standard input, and answers there, in JSON. Standard input, output and
error of a check come with its `Start`. `END` ends the check that runs, and so does the end of the socket: no check
outlives the one who asked for it. `registry.policy.checks.forks` is the other side.
"""

import importlib
import os
import select
import signal
import socket
import sys
import traceback
from collections.abc import Mapping
from contextlib import suppress
from typing import NoReturn

import msgspec

from registry.policy.checks import child

LOADED = (
    "artifact",
    "assessment",
    "lineage",
    "locks",
    "monitoring",
    "osv",
    "performance",
    "scanning.looking",
    "secrets_scan",
    "statements",
    "vulnerabilities",
)
"""Acta's own modules of checks, and those that they import once they run."""
LARGEST_MESSAGE = 65536
END = b"\n"
"""Ends the check that runs. Before a `Start` it is white space, and means nothing."""
STREAMS = 3


class Start(msgspec.Struct, frozen=True):
    """Fork a check that works in a directory, with this environment and nothing else of the server's."""

    directory: str
    environment: Mapping[str, str]


class Ended(msgspec.Struct, frozen=True):
    """How a check's process ended: its exit status, negative for a signal."""

    status: int


def main() -> None:
    """Fork one check after the other, until the socket ends."""
    for name in LOADED:
        importlib.import_module(f"registry.policy.checks.{name}")
    woken = _woken_by_children()
    with socket.socket(fileno=os.dup(0)) as asked:
        while True:
            message, streams, _, _ = socket.recv_fds(asked, LARGEST_MESSAGE, STREAMS)
            if not message:
                return
            if message == END:
                # It crossed the end of the check that it was meant for.
                continue
            start = msgspec.json.decode(message, type=Start)
            process = os.fork()
            if process == 0:
                _become_check(start, streams)
            for stream in streams:
                os.close(stream)
            status = _wait(process, woken, asked)
            with suppress(BrokenPipeError):
                asked.send(msgspec.json.encode(Ended(status)))


def _woken_by_children() -> int:
    """The end of a pipe in which a byte arrives whenever a child ends or is stopped."""
    woken, wakes = os.pipe()
    for end in (woken, wakes):
        os.set_blocking(end, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wakes, warn_on_full_buffer=False)
    return woken


def _become_check(start: Start, streams: list[int]) -> NoReturn:
    """In the fork: be what a process started for this check alone would be."""
    status = 1
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.setsid()
        for number, stream in enumerate(streams):
            os.dup2(stream, number)
        # The streams came last: below them lie the server's own.
        os.closerange(STREAMS, max(streams) + 1)
        os.chdir(start.directory)
        os.environ.clear()
        os.environ.update(start.environment)
        child.main()
        status = 0
    except SystemExit as left:
        status = left.code if isinstance(left.code, int) else 1
    except BaseException:  # noqa: BLE001 (nothing of a check may get into the loop of the server)
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(status)


def _wait(process: int, woken: int, asked: socket.socket) -> int:
    """How the child ended, by itself or because a message came."""
    ready, _, _ = select.select([woken, asked.fileno()], [], [])
    if asked.fileno() in ready:
        asked.recv(LARGEST_MESSAGE)
    # Before its number is free again: whatever the child left in its group ends too.
    _end_group(process)
    status = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    with suppress(BlockingIOError):
        os.read(woken, 512)
    return status


def _end_group(process: int) -> None:
    # It has a group of its own once it has called setsid, and not before.
    for end in (os.kill, os.killpg):
        with suppress(ProcessLookupError):
            end(process, signal.SIGKILL)


if __name__ == "__main__":
    main()
