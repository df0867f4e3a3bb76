"""Runs a check: one of Acta's own that reads rows alone here, every other one in a child process with limits.

A child that raises, hangs, exhausts its memory, is killed, or writes anything but one well-formed line makes the
outcome *error*, and nothing else: `passed` comes only from a complete answer.
"""

import os
import selectors
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO

import msgspec

from registry.policy.checks.child import Limits, Reply, Request
from registry.policy.checks.facts import CheckFacts, Files, UnreadableInputError
from registry.policy.checks.installed import runs_apart
from registry.policy.checks.protocol import Check, Finding
from registry.policy.outcomes import Outcome

# -P: the working directory is not searched for modules.
CHILD = (sys.executable, "-P", "-m", "registry.policy.checks.child")
PASSED_ON = ("PATH", "PYTHONPATH", "PYTHONHOME", "LANG", "LC_ALL", "LD_LIBRARY_PATH")
"""Variables of the environment that the child gets. None of Acta's settings is among them."""
DEFAULT_LIMITS = Limits()
LONGEST_REASON = 4000
LONGEST_EVIDENCE = 20_000


def examine(check: Check, facts: CheckFacts, now: datetime, files: Files, limits: Limits = DEFAULT_LIMITS) -> Finding:
    """What a check found; one that cannot tell has found an *error*, and never *passed*."""
    if runs_apart(check):
        return examine_apart(check, facts, now, files, limits)
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
    command: Sequence[str] = CHILD,
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
    with tempfile.TemporaryDirectory(prefix="acta-check-") as directory:
        ended = _run(command, msgspec.json.encode(request), limits, Path(directory))
    return _judged(ended, limits)


@dataclass(frozen=True)
class _Ended:
    """How a child ended. `status`: its exit status, negative for a signal; None where it was ended by us."""

    output: bytes
    said: str
    status: int | None
    reason: str | None = None


def _run(command: Sequence[str], request: bytes, limits: Limits, directory: Path) -> _Ended:
    errors = directory / "errors"
    work = directory / "work"
    work.mkdir()
    (directory / "request").write_bytes(request)
    with (directory / "request").open("rb") as given, errors.open("wb") as said:
        child = subprocess.Popen(
            command,
            stdin=given,
            stdout=subprocess.PIPE,
            stderr=said,
            cwd=work,
            env=_environment(work),
            start_new_session=True,
        )
        try:
            assert child.stdout is not None
            output, reason = _read(child.stdout, limits)
            status = None if reason else child.wait(1.0)
        except subprocess.TimeoutExpired:
            output, reason, status = b"", "It closed its output and did not end.", None
        finally:
            _end(child)
    return _Ended(output, errors.read_bytes()[-2000:].decode(errors="replace").strip(), status, reason)


def _environment(work: Path) -> Mapping[str, str]:
    passed = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    # One thread each, so that numerical libraries do not take the machine.
    threads = {f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS", "MKL", "NUMEXPR")}
    return passed | threads | {"HOME": str(work), "TMPDIR": str(work), "PYTHONDONTWRITEBYTECODE": "1"}


def _read(stream: IO[bytes], limits: Limits) -> tuple[bytes, str | None]:
    """All that the child writes until it closes its output, or the reason for which it must be ended."""
    deadline = time.monotonic() + limits.wall_seconds
    output = bytearray()
    with selectors.DefaultSelector() as selector:
        selector.register(stream, selectors.EVENT_READ)
        while True:
            left = deadline - time.monotonic()
            if left <= 0 or not selector.select(left):
                return b"", f"It ran longer than {limits.wall_seconds:g} seconds."
            chunk = os.read(stream.fileno(), 65536)
            if not chunk:
                return bytes(output), None
            output += chunk
            if len(output) > limits.output_bytes:
                return b"", f"It answered with more than {limits.output_bytes:,} bytes."


def _end(child: subprocess.Popen[bytes]) -> None:
    """End the child and all that it started and left in its group."""
    with suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()
    if child.stdout is not None:
        child.stdout.close()


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
