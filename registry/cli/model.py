"""`acta model`."""

from typing import TYPE_CHECKING

import click

from registry.catalog.facts import Autonomy, LegalDomain, PersonalData, Reversibility
from registry.cli.connection import actor_id, with_client
from registry.cli.models import IMPACT, words
from registry.cli.output import Form, emit, emit_rows, json_option

if TYPE_CHECKING:
    from registry.client import Client
    from registry.client.answers import Model


@click.group()
def model() -> None:
    """List, show and edit registered models."""


@model.command("list")
@click.option("--contains", help="Only models whose names contain this.")
@json_option
@with_client
def list_models(client: "Client", contains: str | None, form: Form) -> None:
    """List the models that you may see: name, team, risk tier, purpose.

    Example: acta model list --contains credit
    """
    found = client.models(contains)
    emit_rows(found, form, [(one.name, one.team, one.risk_tier, one.purpose) for one in found])


@model.command()
@click.argument("name")
@json_option
@with_client
def show(client: "Client", name: str, form: Form) -> None:
    """Show the model NAME: what is stated of it, its answers about risk, and the tier that follows.

    Example: acta model show credit-default
    """
    found = client.model(name)
    emit(found, form, model_text(found))


@model.command()
@click.argument("name")
@click.option("--purpose", help="What it is for.")
@click.option("--owner", help="Name or id of its owner.")
@click.option("--intended-users", help="Who is to use it.")
@click.option("--out-of-scope", help="What it must not be used for.")
@click.option("--limitations", help="What it is known to do badly.")
@click.option("--affected-persons", help="Who they are, how they learn of it, and how they object.")
@click.option("--financial-impact", type=IMPACT, help="How much money is at stake.")
@click.option("--reputational-impact", type=IMPACT, help="How much reputation is at stake.")
@click.option("--affects-persons/--affects-no-persons", default=None, help="Whether it decides on persons.")
@click.option("--personal-data", type=words(PersonalData), help="What personal data it uses.")
@click.option("--decision-autonomy", type=words(Autonomy), help="What part it has in a decision.")
@click.option("--reversibility", type=words(Reversibility), help="Can a wrong decision be undone?")
@click.option("--legal-domain", type=words(LegalDomain), help="Its field, as the EU AI Act divides them.")
@json_option
@with_client
def edit(client: "Client", /, name: str, owner: str | None, form: Form, **given: str | bool | None) -> None:
    """Change what is stated of the model NAME; what you do not name stays.

    Other answers about risk make its live requests stale. Only a risk officer lowers its tier.

    Example: acta model edit credit-default --limitations "Trained on clients of one bank, 2005."
    """
    changes = {field: value for field, value in given.items() if value is not None}
    if owner is not None:
        changes["owner_id"] = str(actor_id(client, owner))
    if not changes:
        raise click.UsageError("Say what to change, such as --purpose or --limitations.")
    changed = client.edit_model(name, **changes)
    click.echo(f"changed {changed.name}: revision {changed.revision}, risk tier {changed.risk_tier}", err=True)
    emit(changed, form, model_text(changed))


def model_text(found: "Model") -> str:
    """One line for each statement, tabs between its name and its value."""
    profile = found.risk_profile
    lines = {
        "name": found.name,
        "team": found.team,
        "owner": found.owner_id,
        "risk tier": found.risk_tier,
        "purpose": found.purpose,
        "intended users": found.intended_users,
        "out of scope": found.out_of_scope,
        "limitations": found.limitations,
        "affected persons": found.affected_persons,
        "financial impact": profile.financial_impact.value,
        "reputational impact": profile.reputational_impact.value,
        "affects persons": "yes" if profile.affects_persons else "no",
        "personal data": profile.personal_data.value,
        "decision autonomy": profile.decision_autonomy.value,
        "reversibility": profile.reversibility.value,
        "legal domain": profile.legal_domain.value,
        "revision": found.revision,
        "notice": found.notice,
    }
    return "\n".join(f"{name}\t{' '.join(str(value).split())}" for name, value in lines.items() if value is not None)
