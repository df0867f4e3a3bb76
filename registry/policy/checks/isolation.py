"""Runs a check: one of Acta's own that reads rows alone here, every other one in a child process with limits.

A child that raises, hangs, exhausts its memory, is killed, or writes anything but one well-formed line makes the
outcome *error*, and nothing else: `passed` comes only from a complete answer.
"""

import os
import selectors
import signal
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO

import msgspec

from registry.policy.checks.child import Limits, Reply, Request
from registry.policy.checks.facts import CheckFacts, Files, UnreadableInputError
from registry.policy.checks.fork_server import Start
from registry.policy.checks.forks import FORK_SERVERS, ForkServer, ForkServerError, ForkServers, passed_on
from registry.policy.checks.installed import runs_apart
from registry.policy.checks.protocol import Check, Finding
from registry.policy.outcomes import Outcome

DEFAULT_LIMITS = Limits()
SECONDS_BETWEEN_QUESTIONS = 0.5
"""How often somebody is asked whether a check that takes its time is still wanted."""
SECONDS_TO_CLOSE = 1.0
"""How long a check's process may live on after it closed its output."""
LONGEST_REASON = 4000
LONGEST_EVIDENCE = 20_000


def examine(
    check: Check,
    facts: CheckFacts,
    now: datetime,
    files: Files,
    limits: Limits = DEFAULT_LIMITS,
    go_on: Callable[[], None] = lambda: None,
) -> Finding:
    """What a check found; one that cannot tell has found an *error*, and never *passed*.

    `go_on`: asked while a check runs in a process of its own; what it raises ends the check and is raised.
    """
    if runs_apart(check):
        return examine_apart(check, facts, now, files, limits, go_on=go_on)
    try:
        return check.examine(facts, now, files)
    except UnreadableInputError as error:
        return Finding(Outcome.ERROR, str(error))
    except Exception as error:  # noqa: BLE001 (whatever a check raises becomes its result)
        return Finding(Outcome.ERROR, f"The check itself failed: {type(error).__name__}: {error}")


def examine_apart(
    check: Check,
    facts: CheckFacts,
    now: datetime,
    files: Files,
    limits: Limits = DEFAULT_LIMITS,
    servers: ForkServers = FORK_SERVERS,
    go_on: Callable[[], None] = lambda: None,
) -> Finding:
    """What a check found in a child process of its own."""
    request = Request(
        kind=f"{type(check).__module__}:{type(check).__qualname__}",
        parameters=msgspec.Raw(msgspec.json.encode(check)),
        facts=msgspec.Raw(msgspec.json.encode(facts)),
        files=msgspec.Raw(msgspec.json.encode(files, enc_hook=str)),
        now=now,
        limits=limits,
    )
    try:
        with tempfile.TemporaryDirectory(prefix="acta-check-") as directory, servers.one() as server:
            ended = _run(server, msgspec.json.encode(request), limits, Path(directory), go_on)
    except ForkServerError as error:
        return Finding(Outcome.ERROR, str(error))
    return _judged(ended, limits)


@dataclass(frozen=True)
class _Ended:
    """How a check's process ended. `status`: negative for a signal; None where it was ended by us, for a reason."""

    output: bytes
    said: str
    status: int | None
    reason: str | None = None


def _run(server: ForkServer, request: bytes, limits: Limits, directory: Path, go_on: Callable[[], None]) -> _Ended:
    errors = directory / "errors"
    work = directory / "work"
    work.mkdir()
    (directory / "request").write_bytes(request)
    start = Start(str(work), {**passed_on(), "HOME": str(work), "TMPDIR": str(work)})
    reading, writing = (os.fdopen(end, mode) for end, mode in zip(os.pipe(), ("rb", "wb"), strict=True))
    with reading:
        with writing, (directory / "request").open("rb") as given, errors.open("wb") as said:
            server.start(start, (given, writing, said))
        output, reason = _read(reading, limits, go_on)
        status = None if reason else server.ended(SECONDS_TO_CLOSE)
        if status is None:
            server.end()
            reason = reason or "It closed its output and did not end."
    return _Ended(output, errors.read_bytes()[-2000:].decode(errors="replace").strip(), status, reason)


def _read(stream: IO[bytes], limits: Limits, go_on: Callable[[], None]) -> tuple[bytes, str | None]:
    """All that the child writes until it closes its output, or the reason for which it must be ended."""
    deadline = time.monotonic() + limits.wall_seconds
    output = bytearray()
    with selectors.DefaultSelector() as selector:
        selector.register(stream, selectors.EVENT_READ)
        while True:
            go_on()
            left = deadline - time.monotonic()
            if left <= 0:
                return b"", f"It ran longer than {limits.wall_seconds:g} seconds."
            if not selector.select(min(left, SECONDS_BETWEEN_QUESTIONS)):
                continue
            chunk = os.read(stream.fileno(), 65536)
            if not chunk:
                return bytes(output), None
            output += chunk
            if len(output) > limits.output_bytes:
                return b"", f"It answered with more than {limits.output_bytes:,} bytes."


def _judged(ended: _Ended, limits: Limits) -> Finding:
    if ended.reason is not None:
        return Finding(Outcome.ERROR, f"The check was ended. {ended.reason}")
    if ended.status is not None and ended.status < 0:
        return Finding(Outcome.ERROR, f"The check was ended. {_signalled(-ended.status, limits)}")
    if ended.status != 0:
        last = ended.said.splitlines()[-1] if ended.said else "it said nothing"
        return Finding(Outcome.ERROR, f"The check's process failed with status {ended.status}: {last}")
    try:
        reply = msgspec.json.decode(ended.output, type=Reply)
        outcome = Outcome(reply.outcome)
    except (msgspec.DecodeError, ValueError):
        return Finding(Outcome.ERROR, "The check's process did not answer in the form that was agreed.")
    evidence = {name[:100]: value[:LONGEST_EVIDENCE] for name, value in list(reply.evidence.items())[:100]}
    return Finding(outcome, reply.reason[:LONGEST_REASON], evidence | {"network": reply.network})


def _signalled(number: int, limits: Limits) -> str:
    if number == signal.SIGXCPU:
        return f"It used more than {limits.cpu_seconds} seconds of processor time."
    if number == signal.SIGXFSZ:
        return f"It wrote a file of more than {limits.file_bytes:,} bytes."
    if number == signal.SIGKILL:
        return f"It used more than {limits.cpu_seconds} seconds of processor time, or was killed from outside."
    return f"It was killed by signal {number} ({signal.strsignal(number)})."
