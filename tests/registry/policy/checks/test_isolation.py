"""What becomes of checks that misbehave, in real processes."""

import os
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from registry.policy.checks import Files, bind
from registry.policy.checks.child import Limits
from registry.policy.checks.forks import COMMAND, ForkServers
from registry.policy.checks.isolation import examine, examine_apart
from registry.policy.outcomes import Outcome
from tests.registry.policy.checks.samples import GOOD, NOW

TIGHT = Limits(wall_seconds=20.0, cpu_seconds=10, memory_bytes=512 * 2**20, output_bytes=64 * 2**10)


def found(name, argument="", limits=TIGHT):
    return examine(bind(name, {"argument": argument}), GOOD, NOW, Files(), limits)


@pytest.mark.parametrize(
    "name, words",
    [
        ("raises", "ZeroDivisionError: by design"),
        ("eats", "more than 536,870,912 bytes of memory"),
        ("crashes", "killed by signal 11"),
        ("leaves", "form that was agreed"),
        ("exits", "status 7"),
        ("garbles", "form that was agreed"),
        ("floods", "more than 65,536 bytes"),
        ("answers-nonsense", "AttributeError"),
        ("answers-nothing", "AttributeError"),
        ("writes", "File too large"),
    ],
)
def test_check_that_misbehaves_finds_an_error_and_never_passes(strange_package, name, words):
    finding = found(name)
    assert finding.outcome is Outcome.ERROR
    assert words in finding.reason


def test_what_a_check_prints_is_not_its_answer(strange_package):
    finding = found("chats")
    assert (finding.outcome, finding.reason) == (Outcome.PASSED, "It came to its end.")


@pytest.mark.parametrize("name", ["sleeps", "closes"])
def test_check_that_hangs_is_ended_when_its_time_is_over(strange_package, name):
    began = time.monotonic()
    finding = found(name, limits=Limits(wall_seconds=3.0))
    assert finding.outcome is Outcome.ERROR
    assert "ended" in finding.reason
    assert time.monotonic() - began < 20


def test_check_ends_at_once_where_nobody_wants_it_any_more(strange_package):
    class UnwantedError(Exception):
        pass

    def go_on():
        if time.monotonic() > began + 1.5:
            raise UnwantedError

    check = bind("sleeps", {"argument": ""})
    began = time.monotonic()
    with pytest.raises(UnwantedError):
        examine(check, GOOD, NOW, Files(), Limits(wall_seconds=60.0), go_on)
    assert time.monotonic() - began < 20
    assert forked_here() == []


def test_check_that_computes_forever_is_ended_by_its_processor_time(strange_package):
    finding = found("spins", limits=Limits(wall_seconds=60.0, cpu_seconds=1))
    assert finding.outcome is Outcome.ERROR
    assert "1 seconds of processor time" in finding.reason


def test_check_that_is_killed_from_outside_finds_an_error(strange_package):
    with ThreadPoolExecutor(1) as threads:
        finding = threads.submit(found, "sleeps", limits=Limits(wall_seconds=30.0))
        deadline = time.monotonic() + 20
        while not (children := forked_here()) and time.monotonic() < deadline:
            time.sleep(0.05)
        for child in children:
            os.kill(child, signal.SIGKILL)
        assert finding.result().outcome is Outcome.ERROR
        assert "killed" in finding.result().reason


def test_whatever_a_check_started_ends_with_it(strange_package):
    marker = f"{time.time_ns() % 10**9 + 10**6}.25"
    finding = found("begets", marker, Limits(wall_seconds=4.0))
    assert finding.outcome is Outcome.ERROR
    deadline = time.monotonic() + 10
    while (left := processes_with(marker)) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not left


def forked_here() -> list[int]:
    """The checks that this process's fork servers run; other tests run checks in other processes."""
    return [int(one) for one in processes_with(COMMAND[-1]) if parent_of(int(one)) in fork_servers_here()]


def fork_servers_here() -> set[int]:
    return {int(one) for one in processes_with(COMMAND[-1]) if parent_of(int(one)) == os.getpid()}


def parent_of(process: int) -> int | None:
    try:
        return int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return None


def processes_with(argument: str) -> list[str]:
    found = []
    for place in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if argument.encode() in place.read_bytes().split(b"\0"):
                found.append(place.parent.name)
        except OSError:
            continue
    return found


def test_check_gets_no_setting_no_neighbour_and_no_network(strange_package, monkeypatch):
    monkeypatch.setenv("ACTA_DATABASE_URL", "postgresql://acta:Zq81-kestrel@db/acta")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "not for checks")
    # A process whose environment, as the kernel shows it, holds the setting: this test's own was read at its start.
    neighbour = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    with socket.create_server(("127.0.0.1", 0)) as listening:
        finding = found("looks-around", str(listening.getsockname()[1]))
    neighbour.kill()
    neighbour.wait()
    assert finding.outcome is Outcome.PASSED
    names = set(finding.evidence["environment"].split(","))
    assert not {name for name in names if name.startswith(("ACTA_", "AWS_"))}
    assert "PATH" in names
    assert finding.evidence["directory"] == ""
    if finding.evidence["network"] == "denied":
        assert finding.evidence["reached"] == "no"
        assert finding.evidence["others"] == ""
    else:
        assert not namespaces_work()


def namespaces_work() -> bool:
    """Whether this machine lets an unprivileged program have a network namespace."""
    tried = subprocess.run(["unshare", "--user", "--net", "--pid", "--fork", "true"], capture_output=True, check=False)
    return tried.returncode == 0


def test_fork_server_that_is_none_finds_an_error(tmp_path):
    check = bind("digest-verified", {})
    for program in ("print('passed')", "", "import sys; sys.exit(1)", 'print(\'{"outcome": "passed"}\')'):
        servers = ForkServers((sys.executable, "-c", program))
        assert examine_apart(check, GOOD, NOW, Files(), TIGHT, servers).outcome is Outcome.ERROR


def test_fork_server_outlives_a_check_that_crashes_and_is_replaced_once_it_ended(strange_package):
    servers = ForkServers()
    others = fork_servers_here()
    kind, harmful = bind("digest-verified", {}), bind("crashes", {"argument": ""})

    def outcome(check):
        return examine_apart(check, GOOD, NOW, Files(), TIGHT, servers).outcome

    assert outcome(kind) is Outcome.PASSED
    first = fork_servers_here() - others
    assert (outcome(harmful), outcome(kind)) == (Outcome.ERROR, Outcome.PASSED)
    assert fork_servers_here() - others == first
    for process in first:
        os.kill(process, signal.SIGKILL)
    time.sleep(0.2)
    assert outcome(kind) is Outcome.PASSED
    assert not (fork_servers_here() - others) & first
    servers.close()
    assert not fork_servers_here() - others


def test_check_finds_the_same_in_a_process_of_its_own():
    check = bind("lineage-complete", {})
    here, apart = examine(check, GOOD, NOW, Files()), examine_apart(check, GOOD, NOW, Files(), TIGHT)
    assert apart.outcome is here.outcome is Outcome.PASSED
    assert {name: value for name, value in apart.evidence.items() if name != "network"} == dict(here.evidence)


def test_nothing_is_left_behind(strange_package, tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    found("writes")
    assert [entry.name for entry in tmp_path.iterdir() if entry.name.startswith("acta-check-")] == []
