"""`acta webhook` and `acta notifications`."""

import os
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

import click

from registry.cli.connection import with_client
from registry.cli.output import Form, emit, emit_rows, json_option

if TYPE_CHECKING:
    from registry.client import Client

webhook_argument = click.argument("webhook_id", metavar="WEBHOOK", type=click.UUID)


@click.group()
def webhook() -> None:
    """Add, list, try and remove addresses that hear of events."""


@webhook.command("add")
@click.argument("label")
@click.argument("receiver", metavar="URL")
@click.option("--event", "events", multiple=True, help="A kind of event, repeatable. [default: all]")
@click.option("--for-alerts-only", is_flag=True, help="It hears of nothing, and serves as the route of alerts.")
@click.option("--team", help="Only of this team's models.")
@click.option("--model", help="Only of this model.")
@click.option("--save", type=click.Path(path_type=Path), help="Keep the secret in this new file, and do not print it.")
@json_option
@with_client
def add(
    client: "Client",
    label: str,
    receiver: str,
    events: tuple[str, ...],
    for_alerts_only: bool,
    team: str | None,
    model: str | None,
    save: Path | None,
    form: Form,
) -> None:
    """Let URL hear of events, under LABEL. Print its id and its secret, which is shown this once.

    Example: acta webhook add "risk desk" https://hooks.example.org/acta --team retail-risk --save risk-desk.secret
    """
    if team and model:
        raise click.UsageError("Say --team or --model, not both.")
    if events and for_alerts_only:
        raise click.UsageError("Say --event or --for-alerts-only, not both.")
    wanted = [] if for_alerts_only else list(events) or None
    scope, name = ("team", team) if team else ("model", model) if model else ("all", None)
    if save is not None and save.exists():
        raise click.UsageError(f"{save} exists already; name a new file.")
    added = client.add_webhook(label, receiver, events=wanted, scope=scope, name=name)  # type: ignore[arg-type]  # one of three words
    if save is None:
        emit(added, form, f"{added.webhook.id}\t{added.secret}")
        return
    _keep(save, added.secret or "")
    emit(added.webhook, form, str(added.webhook.id))


def _keep(path: Path, secret: str) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(secret + "\n")


@webhook.command("list")
@json_option
@with_client
def list_webhooks(client: "Client", form: Form) -> None:
    """Print the webhooks that you may manage: id, label, URL, scope, kinds of events.

    Example: acta webhook list
    """
    found = client.webhooks()
    rows = [
        (one.id, one.label, one.url, one.scope_name or one.scope_kind, ", ".join(one.events) or "alerts only")
        for one in found
    ]
    emit_rows(found, form, rows)


@webhook.command("test")
@webhook_argument
@json_option
@with_client
def test(client: "Client", webhook_id: UUID, form: Form) -> None:
    """Send WEBHOOK an event of the kind webhook.test, and wait until it is delivered.

    Example: acta webhook test 0b0e1c9e-6f0e-4f7e-9d0a-0d6d3c1f2a11
    """
    sent = client.test_webhook(webhook_id)
    if sent.job_id is not None:
        client.wait_for_job(sent.job_id)
    click.echo("delivered", err=True)
    emit(sent, form, str(sent.id))


@webhook.command("remove")
@webhook_argument
@with_client
def remove(client: "Client", webhook_id: UUID) -> None:
    """Send nothing more to WEBHOOK; what is on its way is given up.

    Example: acta webhook remove 0b0e1c9e-6f0e-4f7e-9d0a-0d6d3c1f2a11
    """
    client.remove_webhook(webhook_id)
    click.echo("removed", err=True)


@webhook.command("deliveries")
@click.argument("webhook_id", metavar="[WEBHOOK]", type=click.UUID, required=False)
@click.option("--state", type=click.Choice(["queued", "delivered", "dead"]), help="Only deliveries in this state.")
@json_option
@with_client
def deliveries(client: "Client", webhook_id: UUID | None, state: str | None, form: Form) -> None:
    """Print what was sent to WEBHOOK, or everything: id, state, event, attempts, last status, last error, job.

    A dead delivery is sent again by `acta job replay JOB`.

    Example: acta webhook deliveries --state dead
    """
    found = client.deliveries(webhook_id, state)
    rows = []
    for one in found:
        last = one.attempts[-1] if one.attempts else None
        status, error = (None, None) if last is None else (last.status, last.error)
        rows.append((one.id, one.state, one.event, len(one.attempts), status, error, one.job_id))
    emit_rows(found, form, rows)


@click.group()
def notifications() -> None:
    """Choose where you are told of events, and of which not."""


@notifications.command("show")
@json_option
@with_client
def show(client: "Client", form: Form) -> None:
    """Print your e-mail address and the kinds of events that you muted.

    Example: acta notifications show
    """
    found = client.notification_preferences()
    emit(found, form, "\n".join([f"email\t{found.email or ''}", *(f"muted\t{event}" for event in found.muted)]))


@notifications.command("set")
@click.option("--email", help="Where you are told; what you do not say stays.")
@click.option("--no-email", is_flag=True, help="Forget the address.")
@click.option("--mute", multiple=True, help="A kind of event, repeatable: these and no others are muted.")
@click.option("--mute-nothing", is_flag=True, help="Hear of all again.")
@json_option
@with_client
def set_preferences(
    client: "Client", email: str | None, no_email: bool, mute: tuple[str, ...], mute_nothing: bool, form: Form
) -> None:
    """Choose where you are told of events, and of which not.

    Example: acta notifications set --email ana@example.org --mute finding.opened
    """
    if (email and no_email) or (mute and mute_nothing):
        raise click.UsageError("Say one or the other.")
    present = client.notification_preferences()
    address = None if no_email else email or present.email
    muted = [] if mute_nothing else list(mute) or present.muted
    found = client.set_notification_preferences(address, muted)
    emit(found, form, found.email or "")
