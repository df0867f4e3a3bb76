"""`acta settings`."""

import json

import click
from pydantic import SecretStr

from registry.cli.configuration import load_settings
from registry.settings import Settings


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def settings(as_json: bool) -> None:
    """Print the settings in force, secrets masked.

    Each line is an environment variable as it is set or by default. Example: acta settings --json
    """
    shown = shown_settings(load_settings())
    if as_json:
        click.echo(json.dumps(shown, indent=2))
        return
    for name, value in shown.items():
        click.echo(f"{name}={value}")


def shown_settings(settings: Settings) -> dict[str, str]:
    """Environment variable -> value as text; whatever may hold a password is masked."""
    shown = {}
    for name in type(settings).model_fields:
        value = getattr(settings, name)
        if isinstance(value, SecretStr):
            text = masked_url(value.get_secret_value()) if name.endswith("_url") else "********"
        elif isinstance(value, tuple):
            text = ",".join(masked_url(part) for part in value)
        else:
            text = "" if value is None else masked_url(str(value))
        shown[f"ACTA_{name.upper()}"] = text
    return shown


def masked_url(text: str) -> str:
    """The text, with the password and the query of a URL masked."""
    scheme, separator, rest = text.partition("://")
    if not separator:
        return text
    rest, question, query = rest.partition("?")
    authority, slash, path = rest.partition("/")
    if "@" in authority:
        user = authority.rpartition("@")[0].partition(":")[0]
        authority = f"{user}:********@{authority.rpartition('@')[2]}"
    return f"{scheme}://{authority}{slash}{path}{question}{'********' if query else ''}"
