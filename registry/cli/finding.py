"""`acta finding`."""

from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING
from uuid import UUID

import click

from registry.cli.arguments import DAYS, VERSION
from registry.cli.connection import with_client
from registry.cli.output import Form, emit, emit_rows, json_option, shown

if TYPE_CHECKING:
    from registry.client import Client
    from registry.client.findings import Finding, FindingStateWord, SeverityWord

SEVERITIES = click.Choice(["critical", "high", "medium", "low"])
STATES = click.Choice(["open", "remediated", "closed"])

finding_argument = click.argument("finding_id", metavar="FINDING", type=click.UUID)
due_option = click.option(
    "--due",
    "due_on",
    type=click.DateTime(["%Y-%m-%d"]),
    help="Last day on which it is in time, in UTC: YYYY-MM-DD.",
)


@click.group()
def finding() -> None:
    """Open, remediate, close and list findings: what people and checks found wrong with versions.

    An open finding of a severity that the policy names holds the gate, until somebody who neither owns nor remediated
    it closes it.
    """


@finding.command("open")
@click.argument("model")
@click.argument("number", metavar="VERSION", type=VERSION)
@click.option("--severity", type=SEVERITIES, required=True, help="How grave it is.")
@click.option("--title", required=True, help="What is wrong, in one line.")
@click.option("--description", required=True, help="What was seen, and where.")
@click.option("--owner", "owner_id", type=click.UUID, help="Who has it mended, by id. [default: the model's owner]")
@due_option
@json_option
@with_client
def open_finding(
    client: "Client",
    model: str,
    number: int,
    severity: "SeverityWord",
    title: str,
    description: str,
    owner_id: UUID | None,
    due_on: datetime | None,
    form: Form,
) -> None:
    """State what is wrong with VERSION of MODEL; print the finding's id. The policy says by when, unless --due does.

    Example: acta finding open credit-default 1 --severity high --title "Leaks age" --description "Seen in ..."
    """
    opened = client.open_finding(
        model,
        number,
        severity=severity,
        title=title,
        description=description,
        owner_id=owner_id,
        due_at=_end_of(due_on),
    )
    click.echo(f"opened: {opened.severity}, due {opened.due_at:%Y-%m-%d %H:%M} UTC", err=True)
    emit(opened, form, str(opened.id))


@finding.command("list")
@click.option("--model", help="Only findings on versions of this model.")
@click.option("--state", type=STATES, help="Only findings in this state.")
@click.option("--severity", type=SEVERITIES, help="Only findings of this severity.")
@click.option("--owner", "owner_id", type=click.UUID, help="Only findings of this owner, by id.")
@click.option("--limit", type=click.IntRange(1, 100_000), default=100, show_default=True, help="How many at most.")
@json_option
@with_client
def list_findings(
    client: "Client",
    model: str | None,
    state: "FindingStateWord | None",
    severity: "SeverityWord | None",
    owner_id: UUID | None,
    limit: int,
    form: Form,
) -> None:
    """Print findings, the first due first: id, severity, state, model, version, due, title.

    Example: acta finding list --model credit-default --state open
    """
    found = list(islice(client.findings(model, state, severity, owner_id), limit))
    rows = [
        (
            one.id,
            one.severity,
            f"{one.state}, overdue" if one.overdue else one.state,
            one.model,
            one.version,
            one.due_at,
            one.title,
        )
        for one in found
    ]
    emit_rows(found, form, rows)


@finding.command()
@finding_argument
@json_option
@with_client
def show(client: "Client", finding_id: UUID, form: Form) -> None:
    """Print FINDING: what is wrong, who has it mended by when, and what was done.

    Example: acta finding show 0b0e1c9e-6f0e-4f7e-9d0a-0d6d3c1f2a11
    """
    found = client.finding(finding_id)
    emit(found, form, _described(found))


@finding.command()
@finding_argument
@click.option("--remediation", required=True, help="What was done.")
@click.option("--evidence", required=True, help="A link, or where to look.")
@json_option
@with_client
def remediate(client: "Client", finding_id: UUID, remediation: str, evidence: str, form: Form) -> None:
    """Say what was done about FINDING. Somebody else then closes it.

    Example: acta finding remediate 0b0e1c9e-... --remediation "Dropped the column." --evidence https://git.example/1
    """
    _report(client.remediate_finding(finding_id, remediation, evidence), form)


@finding.command()
@finding_argument
@click.option("--reason", required=True, help="What you looked at.")
@json_option
@with_client
def close(client: "Client", finding_id: UUID, reason: str, form: Form) -> None:
    """Agree that FINDING is mended. Whoever owns it or remediated it cannot.

    Example: acta finding close 0b0e1c9e-6f0e-4f7e-9d0a-0d6d3c1f2a11 --reason "Trained again without it."
    """
    _report(client.close_finding(finding_id, reason), form)


@finding.command()
@finding_argument
@click.option("--reason", required=True, help="Why it is not mended after all.")
@due_option
@json_option
@with_client
def reopen(client: "Client", finding_id: UUID, reason: str, due_on: datetime | None, form: Form) -> None:
    """Open FINDING again, remediated or closed: it holds the gate as before.

    Example: acta finding reopen 0b0e1c9e-6f0e-4f7e-9d0a-0d6d3c1f2a11 --reason "It came back."
    """
    _report(client.reopen_finding(finding_id, reason, _end_of(due_on)), form)


@finding.command()
@finding_argument
@click.option("--owner", "owner_id", type=click.UUID, required=True, help="Who has it mended from now on, by id.")
@click.option("--reason", required=True, help="Why.")
@due_option
@json_option
@with_client
def reassign(
    client: "Client", finding_id: UUID, owner_id: UUID, reason: str, due_on: datetime | None, form: Form
) -> None:
    """Give FINDING to another owner; with --due, as validator or risk officer, also another day.

    Example: acta finding reassign 0b0e1c9e-... --owner 5c1d... --reason "She looks after the data."
    """
    _report(client.reassign_finding(finding_id, owner_id, reason, _end_of(due_on)), form)


@finding.command()
@finding_argument
@click.option("--to", "severity", type=SEVERITIES, required=True, help="How grave it is.")
@click.option("--reason", required=True, help="Why.")
@json_option
@with_client
def severity(client: "Client", finding_id: UUID, severity: "SeverityWord", reason: str, form: Form) -> None:
    """Change the severity of FINDING, as a risk officer.

    Example: acta finding severity 0b0e1c9e-... --to medium --reason "Only the report is wrong."
    """
    _report(client.change_severity(finding_id, severity, reason), form)


@finding.command()
@finding_argument
@click.option("--reason", required=True, help="Why the exception is right.")
@click.option("--measure", required=True, help="What is done instead while it lasts.")
@click.option("--days", type=DAYS, default=30, show_default=True, help="How long it lasts.")
@json_option
@with_client
def waive(client: "Client", finding_id: UUID, reason: str, measure: str, days: int, form: Form) -> None:
    """Except FINDING for a while, in the role that the policy names: it stays open, and holds no gate meanwhile.

    Example: acta finding waive 0b0e1c9e-... --reason "..." --measure "Each refusal is read by a person." --days 14
    """
    until = datetime.now(UTC) + timedelta(days=days)
    granted = client.waive_finding(finding_id, reason=reason, compensating_measure=measure, expires_at=until)
    click.echo(f"waived until {granted.expires_at:%Y-%m-%d %H:%M} UTC", err=True)
    emit(granted, form, str(granted.id))


def _report(changed: "Finding", form: Form) -> None:
    click.echo(f"{changed.title}: {changed.severity}, {changed.state}", err=True)
    emit(changed, form, changed.state)


def _end_of(day: datetime | None) -> datetime | None:
    """The instant at which a day has passed, in UTC."""
    return None if day is None else day.replace(tzinfo=UTC) + timedelta(days=1)


def _described(one: "Finding") -> str:
    fields = {
        "id": one.id,
        "on": f"{one.model} {one.version}",
        "severity": one.severity,
        "state": f"{one.state}, overdue" if one.overdue else one.state,
        "title": one.title,
        "description": one.description,
        "owner": one.owner_id,
        "due": one.due_at,
        "opened": one.opened_at,
        "opened by": f"check {one.check}" if one.check else one.opened_by,
        "remediation": one.remediation,
        "evidence": one.remediation_evidence,
        "remediated": one.remediated_at,
        "remediated by": one.remediated_by,
        "closed": one.closed_at,
        "closed by": one.closed_by,
    }
    return "\n".join(f"{name}\t{shown(value)}" for name, value in fields.items() if shown(value))
