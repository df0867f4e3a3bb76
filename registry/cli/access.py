"""`acta actor`, `acta role`, `acta token`."""

import os
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

import click

from registry.access.actor import ActorKind, Role, ScopeKind
from registry.cli.arguments import DAYS
from registry.cli.connection import actor_named, with_client
from registry.cli.output import Form, emit, emit_rows, json_option

if TYPE_CHECKING:
    from registry.client import Client
    from registry.client.answers import Grant

ROLES = {role.value.replace(" ", "-"): role for role in Role}


@click.group()
def actor() -> None:
    """Add, list and retire persons and machines."""


@actor.command("add")
@click.argument("name")
@click.option("--email", help="Kept beside the log, erasable.")
@click.option("--machine", "responsible", metavar="PERSON", help="A machine, for which this person answers.")
@json_option
@with_client
def add_actor(client: "Client", name: str, email: str | None, responsible: str | None, form: Form) -> None:
    """Make NAME known, and print its id.

    Example: acta actor add "Risk officer 2" --email risk2@bank.example
    """
    person = None if responsible is None else actor_named(client, responsible).id
    kind = ActorKind.PERSON if person is None else ActorKind.MACHINE
    added = client.create_actor(name, kind=kind, email=email, responsible_id=person)
    emit(added, form, str(added.id))


@actor.command("list")
@json_option
@with_client
def list_actors(client: "Client", form: Form) -> None:
    """Print all actors: id, kind, name, and when they left.

    Example: acta actor list --json
    """
    found = list(client.actors())
    emit_rows(found, form, [(row.id, row.kind, row.name, row.left_at) for row in found])


@actor.command("leave")
@click.argument("name_or_id", metavar="ACTOR")
@with_client
def leave(client: "Client", name_or_id: str) -> None:
    """ACTOR leaves: none of its tokens opens anything any more.

    Example: acta actor leave "Risk officer 2"
    """
    gone = client.record_leaving(actor_named(client, name_or_id).id)
    click.echo(f"{gone.name} has left.", err=True)


@click.group()
def role() -> None:
    """Grant, list and revoke roles."""


@role.command("grant")
@click.argument("name_or_id", metavar="ACTOR")
@click.argument("role_name", metavar="ROLE", type=click.Choice(list(ROLES)))
@click.option("--team", help="On the models of this team only.")
@click.option("--model", help="On this model only.")
@json_option
@with_client
def grant(client: "Client", name_or_id: str, role_name: str, team: str | None, model: str | None, form: Form) -> None:
    """Grant ROLE to ACTOR: on everything, or on a team's models, or on one model.

    ROLE is developer, validator, ethics-reviewer, security-reviewer, operations-reviewer, risk-officer, auditor or
    administrator. Example: acta role grant "Risk officer 2" risk-officer --team retail
    """
    if team and model:
        raise click.UsageError("Say --team or --model, not both.")
    scope = ScopeKind.TEAM if team else ScopeKind.MODEL if model else ScopeKind.ALL
    granted = client.grant_role(actor_named(client, name_or_id).id, ROLES[role_name], scope, team or model)
    emit(granted, form, str(granted.id))


@role.command("list")
@click.argument("name_or_id", metavar="ACTOR", required=False)
@json_option
@with_client
def list_roles(client: "Client", name_or_id: str | None, form: Form) -> None:
    """Print ACTOR's roles, ended ones too; without ACTOR your own: id, role, scope, granted, ended.

    Example: acta role list "Risk officer 2"
    """
    found = client.me().grants if name_or_id is None else client.grants(actor_named(client, name_or_id).id)
    emit_rows(found, form, [(row.id, row.role, _scope(row), row.granted_at, row.revoked_at) for row in found])


def _scope(grant: "Grant") -> str:
    return grant.scope_kind if grant.scope_name is None else f"{grant.scope_kind} {grant.scope_name}"


@role.command("revoke")
@click.argument("grant_id", type=click.UUID)
@with_client
def revoke(client: "Client", grant_id: UUID) -> None:
    """End a grant, by the id that `acta role list` shows.

    Example: acta role revoke 0b0e1c9e-6f0e-4f7e-9d0a-0d6d3c1f2a11
    """
    client.revoke_role(grant_id)
    click.echo("The grant has ended.", err=True)


@click.group()
def token() -> None:
    """Create, list and revoke API tokens."""


@token.command("create")
@click.option("--for", "name_or_id", metavar="ACTOR", help="For somebody else; administrators only.")
@click.option("--label", default="command line", show_default=True, help="What it is for.")
@click.option("--days", type=DAYS, help="Lifetime. [default: ACTA_TOKEN_DAYS of the server]")
@click.option("--save", type=click.Path(path_type=Path), help="Write it to a new file (mode 0600) instead.")
@json_option
@with_client
def create_token(
    client: "Client", name_or_id: str | None, label: str, days: int | None, save: Path | None, form: Form
) -> None:
    """Create a token and print it, this once. The one-time token of the first start is exchanged in the same way.

    Example: ACTA_TOKEN=<one-time token> acta token create --save ~/.config/acta-token
    """
    owner = None if name_or_id is None else actor_named(client, name_or_id).id
    if save is not None and save.exists():
        raise click.UsageError(f"{save} exists already; name a new file.")
    if save is not None:
        _require_writable(save)
    issued = client.create_token(label, actor_id=owner, days=days)
    if issued.secret is None:
        click.echo(
            f"acta: the token {issued.token.id} was made, but its secret was lost on the way: revoke it.", err=True
        )
        raise SystemExit(3)
    if save is not None:
        _write_secret(save, issued.secret)
        click.echo(f"saved to {save}; it ends {issued.token.expires_at:%Y-%m-%d}", err=True)
        return
    emit(issued, form, issued.secret)


@token.command("recover")
def recover() -> None:
    """Print a one-time administrator token, on the server itself: the first was lost, or nobody is left.

    It needs the server's settings, keys and database, and is an entry of the log.

    Example: ACTA_TOKEN=$(acta token recover) acta token create --save ~/.config/acta-token
    """
    from registry.access.service import recover_administration
    from registry.cli.configuration import load_settings
    from registry.installation import open_units

    units = open_units(load_settings())
    with units.writing() as unit:
        issued = recover_administration(unit)
    units.database.dispose()
    click.echo(issued.secret)


def _require_writable(path: Path) -> None:
    """Before the token is made: the one-time token makes only one."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise click.UsageError(f"{path.parent} cannot be made ({error.strerror}); name another file.") from None
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise click.UsageError(f"{path.parent} cannot be written; name another file.")


def _write_secret(path: Path, secret: str) -> None:
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(secret + "\n")
    except OSError as error:
        # It is shown only once: better on the screen than lost.
        click.echo(secret)
        click.echo(f"acta: {path} cannot be written ({error.strerror}); the token stands above instead.", err=True)
        raise SystemExit(3) from None


@token.command("list")
@click.option("--for", "name_or_id", metavar="ACTOR", help="Somebody else's; administrators only.")
@json_option
@with_client
def list_tokens(client: "Client", name_or_id: str | None, form: Form) -> None:
    """Print tokens, without their secrets: id, label, end, last use, revocation.

    Example: acta token list
    """
    found = client.tokens(None if name_or_id is None else actor_named(client, name_or_id).id)
    rows = [(row.id, row.label, row.expires_at, row.last_used_at, row.revoked_at) for row in found]
    emit_rows(found, form, rows)


@token.command("revoke")
@click.argument("token_id", type=click.UUID)
@with_client
def revoke_token(client: "Client", token_id: UUID) -> None:
    """End a token, by the id that `acta token list` shows.

    Example: acta token revoke 0b0e1c9e-6f0e-4f7e-9d0a-0d6d3c1f2a11
    """
    client.revoke_token(token_id)
    click.echo("The token opens nothing any more.", err=True)
