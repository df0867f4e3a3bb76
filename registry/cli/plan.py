"""`acta plan`."""

import json
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

import click

from registry.cli.arguments import VERSION
from registry.cli.connection import actor_named, with_client
from registry.cli.output import Form, emit, emit_rows, json_option

if TYPE_CHECKING:
    from registry.client import Client
    from registry.client.monitoring import Plan
    from registry.monitoring.plan import MonitoringPlan

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)

TEMPLATE = """\
# yaml-language-server: $schema=monitoring-plan.schema.json
# What is watched once the version serves, who is called, and what is done then. `acta plan schema` prints the schema.

health:
  - {name: error rate, unit: share from 0 to 1, direction: above, warn: 0.01, alarm: 0.05}
  - {name: latency p99, unit: ms, direction: above, warn: 200, alarm: 500}

# Columns of the training data. Methods: psi, ks, js, chi2, wasserstein.
drift:
  - {feature: COLUMN, method: psi, threshold: 0.2}

# Days after a prediction until its outcome is known; 0 where it is known at once.
label_delay_days: 30

# The person who is called: name or id.
owner: NAME

# A webhook (`acta webhook list` shows ids), or an e-mail address; without an address, the owner's own.
alert_route: {by: email}
# alert_route: {by: webhook, webhook: 00000000-0000-0000-0000-000000000000}

failure_plan: >-
  Who does what within which time when it fails.

# Number of the version that takes over, or: without model
rollback_target: without model

retraining: >-
  What makes somebody train it again.
"""


@click.group()
def plan() -> None:
    """State, show and try the monitoring plan of a version."""


@plan.command("template")
def template() -> None:
    """Print a plan to fill in; needs no server.

    Example: acta plan template > plan.yaml
    """
    click.echo(TEMPLATE, nl=False)


@plan.command("schema")
def schema() -> None:
    """Print the JSON Schema of a plan file, for editors; needs no server.

    Example: acta plan schema > monitoring-plan.schema.json
    """
    from registry.monitoring.plan import json_schema

    click.echo(json.dumps(json_schema(), indent=2))


@plan.command("set")
@click.argument("model")
@click.argument("number", metavar="VERSION", type=VERSION)
@click.argument("file", type=FILE)
@json_option
@with_client
def set_plan(client: "Client", model: str, number: int, file: Path, form: Form) -> None:
    """State the monitoring plan of VERSION of MODEL as FILE says, whole or in part. Print what it does not name yet.

    Exit status: 0 complete, 1 stated and not complete, 2 bad input, 3 could not do it.

    Example: acta plan set credit-default 1 plan.yaml
    """
    wanted = _plan(client, file)
    present = client.find_plan(model, number)
    stated = client.state_plan(model, number, wanted, based_on=0 if present is None else present.revision)
    click.echo(f"stated revision {stated.revision} of the monitoring plan of {model} {number}", err=True)
    emit(stated, form, "\n".join(f"missing\t{part}" for part in stated.missing))
    if stated.missing:
        raise SystemExit(1)


def _plan(client: "Client", file: Path) -> "MonitoringPlan":
    import msgspec

    from registry.errors import InvalidInputError
    from registry.monitoring.plan import MonitoringPlan
    from registry.policy.errors import PolicyError
    from registry.policy.reading import read_yaml

    try:
        content = read_yaml(file.read_text(encoding="utf-8"))
        if isinstance(content, dict) and isinstance(content.get("owner"), str):
            content["owner"] = _owner(client, content["owner"])
        return msgspec.convert(content, MonitoringPlan)
    except (PolicyError, UnicodeDecodeError, msgspec.ValidationError) as error:
        raise InvalidInputError("FILE", str(file), str(error)) from error


def _owner(client: "Client", name_or_id: str) -> str:
    me = client.me().actor
    # Not everybody may list who is known.
    if name_or_id in {me.name, str(me.id)}:
        return str(me.id)
    try:
        return str(UUID(name_or_id))
    except ValueError:
        return str(actor_named(client, name_or_id).id)


@plan.command("show")
@click.argument("model")
@click.argument("number", metavar="VERSION", type=VERSION)
@json_option
@with_client
def show(client: "Client", model: str, number: int, form: Form) -> None:
    """Print the monitoring plan of VERSION of MODEL as YAML, and what it does not name yet.

    Example: acta plan show credit-default 1
    """
    found = client.plan(model, number)
    emit(found, form, _text(found))


def _text(found: "Plan") -> str:
    import msgspec

    lines = [msgspec.yaml.encode(found.plan).decode().rstrip()]
    lines += [f"# not named yet: {part}" for part in found.missing]
    return "\n".join(lines)


@plan.command("test-alert")
@click.argument("model")
@click.argument("number", metavar="VERSION", type=VERSION)
@json_option
@with_client
def test_alert(client: "Client", model: str, number: int, form: Form) -> None:
    """Send a real alert along the plan's route, and wait until it is delivered. Its owner acknowledges it by its link.

    Example: acta plan test-alert credit-default 1
    """
    sent = client.send_test_alert(model, number)
    if sent.job_id is not None:
        client.wait_for_job(sent.job_id)
    click.echo(f"delivered; its owner acknowledges it before {sent.expires_at:%Y-%m-%d %H:%M} UTC", err=True)
    emit(sent, form, str(sent.id))


@plan.command("alerts")
@click.argument("model")
@click.argument("number", metavar="VERSION", type=VERSION)
@json_option
@with_client
def alerts(client: "Client", model: str, number: int, form: Form) -> None:
    """Print the test alerts of VERSION of MODEL, newest first: id, sent, delivery, acknowledged.

    Example: acta plan alerts credit-default 1
    """
    found = client.alerts(model, number)
    emit_rows(found, form, [(one.id, one.raised_at, one.delivery_state, one.acknowledged_at) for one in found])
