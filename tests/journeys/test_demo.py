"""The guided tour, as a newcomer runs it: `acta demo`, in processes of its own."""

import errno
import os
import re
import socket
import subprocess
import sys

import pytest

from registry.access.actor import Role
from registry.catalog.facts import Stage

STATES_THE_SAME = ("digest", "Verdict on", "Refused", "is in production", "CAUGHT", "Card:")


def run_demo(directory):
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("ACTA_", "MLFLOW_"))}
    # A database of the user's own must not be touched: nothing answers there, so touching it would show.
    environment |= {"ACTA_DATABASE_URL": "postgresql://nobody@127.0.0.1:9/nothing", "NO_COLOR": "1", "COLUMNS": "160"}
    return subprocess.run(
        [sys.executable, "-m", "registry.cli", "demo", "--directory", str(directory)],
        capture_output=True,
        text=True,
        env=environment,
        timeout=600,
    )


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """One run, and the directory that it left."""
    directory = tmp_path_factory.mktemp("tour") / "acta-demo"
    return run_demo(directory), directory


@pytest.mark.timeout(900)
def test_the_whole_story_holds(told):
    done, directory = told
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr
    said = " ".join(done.stdout.split())
    assert "Refused (status 409)" in said
    assert "digest verified" in said
    assert f"is in {Stage.PRODUCTION.value}" in said
    assert (directory / "model-card.pdf").read_bytes().startswith(b"%PDF-")


@pytest.mark.timeout(900)
def test_each_attack_is_caught_and_two_of_them_only_with_what_was_kept_outside(told):
    said = " ".join(told[0].stdout.split())
    edited, rebuilt, cut = re.split(r"An old row edited|The whole tree rebuilt|The tail cut off:", said)[1:4]
    named = re.search(r"Entry (\d+) says who asked", said)
    assert named is not None
    assert f"look at entry {named[1]}." in edited
    for attack in (rebuilt, cut):
        assert "alone: nothing wrong is seen" in attack
        assert "with the checkpoint kept outside: CAUGHT" in attack
    assert "Not shown, because no checkpoint kept outside was given" in said


@pytest.mark.timeout(900)
def test_no_server_is_left_behind(told):
    done, directory = told
    address = re.search(r"runs at http://127\.0\.0\.1:(\d+)", done.stdout)
    assert address is not None
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", int(address[1]))) == errno.ECONNREFUSED
    assert '"worker stopped"' in (directory / "server.log").read_text()
    assert not (directory / "one-time-token").exists()


@pytest.mark.timeout(900)
def test_secrets_are_for_their_owner_alone(told):
    _, directory = told
    files = [*(directory / "tokens").iterdir(), directory / "home" / "keys" / "log.key"]
    assert len(files) == len(Role) + 1
    assert {file.stat().st_mode & 0o077 for file in files} == {0}


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_second_run_replaces_the_first_and_gives_the_same_verdicts(told):
    first, directory = told
    old_key = (directory / "home" / "keys" / "log.key").read_text()
    second = run_demo(directory)
    assert second.returncode == 0, second.stderr
    assert (directory / "home" / "keys" / "log.key").read_text() != old_key
    assert verdicts(first.stdout) == verdicts(second.stdout)


def verdicts(output):
    """The lines that state a verdict, without what is new in each run: hashes and ids."""
    lines = [line for line in output.splitlines() if any(word in line for word in STATES_THE_SAME)]
    return [re.sub(r"[0-9a-f]{8,}|[0-9a-f-]{36}", "…", line) for line in lines]
