"""Policies by command: offline where they are written, over the API where they govern."""

import json

import pytest

from registry.access.actor import Role
from registry.client import Client
from registry.resources import default_policy_path

PATH = default_policy_path()
TEXT = PATH.read_text(encoding="utf-8")


@pytest.fixture
def policy(tmp_path):
    """A file with the default policy, changed."""

    def write(*changes: tuple[str, str], name: str = "policy.yaml") -> str:
        text = TEXT
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        file = tmp_path / name
        file.write_text(text, encoding="utf-8")
        return str(file)

    return write


def test_a_valid_policy_is_named_and_a_broken_one_is_refused_with_the_place(run, policy):
    good = run("policy", "validate", policy(), token=None)
    assert good.returncode == 0
    assert good.stdout.startswith("acta-default 1.0:")
    bad = run("policy", "validate", policy(("items: [lineage-complete]", "items: [magic]")), token=None)
    assert (bad.returncode, bad.stdout) == (1, "")
    assert "gates[0].items[0]: there is no 'magic'" in bad.stderr
    assert len(bad.stderr.splitlines()) == 1
    assert run("policy", "validate", "no-such-file", token=None).returncode == 2


def test_the_schema_is_json_and_needs_no_server(run):
    done = run("policy", "schema", token=None)
    assert done.returncode == 0
    assert json.loads(done.stdout)["$schema"].startswith("https://json-schema.org/")


def test_cases_beside_the_policy_are_held_against_it(run, policy, tmp_path):
    assert run("policy", "test", str(PATH), token=None).returncode == 0
    alone = run("policy", "test", policy(), token=None)
    assert alone.returncode == 2
    assert "--cases" in alone.stderr
    cases = str(PATH.with_name("default-cases"))
    broken = policy(("{role: risk officer, count: 1}", "{role: risk officer, count: 2}"))
    failed = run("policy", "test", broken, "--cases", cases, token=None)
    assert failed.returncode == 1
    assert "High risk enters production with everything" in failed.stdout
    assert "approvals: expected" in failed.stderr
    told = json.loads(run("policy", "test", broken, "--cases", cases, "--json", token=None).stdout)
    assert [one["case"] for one in told if one["differences"]]
    (tmp_path / "policy-cases").mkdir()
    assert run("policy", "test", policy(), token=None).returncode == 2
    (tmp_path / "policy-cases" / "one.yaml").write_text("- case: x\n  expect: {teir: low}\n")
    unreadable = run("policy", "test", policy(), token=None)
    assert (unreadable.returncode, "one.yaml" in unreadable.stderr) == (2, True)


def test_differences_are_sentences(run, policy):
    old = policy()
    assert run("policy", "diff", old, old, token=None).returncode == 0
    new = policy(("      - human-oversight\n", ""), name="new.yaml")
    done = run("policy", "diff", old, new, token=None)
    assert done.returncode == 1
    assert done.stdout == "To production, high risk: human-oversight is no longer asked for.\n"
    broken = policy(("items: [lineage-complete]", "items: [magic]"), name="broken.yaml")
    assert run("policy", "diff", old, broken, token=None).returncode == 2


def test_a_second_administrator_confirms_by_command(run, server, policy):
    first = server.client(Role.ADMINISTRATOR)
    person = first.create_actor("The second administrator")
    first.grant_role(person.id, Role.ADMINISTRATOR)
    second = first.create_token("tests", actor_id=person.id).secret

    def acta(token, *words):
        return run("policy", *words, token=token, url=server.url)

    mine = server.tokens[Role.ADMINISTRATOR]
    # Of names that no other test uses: the server is shared.
    file = policy(("name: acta-default", "name: tested"), ('models: ["*"]', 'models: ["policy-by-command-*"]'))
    refused = acta(server.tokens[Role.RISK_OFFICER], "activate", file)
    assert refused.returncode == 3
    proposed = acta(mine, "activate", file)
    assert proposed.returncode == 0, proposed.stderr
    assert "another administrator confirms it" in proposed.stderr
    proposal = proposed.stdout.strip()
    assert proposal in acta(second, "proposals").stdout
    assert acta(mine, "confirm", proposal).returncode == 3
    done = acta(second, "confirm", proposal)
    assert done.returncode == 0, done.stderr
    assert "in force" in acta(mine, "show").stdout
    assert acta(mine, "show", "tested").stdout.rstrip("\n") == TEXT.replace(
        "name: acta-default", "name: tested"
    ).replace('models: ["*"]', 'models: ["policy-by-command-*"]').rstrip("\n")
    assert acta(mine, "show", "nothing").returncode == 2

    ending = acta(mine, "deactivate", "tested").stdout.strip()
    withdrawn = acta(second, "withdraw", ending)
    assert (withdrawn.returncode, withdrawn.stdout) == (0, "withdrawn\n")
    again = acta(second, "deactivate", "tested").stdout.strip()
    assert acta(mine, "confirm", again).returncode == 0
    with Client(server.url, mine) as client:
        assert {row.name for row in client.policies() if row.ended_at is None} == {"acta-default"}
    first.record_leaving(person.id)
