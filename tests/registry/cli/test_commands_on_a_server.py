"""The commands against a real server process."""

import json
import shutil
import sqlite3

import pytest

from audit.keys import load_key_file
from registry.access.actor import Role
from registry.catalog.facts import VersionFacts
from registry.client import JobFailedError

NEW_MODEL = (
    "--team retail --financial-impact limited --reputational-impact none --affects-no-persons --personal-data none "
    "--decision-autonomy advises --reversibility easily --legal-domain none"
).split()


@pytest.fixture
def acta(run, server):
    """Run `acta` as the holder of a role."""
    return lambda role, *words: run(*words, token=server.tokens[role], url=server.url)


def test_a_pipeline_registers_documents_and_asks_by_command(acta, server, tmp_path):
    folder = server.artifacts / "by-command"
    folder.mkdir()
    (folder / "weights.bin").write_bytes(b"weights")
    holdout = tmp_path / "holdout.csv"
    holdout.write_text("a,b\n1,2\n")

    bare = acta(Role.DEVELOPER, "register", str(folder), "--model", "scorecard")
    assert (bare.returncode, bare.stdout) == (2, "")
    assert "is new" in bare.stderr

    words = ["register", str(folder), "--model", "scorecard", "--dataset", f"test={holdout}"]
    first = acta(Role.DEVELOPER, *words, *NEW_MODEL, "--purpose", "Score.")
    assert (first.returncode, first.stdout) == (0, "1\n"), first.stderr
    trainer = str(server.client(Role.SECURITY_REVIEWER).me().actor.id)
    second = acta(Role.DEVELOPER, *words, "--alias", "challenger", "--trained-by", trainer, "--json")
    assert second.returncode == 0, second.stderr
    assert json.loads(second.stdout)["aliases"] == ["challenger"]
    assert json.loads(second.stdout)["number"] == 2

    edited = acta(
        Role.DEVELOPER, "model", "edit", "scorecard", "--limitations", "One bank.", "--personal-data", "personal"
    )
    assert edited.returncode == 0, edited.stderr
    assert "revision 2, risk tier limited" in edited.stderr
    shown = acta(Role.AUDITOR, "model", "show", "scorecard").stdout
    for line in ("purpose\tScore.", "limitations\tOne bank.", "personal data\tpersonal", "legal domain\tnone"):
        assert line in shown.splitlines()
    assert "scorecard\tretail\tlimited\tScore." in acta(Role.AUDITOR, "model", "list").stdout.splitlines()
    assert acta(Role.DEVELOPER, "model", "edit", "scorecard").returncode == 2
    assert acta(Role.AUDITOR, "model", "edit", "scorecard", "--limitations", "None.").returncode == 3

    report = tmp_path / "qa.md"
    report.write_text("# QA\n")
    added = acta(
        Role.DEVELOPER, "document", "add", str(report), "--model", "scorecard", "--version", "2", "--kind", "qa"
    )
    assert added.returncode == 0, added.stderr
    signed = acta(Role.VALIDATOR, "document", "sign-off", added.stdout.strip(), "--comment", "Read.")
    assert signed.returncode == 0, signed.stderr
    listed = acta(Role.AUDITOR, "document", "list", "scorecard", "2")
    assert "signed off" in listed.stdout

    attested = acta(
        Role.ETHICS_REVIEWER, "attest", "scorecard", "2", "machine-learning-justified", "--reason", "Weighed."
    )
    assert attested.returncode == 0, attested.stderr
    gate = acta(Role.DEVELOPER, "gate", "scorecard", "2", "--run-checks")
    assert gate.returncode == 1
    assert "passed\tethics/machine-learning-justified" in gate.stdout

    document = f"document={added.stdout.strip()}"
    words = ["attest", "scorecard", "2", "lawful-basis", "--reason", "Contract.", "--rests-on", document]
    answered = acta(Role.ETHICS_REVIEWER, *words)
    assert answered.returncode == 0, answered.stderr
    assert acta(Role.ETHICS_REVIEWER, *words[:-1], "document=7").returncode == 2
    assert acta(Role.ETHICS_REVIEWER, *words[:-1], "poem=0b0e1c9e-6f0e-4f7e-9d0a-0d6d3c1f2a11").returncode == 2
    newest = json.loads(acta(Role.AUDITOR, "answers", "list", "scorecard", "2", "--json").stdout)[0]
    assert newest["rests_on"] == [{"kind": "document", "id": added.stdout.strip()}]
    taken_back = ("answers", "withdraw", "scorecard", "2", answered.stdout.strip(), "--reason", "The contract ended.")
    assert acta(Role.SECURITY_REVIEWER, *taken_back).returncode == 3
    withdrawn = acta(Role.ETHICS_REVIEWER, *taken_back)
    assert (withdrawn.returncode, withdrawn.stdout) == (0, answered.stdout), withdrawn.stderr
    assert "open\tethics/lawful-basis" in acta(Role.DEVELOPER, "gate", "scorecard", "2").stdout

    asked = acta(Role.DEVELOPER, "promote", "scorecard", "2", "--to", "production", "--justification", "Better.")
    assert asked.returncode == 0, asked.stderr
    refused = acta(Role.DEVELOPER, "promote", "scorecard", "2", "--to", "production", "--execute", "--json")
    assert refused.returncode == 1
    assert "approval-validator" in {item["id"] for item in json.loads(refused.stdout)}
    reviewed = acta(
        Role.VALIDATOR, "review", asked.stdout.strip(), "--role", "validator", "--reject", "--reason", "Unfinished."
    )
    assert (reviewed.returncode, reviewed.stdout) == (0, "rejected\n"), reviewed.stderr


def test_people_come_and_go_by_command(acta, tmp_path):
    added = acta(Role.ADMINISTRATOR, "actor", "add", "A. Person", "--email", "a@bank.example")
    assert added.returncode == 0, added.stderr
    granted = acta(Role.ADMINISTRATOR, "role", "grant", "A. Person", "risk-officer", "--team", "retail")
    assert granted.returncode == 0, granted.stderr
    assert "risk officer\tteam retail" in acta(Role.ADMINISTRATOR, "role", "list", "A. Person").stdout
    saved = tmp_path / "token"
    made = acta(Role.ADMINISTRATOR, "token", "create", "--for", "A. Person", "--save", str(saved))
    assert (made.returncode, made.stdout) == (0, ""), made.stderr
    assert saved.stat().st_mode & 0o777 == 0o600
    again = acta(Role.ADMINISTRATOR, "token", "create", "--for", "A. Person", "--save", str(saved))
    assert again.returncode == 2
    assert acta(Role.ADMINISTRATOR, "actor", "leave", "A. Person").returncode == 0
    gone = acta(Role.AUDITOR, "role", "list", "--token-file", str(saved))
    assert gone.returncode == 3
    assert len(gone.stderr.splitlines()) == 1


def test_a_dead_job_is_found_shown_and_tried_again_by_command(acta, server):
    folder = server.artifacts / "gone-by-command"
    folder.mkdir()
    (folder / "weights.bin").write_bytes(b"weights")
    made = acta(Role.DEVELOPER, "register", str(folder), "--model", "gone", *NEW_MODEL, "--purpose", "Score.")
    assert made.returncode == 0, made.stderr
    client = server.client(Role.DEVELOPER)
    digest = next(job for job in client.jobs() if job.kind == "verify-digest")
    client.wait_for_job(digest.id)
    (folder / "weights.bin").unlink()
    folder.rmdir()
    facts = VersionFacts(source_uri=folder.as_uri(), content_digest="ab" * 32, framework="sklearn")
    client.register_version("gone", facts)
    dead = next(job for job in client.jobs() if job.id != digest.id and job.kind == "verify-digest")
    with pytest.raises(JobFailedError):
        client.wait_for_job(dead.id, seconds=60)

    listed = acta(Role.AUDITOR, "job", "list", "--state", "dead", "--limit", "1")
    assert listed.returncode == 0, listed.stderr
    assert listed.stdout.split("\t")[:3] == [str(dead.id), "dead", "verify-digest"]
    shown = acta(Role.DEVELOPER, "job", "show", str(dead.id))
    assert "state\tdead\n" in shown.stdout
    assert "error\t" in shown.stdout
    assert json.loads(acta(Role.DEVELOPER, "job", "show", str(dead.id), "--json").stdout)["id"] == str(dead.id)

    late = acta(Role.DEVELOPER, "job", "cancel", str(dead.id))
    assert (late.returncode, late.stdout) == (3, "")
    assert "dead already" in late.stderr
    refused = acta(Role.AUDITOR, "job", "replay", str(dead.id))
    assert refused.returncode == 3, refused.stdout
    replayed = acta(Role.DEVELOPER, "job", "replay", str(dead.id))
    assert (replayed.returncode, replayed.stdout) == (0, "queued\n"), replayed.stderr


@pytest.mark.parametrize(
    "role, words, status",
    [
        (Role.DEVELOPER, ("gate", "no-such-model", "1"), 2),
        (Role.DEVELOPER, ("document", "list", "no-such-model", "1"), 2),
        (Role.DEVELOPER, ("register", "/nonexistent", "--model", "m", *NEW_MODEL, "--purpose", "p"), 2),
        (Role.DEVELOPER, ("promote", "no-such-model", "1", "--to", "production", "--execute"), 2),
        (Role.ADMINISTRATOR, ("role", "grant", "nobody at all", "developer"), 2),
        (Role.AUDITOR, ("actor", "add", "Not allowed"), 3),
        (Role.AUDITOR, ("job", "show", "0b0e1c9e-6f0e-4f7e-9d0a-0d6d3c1f2a11"), 2),
        (Role.AUDITOR, ("job", "cancel", "0b0e1c9e-6f0e-4f7e-9d0a-0d6d3c1f2a11"), 3),
        (Role.DEVELOPER, ("job", "cancel", "0b0e1c9e-6f0e-4f7e-9d0a-0d6d3c1f2a11"), 2),
    ],
)
def test_what_the_server_refuses_is_a_line_and_a_status(acta, role, words, status):
    done = acta(role, *words)
    assert done.returncode == status, done.stderr
    assert done.stdout == ""
    assert "Traceback" not in done.stderr


def test_the_log_is_exported_on_the_server_and_verified_from_the_folder(run, server, tmp_path, monkeypatch):
    home = server.artifacts.parent / "home"
    key = str(load_key_file(home / "keys" / "log.key").verifier_key)
    folder = tmp_path / "log"
    exported = run("audit", "export", str(folder), "--with-texts", home=home)
    assert exported.returncode == 0, exported.stderr
    assert key in exported.stderr
    done = run("audit", "verify", str(folder), "--key", key)
    assert (done.returncode, done.stdout.split(":")[0]) == (0, "VERIFIED"), done.stdout + done.stderr
    again = run("audit", "export", str(folder), home=home)
    assert (again.returncode, again.stdout) == (2, "")
    (folder / "tile" / "0" / next((folder / "tile" / "0").iterdir()).name).rename(folder / "gone")
    assert run("audit", "verify", str(folder), "--key", key).returncode == 3


def test_the_tables_are_what_the_log_implies_until_somebody_edits_one(run, server, tmp_path):
    home = tmp_path / "home"
    shutil.copytree(server.artifacts.parent / "home", home)
    agreed = run("audit", "reconcile", home=home)
    assert (agreed.returncode, agreed.stdout) == (0, ""), agreed.stdout
    assert "no difference" in agreed.stderr
    with sqlite3.connect(home / "acta.db") as connection:
        connection.execute("UPDATE acta_registered_model SET purpose = 'Another.'")
    found = run("audit", "reconcile", "--json", home=home)
    assert found.returncode == 1
    named = [json.loads(line) for line in found.stdout.splitlines()]
    assert {(one["table"], one["column"], one["stored"]) for one in named} == {
        ("acta_registered_model", "purpose", "Another.")
    }


def test_an_auditor_verifies_a_server_s_log_with_the_token_meant_for_that_server_alone(run, server):
    auditor = server.tokens[Role.AUDITOR]
    key = str(load_key_file(server.artifacts.parent / "home" / "keys" / "log.key").verifier_key)
    done = run("audit", "verify", f"{server.url}/", "--key", key, token=auditor, url=server.url)
    assert (done.returncode, done.stdout.split(":")[0]) == (0, "VERIFIED")
    elsewhere = run("audit", "verify", server.url, "--key", key, token=auditor)
    assert elsewhere.returncode == 3
    assert "--token-file" in elsewhere.stderr
