"""`acta rollback`, `acta rollbacks`, `acta comment`."""

from typing import TYPE_CHECKING
from uuid import UUID

import click

from registry.cli.connection import with_client
from registry.cli.output import Form, emit, emit_rows, json_option

if TYPE_CHECKING:
    from registry.client import Client
    from registry.client.promotions import FindingWord


@click.command()
@click.argument("model")
@click.option("--reason", required=True, help="Why it must go back at once.")
@json_option
@with_client
def rollback(client: "Client", model: str, reason: str, form: Form) -> None:
    """Put the version of MODEL back into production that was there before the present one. Others review it afterwards.

    Example: acta rollback credit-default --reason "It refuses every client since 14:00."
    """
    done = client.roll_back(model, reason)
    click.echo(f"{model} {done.to_version} is in production; {done.from_version} is not any more.", err=True)
    click.echo(f"{done.reviewers} persons review it by {done.review_due_at:%Y-%m-%d}: `acta rollbacks`", err=True)
    emit(done, form, str(done.id))


@click.group()
def rollbacks() -> None:
    """List emergency rollbacks, and review them afterwards."""


@rollbacks.command("list")
@click.option("--model", help="Of this model only.")
@json_option
@with_client
def list_rollbacks(client: "Client", model: str | None, form: Form) -> None:
    """Print emergency rollbacks, newest first: id, model, from version, to version, when, what is owed.

    Example: acta rollbacks list --model credit-default
    """
    found = client.rollbacks(model)
    rows = [
        (one.id, one.model, one.from_version, one.to_version, one.called_at, one.notice or "reviewed") for one in found
    ]
    emit_rows(found, form, rows)


@rollbacks.command()
@click.argument("rollback_id", metavar="ROLLBACK", type=click.UUID)
@click.option("--justified", "finding", flag_value="justified", type=str, help="It was right.")
@click.option("--not-justified", "finding", flag_value="not justified", type=str, help="It was not.")
@click.option("--reason", required=True, help="Why: people read it years later.")
@json_option
@with_client
def review(client: "Client", rollback_id: UUID, finding: "FindingWord | None", reason: str, form: Form) -> None:
    """Say of ROLLBACK, by its id, whether it was justified. Who called it cannot.

    Example: acta rollbacks review 0b0e1c9e-6f0e-4f7e-9d0a-0d6d3c1f2a11 --justified --reason "The feed was empty."
    """
    if finding is None:
        raise click.UsageError("Say --justified or --not-justified.")
    done = client.review_rollback(rollback_id, finding, reason)
    click.echo(done.notice or "All reviews that it owed are given.", err=True)
    emit(done, form, str(done.id))


@click.command()
@click.argument("request_id", metavar="REQUEST", type=click.UUID)
@click.argument("text")
@json_option
@with_client
def comment(client: "Client", request_id: UUID, text: str, form: Form) -> None:
    """Say something about promotion REQUEST, by its id.

    Example: acta comment 0b0e1c9e-6f0e-4f7e-9d0a-0d6d3c1f2a11 "Which groups were compared?"
    """
    made = client.comment(request_id, text)
    emit(made, form, str(made.id))
