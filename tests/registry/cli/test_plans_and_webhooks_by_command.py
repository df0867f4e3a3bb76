"""Monitoring plans, webhooks and preferences by command, on a real server."""

import json
from pathlib import Path

import msgspec
import pytest

from registry.access.actor import Role
from registry.cli.plan import TEMPLATE
from registry.monitoring.plan import MonitoringPlan, json_schema, missing_parts
from registry.policy.reading import read_yaml

ROOT = Path(__file__).resolve().parents[3]

NEW_MODEL = (
    "--team retail --financial-impact limited --reputational-impact none --affects-no-persons --personal-data none "
    "--decision-autonomy advises --reversibility easily --legal-domain none --purpose Score."
).split()

PLAN = """\
health: [{name: errors, unit: 1/min, direction: above, warn: 1, alarm: 5}]
drift: [{feature: age, method: psi, threshold: 0.2}]
owner: The operations reviewer
alert_route: {by: email, address: oncall@example.org}
"""


@pytest.fixture
def acta(run, server):
    return lambda role, *words: run(*words, token=server.tokens[role], url=server.url)


def test_the_published_schema_is_that_of_the_code(run):
    published = (ROOT / "docs" / "monitoring-plan.schema.json").read_text()
    assert json.loads(published) == json_schema()
    assert run("plan", "schema").stdout == published


def test_the_template_needs_an_owner_and_nothing_else(run):
    assert run("plan", "template").stdout == TEMPLATE
    content = read_yaml(TEMPLATE)
    content["owner"] = None
    assert missing_parts(msgspec.convert(content, MonitoringPlan)) == ["the owner who is called"]


def test_a_plan_is_stated_part_by_part_and_its_training_data_are_profiled(acta, server, tmp_path):
    folder = server.artifacts / "planned"
    folder.mkdir()
    (folder / "weights.bin").write_bytes(b"weights")
    training = tmp_path / "training.csv"
    training.write_text("age,income\n" + "\n".join(f"{20 + n},{n}" for n in range(50)))
    made = acta(
        Role.DEVELOPER, "register", str(folder), "--model", "planned", *NEW_MODEL, "--dataset", f"training={training}"
    )
    assert made.returncode == 0, made.stderr
    (profile,) = server.client(Role.AUDITOR).training_profiles("planned", 1)
    assert (profile.rows, profile.origin) == (50, "stated by the client")

    assert acta(Role.AUDITOR, "plan", "show", "planned", "1").returncode == 2
    file = tmp_path / "plan.yaml"
    file.write_text(PLAN)
    stated = acta(Role.OPERATIONS_REVIEWER, "plan", "set", "planned", "1", str(file))
    assert stated.returncode == 1, stated.stderr
    assert "missing\tthe failure plan" in stated.stdout
    whole = PLAN + "label_delay_days: 0\nfailure_plan: Stop it.\nrollback_target: without model\nretraining: Monthly.\n"
    file.write_text(whole)
    again = acta(Role.OPERATIONS_REVIEWER, "plan", "set", "planned", "1", str(file))
    assert (again.returncode, again.stdout) == (0, ""), again.stderr
    shown = acta(Role.AUDITOR, "plan", "show", "planned", "1")
    assert "rollback_target: without model" in shown.stdout
    file.write_text(whole.replace("psi", "guess"))
    wrong = acta(Role.OPERATIONS_REVIEWER, "plan", "set", "planned", "1", str(file))
    assert wrong.returncode == 2
    assert "drift[0].method" in wrong.stderr

    # This server has no mail server: the alert is given up, and said to be.
    tried = acta(Role.OPERATIONS_REVIEWER, "plan", "test-alert", "planned", "1")
    assert tried.returncode == 3
    assert "ACTA_SMTP_HOST" in tried.stderr
    assert "dead" in acta(Role.AUDITOR, "plan", "alerts", "planned", "1").stdout


def test_webhooks_are_added_listed_tried_and_removed_by_command(acta, tmp_path):
    saved = tmp_path / "secret"
    words = ["webhook", "add", "desk", "https://hooks.invalid/acta", "--event", "finding.opened", "--team", "retail"]
    added = acta(Role.ADMINISTRATOR, *words, "--save", str(saved))
    assert added.returncode == 0, added.stderr
    assert saved.read_text().startswith("whsec_")
    assert saved.stat().st_mode & 0o777 == 0o600
    assert "whsec_" not in added.stdout
    webhook = added.stdout.strip()
    assert acta(Role.ADMINISTRATOR, *words, "--save", str(saved)).returncode == 2
    assert f"{webhook}\tdesk\t" in acta(Role.OPERATIONS_REVIEWER, "webhook", "list").stdout
    assert acta(Role.DEVELOPER, "webhook", "list").returncode == 3
    private = acta(Role.ADMINISTRATOR, "webhook", "add", "metadata", "http://169.254.169.254/latest")
    assert private.returncode == 2
    assert "ACTA_WEBHOOK_ALLOWED_HOSTS" in private.stderr
    assert acta(Role.ADMINISTRATOR, "webhook", "remove", webhook).returncode == 0
    assert webhook not in acta(Role.ADMINISTRATOR, "webhook", "list").stdout


def test_people_choose_what_they_are_told_by_command(acta):
    chosen = acta(Role.VALIDATOR, "notifications", "set", "--email", "val@example.org", "--mute", "review.due")
    assert chosen.returncode == 0, chosen.stderr
    kept = acta(Role.VALIDATOR, "notifications", "set", "--mute-nothing")
    assert kept.stdout == "val@example.org\n"
    acta(Role.VALIDATOR, "notifications", "set", "--mute", "finding.opened")
    assert acta(Role.VALIDATOR, "notifications", "show").stdout == "email\tval@example.org\nmuted\tfinding.opened\n"
    wrong = acta(Role.VALIDATOR, "notifications", "set", "--mute", "alert.test")
    assert wrong.returncode == 2
    assert "always" in wrong.stderr
