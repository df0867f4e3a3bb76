"""The process in which one check runs.

Reads one request as JSON from standard input, limits itself, leaves the network where the kernel lets it, and writes
one line of JSON. What a check prints goes nowhere. `registry.policy.checks.fork_server` starts it, and
`registry.policy.checks.isolation` judges it.
"""

import ctypes
import importlib
import os
import resource
import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from registry.policy.checks.protocol import Check

CLONE_NEWIPC = 0x08000000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000
PR_SET_PDEATHSIG = 1
PR_SET_NO_NEW_PRIVS = 38
SIGKILL = 9


class Limits(msgspec.Struct, frozen=True):
    """What a check may use."""

    wall_seconds: float = 120.0
    cpu_seconds: int = 100
    memory_bytes: int = 3 * 2**30
    """Address space, of which numerical libraries reserve more than they use."""
    file_bytes: int = 64 * 2**20
    """The largest file that it may write."""
    processes: int = 64
    """Threads included. Where there are no namespaces, and for root, the kernel does not hold it to that."""
    output_bytes: int = 256 * 2**10


class Request(msgspec.Struct, frozen=True):
    """What to examine. `facts` and `files` are those of `registry.policy.checks.facts`, as JSON."""

    kind: str
    """The check's class, as module:name."""
    parameters: msgspec.Raw
    facts: msgspec.Raw
    files: msgspec.Raw
    now: datetime
    limits: Limits


class Reply(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What was found. `network`: `denied` where the process had none, `reachable` otherwise."""

    outcome: str
    reason: str
    evidence: dict[str, str]
    network: str


def main() -> None:
    """Examine, and write one line."""
    request = msgspec.json.decode(sys.stdin.buffer.read(), type=Request)
    answer = os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1):
        os.dup2(nowhere, descriptor)
    _limit(request.limits)
    network = _leave_network(request.limits.processes)
    answer.write(msgspec.json.encode(_examined(request, network)) + b"\n")
    answer.flush()


def _limit(limits: Limits) -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # The first limit gives the signal that says why; the first process of a namespace is deaf to it, not to the second.
    resource.setrlimit(resource.RLIMIT_CPU, (limits.cpu_seconds, limits.cpu_seconds + 1))
    resource.setrlimit(resource.RLIMIT_AS, (limits.memory_bytes, limits.memory_bytes))
    resource.setrlimit(resource.RLIMIT_FSIZE, (limits.file_bytes, limits.file_bytes))


def _leave_network(processes: int) -> str:
    """Move into namespaces of its own: without network, and unable to look into other processes of its user.

    The check runs in a fork of this process, the first of a process namespace: whatever it starts ends with it.
    See namespaces(7), user_namespaces(7) and pid_namespaces(7). "reachable": the kernel or a container forbids it.
    """
    if sys.platform != "linux":
        return "reachable"
    library = ctypes.CDLL(None, use_errno=True)
    library.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    if library.unshare(CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWPID) != 0:
        return "reachable"
    child = os.fork()
    if child:
        _, status = os.waitpid(child, 0)
        code = os.waitstatus_to_exitcode(status)
        if code < 0:
            os.kill(os.getpid(), -code)
        os._exit(code)
    library.prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0)
    # Counted within the namespace; outside of one it would count, and stop, the user's other processes too.
    resource.setrlimit(resource.RLIMIT_NPROC, (processes, processes))
    return "denied"


def _examined(request: Request, network: str) -> Reply:
    from registry.policy.checks.facts import CheckFacts, Files, UnreadableInputError

    try:
        module, _, name = request.kind.partition(":")
        kind: type[Check] = getattr(importlib.import_module(module), name)
        check = msgspec.json.decode(request.parameters, type=kind)
        facts = msgspec.json.decode(request.facts, type=CheckFacts)
        files = msgspec.json.decode(request.files, type=Files, dec_hook=_path)
        found = check.examine(facts, request.now, files)
        evidence = {str(name): str(value) for name, value in found.evidence.items()}
        return Reply(found.outcome.value, str(found.reason), evidence, network)
    except UnreadableInputError as error:
        return Reply("error", str(error), {}, network)
    except MemoryError:
        return Reply(
            "error", f"The check needed more than {request.limits.memory_bytes:,} bytes of memory.", {}, network
        )
    except Exception as error:  # noqa: BLE001 (whatever a check raises becomes its result)
        return Reply("error", f"The check itself failed: {type(error).__name__}: {error}", {}, network)


def _path(kind: type, value: object) -> Path:
    if kind is not Path or not isinstance(value, str):
        # How a hook of msgspec says that it does not know the type.
        raise NotImplementedError(kind)
    return Path(value)
