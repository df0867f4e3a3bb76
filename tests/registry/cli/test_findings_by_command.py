"""`acta finding` and `acta review` against a real server process."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from registry.access.actor import Role
from registry.catalog.facts import (
    Autonomy,
    Impact,
    LegalDomain,
    PersonalData,
    Reversibility,
    RiskProfile,
    VersionFacts,
)

PROFILE = RiskProfile(
    Impact.LIMITED,
    Impact.LIMITED,
    affects_persons=True,
    personal_data=PersonalData.PERSONAL,
    decision_autonomy=Autonomy.ADVISES,
    reversibility=Reversibility.EASILY,
    legal_domain=LegalDomain.NONE,
)


@pytest.fixture
def acta(run, server):
    """Run `acta` as the holder of a role; what it printed."""

    def call(role, *words, status=0):
        done = run(*words, token=server.tokens[role], url=server.url)
        assert done.returncode == status, done.stderr
        return done.stdout.strip() if status == 0 else done.stderr.strip()

    return call


@pytest.fixture(scope="module")
def version(server):
    """Version 1 of a model."""
    developer = server.client(Role.DEVELOPER)
    developer.register_model(
        "ledger", team="retail", owner_id=developer.me().actor.id, purpose="Rank clients.", profile=PROFILE
    )
    return developer.register_version("ledger", VersionFacts(f"{server.artifacts}/ledger", "ab" * 32, "sklearn"))


def test_a_finding_is_opened_remediated_closed_and_opened_again_by_command(acta, version, server):
    stating = ("--severity", "high", "--title", "Leaks the age", "--description", "A proxy.")
    finding = acta(Role.VALIDATOR, "finding", "open", "ledger", "1", *stating, "--due", "2099-12-31", status=2)
    assert "due_at" in finding
    due = f"{datetime.now(UTC) + timedelta(days=3):%Y-%m-%d}"
    finding = acta(Role.VALIDATOR, "finding", "open", "ledger", "1", *stating, "--due", due)
    listed = acta(Role.AUDITOR, "finding", "list", "--model", "ledger", "--state", "open").split("\t")
    assert listed[:5] == [finding, "high", "open", "ledger", "1"]
    shown = acta(Role.AUDITOR, "finding", "show", finding)
    assert "title\tLeaks the age" in shown
    assert "closed" not in shown
    gate = acta(Role.AUDITOR, "gate", "ledger", "1", status=1)
    assert gate == ""
    doing = ("--remediation", "Dropped it.", "--evidence", "commit 1")
    assert acta(Role.DEVELOPER, "finding", "remediate", finding, *doing) == "remediated"
    refusal = acta(Role.DEVELOPER, "finding", "close", finding, "--reason", "Mine.", status=3)
    assert "validator" in refusal
    assert acta(Role.VALIDATOR, "finding", "close", finding, "--reason", "Trained again.") == "closed"
    assert acta(Role.ETHICS_REVIEWER, "finding", "reopen", finding, "--reason", "It came back.") == "open"
    assert acta(Role.RISK_OFFICER, "finding", "severity", finding, "--to", "low", "--reason", "Small.") == "open"
    owner = str(server.client(Role.OPERATIONS_REVIEWER).me().actor.id)
    giving = ("--owner", owner, "--reason", "His service.", "--json")
    moved = json.loads(acta(Role.RISK_OFFICER, "finding", "reassign", finding, *giving))
    assert (moved["owner_id"], moved["severity"]) == (owner, "low")
    words = ("--reason", "Small.", "--measure", "Each refusal is read.", "--days", "14")
    assert acta(Role.RISK_OFFICER, "finding", "waive", finding, *words)


def test_a_decision_on_a_request_is_reached_with_and_without_the_word(acta, version):
    unknown = "00000000-0000-0000-0000-000000000000"
    for words in (("review", unknown), ("review", "decide", unknown)):
        told = acta(Role.VALIDATOR, *words, "--role", "validator", "--approve", "--reason", "Seen.", status=2)
        assert "no promotion request" in told


def test_what_is_due_is_listed_by_command_and_nothing_is_due_where_nothing_is_in_production(acta, version):
    assert acta(Role.AUDITOR, "review", "due", "--days", "90") == ""
    assert json.loads(acta(Role.AUDITOR, "review", "due", "--json")) == []
    told = acta(Role.VALIDATOR, "review", "confirm", "ledger", "1", "--reason", "All is well.", status=3)
    assert "production" in told
