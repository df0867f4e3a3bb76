"""`acta delegate`: who acts for whom, and what becomes of a leaver's work."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import UUID

import click

from registry.access.actor import ScopeKind
from registry.cli.access import ROLES
from registry.cli.connection import actor_named, with_client
from registry.cli.output import Form, emit, json_option

if TYPE_CHECKING:
    from registry.client import Client


@click.group()
def delegate() -> None:
    """Let another person act for you, and hand over what a leaver left open."""


@delegate.command()
@click.argument("name_or_id", metavar="PERSON")
@click.argument("role_name", metavar="ROLE", type=click.Choice(list(ROLES)))
@click.option("--until", type=click.DateTime(["%Y-%m-%d"]), required=True, help="Last day, in UTC, as 2026-12-31.")
@click.option("--team", help="On the models of this team only.")
@click.option("--model", help="On this model only.")
@json_option
@with_client
def name(
    client: "Client",
    name_or_id: str,
    role_name: str,
    until: datetime,
    team: str | None,
    model: str | None,
    form: Form,
) -> None:
    """Let PERSON act in your ROLE until a day. The log names both of you, and both count in every separation.

    Example: acta delegate name "Validator 2" validator --until 2026-12-31
    """
    if team and model:
        raise click.UsageError("Say --team or --model, not both.")
    scope = ScopeKind.TEAM if team else ScopeKind.MODEL if model else ScopeKind.ALL
    ends_at = until.replace(hour=23, minute=59, second=59, tzinfo=UTC)
    made = client.delegate(actor_named(client, name_or_id).id, ROLES[role_name], ends_at, scope, team or model)
    emit(made, form, str(made.id))


@delegate.command()
@click.argument("delegation_id", metavar="DELEGATION", type=click.UUID)
@with_client
def end(client: "Client", delegation_id: UUID) -> None:
    """End DELEGATION now, by the id that `acta delegate name` printed.

    Example: acta delegate end 0b0e1c9e-6f0e-4f7e-9d0a-0d6d3c1f2a11
    """
    client.end_delegation(delegation_id)
    click.echo("The delegation has ended.", err=True)


@delegate.command("handover")
@click.argument("leaver", metavar="LEAVER")
@click.argument("heir", metavar="PERSON")
@click.option("--reason", required=True, help="Why this person.")
@json_option
@with_client
def hand_over(client: "Client", leaver: str, heir: str, reason: str, form: Form) -> None:
    """Give the models, findings and live requests of LEAVER, who has left, to PERSON. For administrators.

    Example: acta delegate handover "Developer 1" "Developer 2" --reason "Same team."
    """
    done = client.hand_over(actor_named(client, leaver).id, actor_named(client, heir).id, reason)
    emit(done, form, f"{done.models} models, {done.findings} findings, {done.requests} requests")
