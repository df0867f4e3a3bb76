"""`acta promote`, `acta review`."""

from typing import TYPE_CHECKING
from uuid import UUID

import click

from registry.cli.access import ROLES
from registry.cli.arguments import VERSION
from registry.cli.connection import with_client
from registry.cli.gate import STAGES
from registry.cli.output import Form, emit, json_option

if TYPE_CHECKING:
    from registry.client import Client
    from registry.client.answers import DecisionWord, Promotion

LIVE = ("open", "approved")


@click.command()
@click.argument("model")
@click.argument("number", metavar="VERSION", type=VERSION)
@click.option("--to", "target_stage", type=STAGES, required=True, help="Stage to enter.")
@click.option("--justification", help="Why: reviewers read it. Needed to open a request.")
@click.option("--execute", is_flag=True, help="Move the version by its approved request, if the gate is met now.")
@json_option
@with_client
def promote(
    client: "Client",
    model: str,
    number: int,
    target_stage: str,
    justification: str | None,
    execute: bool,
    form: Form,
) -> None:
    """Ask for VERSION of MODEL to be moved to a stage; print the request's id. With --execute: move it.

    Exit status: 0 opened or moved, 1 the gate is not met, 2 bad input, 3 could not ask.

    Example: acta promote credit-default 1 --to production --justification "Replaces the scorecard."
    """
    from registry.client import ApiError
    from registry.client.client import unmet_items

    if execute:
        live = find_live(client, model, number, target_stage)
        try:
            done = client.execute(live.id)
        except ApiError as error:
            unmet = unmet_items(error)
            if not unmet:
                raise
            click.echo(f"acta: {error}", err=True)
            emit(unmet, form, "\n".join(f"{item.id}\t{item.remedy} ({', '.join(item.who)})" for item in unmet))
            raise SystemExit(1) from None
        click.echo(f"{model} {number} is in {done.request.target_stage}", err=True)
        emit(done, form, str(done.request.id))
        return
    if not justification:
        raise click.UsageError("Say --justification to open a request, or --execute to execute an approved one.")
    opened = client.request_promotion(model, number, target_stage, justification)
    missing = 0 if opened.gate is None else len(opened.gate.unmet)
    click.echo(f"opened request {opened.request.number}: {missing} missing, see `acta gate {model} {number}`", err=True)
    emit(opened, form, str(opened.request.id))


def find_live(client: "Client", model: str, number: int, target_stage: str) -> "Promotion":
    """The live request of that version for that stage.

    Raises:
        click.UsageError: there is none.
    """
    for request in client.promotions(model=model):
        if request.state in LIVE and (request.version, request.target_stage) == (number, target_stage):
            return request
    raise click.UsageError(f"No request to move {model} {number} to {target_stage} is open; open one first.")


@click.command()
@click.argument("request_id", metavar="REQUEST", type=click.UUID)
@click.option("--role", "role_name", type=click.Choice(list(ROLES)), required=True, help="The role you decide in.")
@click.option("--approve", "decision", flag_value="approve", type=str, help="Approve it.")
@click.option("--reject", "decision", flag_value="reject", type=str, help="Reject it.")
@click.option("--ask-for-changes", "decision", flag_value="ask for changes", type=str, help="Ask for changes.")
@click.option("--reason", required=True, help="Why: people read it years later.")
@json_option
@with_client
def review(
    client: "Client", request_id: UUID, role_name: str, decision: "DecisionWord | None", reason: str, form: Form
) -> None:
    """Decide on promotion REQUEST, by its id, in one of your roles. Who asked for it cannot.

    Example: acta review decide 0b0e1c9e-6f0e-4f7e-9d0a-0d6d3c1f2a11 --role validator --approve --reason "Repeated it."
    """
    if decision is None:
        raise click.UsageError("Say --approve, --reject or --ask-for-changes.")
    decided = client.review(request_id, ROLES[role_name], decision, reason)
    click.echo(f"request {decided.request.number} is {decided.request.state}", err=True)
    emit(decided, form, decided.request.state)
