"""Rules about all commands, and what they do without any server."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing

import click
import pytest
from click.testing import CliRunner

from audit.keys import Ed25519Signer
from registry.cli import acta
from registry.cli.job import STATES
from registry.jobs.tables import JobState

KEY = str(Ed25519Signer.of_seed("acta.example/log", bytes(32)).verifier_key)

CLIENT_GROUPS = {
    "webhook",
    "notifications",
    "actor",
    "role",
    "token",
    "register",
    "model",
    "document",
    "assess",
    "attest",
    "answers",
    "waive",
    "gate",
    "promote",
    "review",
    "job",
}


def leaves(command: click.Command, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every command that does something, with the words that call it."""
    if not isinstance(command, click.Group):
        yield path, command
        return
    context = click.Context(command)
    for name in command.list_commands(context):
        found = command.get_command(context, name)
        assert found is not None
        yield from leaves(found, (*path, name))


COMMANDS = dict(leaves(acta, ()))
ON_THE_SERVER = {("token", "recover"), ("review", "run")}
"""Commands of those groups that need no server, but its settings, keys and database."""
CLIENT_COMMANDS = {
    path: command for path, command in COMMANDS.items() if path[0] in CLIENT_GROUPS and path not in ON_THE_SERVER
} | {
    ("card", "render"): COMMANDS["card", "render"],
    ("card", "list"): COMMANDS["card", "list"],
    **{
        ("policy", word): COMMANDS["policy", word]
        for word in ("show", "activate", "deactivate", "proposals", "confirm", "withdraw")
    },
    **{("plan", word): COMMANDS["plan", word] for word in ("set", "show", "test-alert", "alerts")},
}


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_every_command_says_what_it_does_and_shows_an_example(path):
    answer = CliRunner().invoke(acta, [*path, "--help"], prog_name="acta")
    assert answer.exit_code == 0
    assert "Example:" in answer.output
    assert f"acta {' '.join(path)}" in " ".join(answer.output.split("Example:")[1].split())


@pytest.mark.parametrize("path", CLIENT_COMMANDS, ids=" ".join)
def test_no_client_command_takes_a_token_on_its_command_line(path):
    options = {option for parameter in CLIENT_COMMANDS[path].params for option in parameter.opts}
    assert "--token-file" in options
    assert "--token" not in options


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_every_option_says_what_it_is_for(path):
    options = [parameter for parameter in COMMANDS[path].params if isinstance(parameter, click.Option)]
    assert [option.opts for option in options if not option.help] == []


def test_a_server_that_does_not_answer_is_one_line_and_status_3(run):
    done = run("gate", "credit-default", "1")
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.startswith("acta: No Acta server answers at http://127.0.0.1:9")
    assert len(done.stderr.splitlines()) == 1


def test_a_missing_token_is_one_line_that_says_where_to_put_it(run):
    done = run("actor", "list", token=None)
    assert done.returncode == 3
    assert "ACTA_TOKEN" in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("token", ["two words", "acta_ä", "line\nbreak"])
def test_a_token_that_cannot_be_one_is_never_sent(run, token):
    done = run("actor", "list", token=token)
    assert done.returncode == 3
    assert "not one of Acta's" in done.stderr
    assert token not in done.stderr


@pytest.mark.parametrize("url", ["ftp://acta.example", "nonsense", "http://"])
def test_an_address_that_is_none_is_refused_at_once(run, url):
    done = run("actor", "list", url=url)
    assert done.returncode == 3
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    "words",
    [
        ("gate", "credit-default", "first"),
        ("gate", "credit-default", "0"),
        ("gate", "credit-default", "1", "--target", "moon"),
        ("role", "grant", "somebody", "king"),
        ("role", "grant", "somebody", "developer", "--team", "a", "--model", "b"),
        ("promote", "credit-default", "1", "--to", "production"),
        ("review", "0b0e1c9e-6f0e-4f7e-9d0a-0d6d3c1f2a11", "--role", "validator", "--reason", "r"),
        ("review", "not-an-id", "--role", "validator", "--approve", "--reason", "r"),
        ("document", "add", "no-such-file", "--model", "m", "--version", "1", "--kind", "qa"),
        ("card", "verify", "no-such-file"),
        ("demo", "--directory", "/dev/null"),
        ("nonsense",),
        ("gate", "credit-default"),
        ("gate", "credit-default", "1", "--nonsense"),
        ("role", "nonsense"),
        ("role", "grant", "somebody"),
        ("gate", "credit-default", "9" * 30),
        ("waive", "credit-default", "1", "item", "--days", "999999999999"),
        ("card", "credit-default", "1", "-o", "/nonexistent/card.pdf"),
        ("register", "/nonexistent", "--model", "new"),
        ("audit", "verify", "no-such.db", "--key", KEY),
        ("register", "folder"),
        ("gate", "credit-default", "two\nlines"),
    ],
    ids=" ".join,
)
def test_wrong_usage_is_one_line_and_status_2_and_never_a_traceback(run, words):
    done = run(*words)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("acta: ")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    "words, line",
    [
        (("gate", "credit-default"), "acta: Missing argument 'VERSION'. Try 'acta gate --help'."),
        (("nonsense",), "acta: No such command 'nonsense'. Try 'acta --help'."),
        (
            ("gate", "m", "abc"),
            "acta: Invalid value for 'VERSION': 'abc' is not a valid version number. Try 'acta gate --help'.",
        ),
        (("role", "nonsense"), "acta: No such command 'nonsense'. Try 'acta role --help'."),
    ],
    ids=str,
)
def test_wrong_usage_says_where_to_look(run, words, line):
    assert run(*words).stderr == line + "\n"


def test_a_group_alone_shows_its_help(run):
    done = run("role")
    assert done.returncode == 2
    assert "Usage: acta role" in done.stderr
    assert "revoke" in done.stderr


def test_jobs_are_sought_by_every_state_there_is():
    assert list(STATES.choices) == [state.value for state in JobState]


def test_help_and_version_are_answers(run):
    assert run("--help").returncode == 0
    assert "acta, version" in run("--version").stdout


def test_the_demo_refuses_a_directory_of_somebody_else(run, tmp_path):
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "thesis.txt").write_text("years of work")
    done = run("demo", "--directory", str(mine))
    assert done.returncode == 2
    assert "did not make" in done.stderr
    assert [entry.name for entry in mine.iterdir()] == ["thesis.txt"]


def test_verifying_where_there_is_no_installation_asks_for_the_log_s_key(run):
    done = run("audit", "verify", "https://acta.example")
    assert done.returncode == 2
    assert "--key" in done.stderr


def test_a_root_that_is_no_certificate_is_wrong_usage_and_says_nothing_about_the_card(run, tmp_path):
    root, card = tmp_path / "root.pem", tmp_path / "card.pdf"
    root.write_text("root:x:0:0")
    card.write_bytes(b"%PDF-1.7")
    done = run("card", "verify", str(card), "--root", str(root))
    assert (done.returncode, done.stdout) == (2, "")
    assert "--root" in done.stderr


def test_another_program_s_database_holds_no_log(run, tmp_path):
    file = tmp_path / "other.db"
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("CREATE TABLE runs (x)")
    done = run("audit", "verify", str(file), "--key", KEY)
    assert done.returncode == 3
    assert "holds no log" in done.stderr


def test_a_log_that_cannot_be_reached_is_not_blamed_on_the_settings(run):
    done = run("audit", "verify", "postgresql://acta@127.0.0.1:9/acta", "--key", KEY)
    assert done.returncode == 3
    assert "ACTA_DATABASE_URL" not in done.stderr
