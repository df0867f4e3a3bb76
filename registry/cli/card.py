"""`acta card`."""

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from registry.cli.arguments import VERSION
from registry.cli.connection import with_client
from registry.cli.output import Form, emit, json_option

if TYPE_CHECKING:
    from audit.note import VerifierKey
    from registry.client import Client

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


class CardGroup(click.Group):
    """`acta card MODEL VERSION` is short for `acta card render MODEL VERSION`."""

    def parse_args(self, context: click.Context, args: list[str]) -> list[str]:
        """Put `render` before what is neither a subcommand nor a request for help."""
        if args and args[0] not in self.commands and args[0] not in context.help_option_names:
            args = ["render", *args]
        return super().parse_args(context, args)


@click.group(cls=CardGroup)
def card() -> None:
    """Render, download and verify model cards.

    `acta card MODEL VERSION -o FILE` is short for `acta card render MODEL VERSION -o FILE`.
    """


@card.command()
@click.argument("model")
@click.argument("number", metavar="VERSION", type=VERSION)
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), required=True, help="File to write.")
@json_option
@with_client
def render(client: "Client", model: str, number: int, output: Path, form: Form) -> None:
    """Have a signed model card made of a version as it stands now, and save the PDF.

    Example: acta card render credit-default 1 -o card.pdf
    """
    from registry.cli.progress import counting

    _refuse_unwritable(output)
    requested = client.request_card(model, number)
    assert requested.job_id is not None
    with counting("Rendering and sealing") as progress:
        client.wait_for_job(requested.job_id, lambda done, _text: progress(round(done * 100), 100))
    content = client.download_card(requested.id)
    try:
        output.write_bytes(content)
    except OSError as error:
        click.echo(f"acta: {output} cannot be written ({error.strerror}); the card {requested.id} is kept.", err=True)
        raise SystemExit(3) from None
    made = client.card(requested.id)
    click.echo(f"saved {output}; its facts are entry {made.facts_entry} of the log", err=True)
    emit(made, form, str(made.id))


def _refuse_unwritable(output: Path) -> None:
    """Before a card is rendered and logged for nothing."""
    place = output if output.exists() else output.parent
    if not place.exists():
        raise click.BadParameter(f"there is no folder {place}.", param_hint="'--output'")
    if not os.access(place, os.W_OK):
        raise click.BadParameter(f"{place} cannot be written.", param_hint="'--output'")


@card.command("list")
@click.argument("model")
@click.argument("number", metavar="VERSION", type=VERSION)
@json_option
@with_client
def list_cards(client: "Client", model: str, number: int, form: Form) -> None:
    """Print the cards of a version, the newest first: id, state, SHA-256 of the PDF.

    Example: acta card list credit-default 1
    """
    found = client.cards(model, number)
    emit(found, form, "\n".join(f"{row.id}\t{row.state}\t{row.pdf_sha256 or ''}" for row in found))


class _CheckedStep(msgspec.Struct):
    step: str
    holds: bool
    reason: str


class _Checked(msgspec.Struct):
    verified: bool
    conclusion: str
    steps: list[_CheckedStep]


@card.command()
@click.argument("file", type=FILE)
@click.option("--key", "key_text", help="The log's verifier key. [default: this installation's, where there is one]")
@click.option("--root", "roots", type=FILE, multiple=True, help="PEM of a root that you trust. [default: likewise]")
@json_option
def verify(file: Path, key_text: str | None, roots: tuple[Path, ...], form: Form) -> None:
    """Check the card in FILE offline: its seal, its facts, and the log proof that it carries.

    Key and root come from where you trust them, never from the card. Exit status: 0 verified, 1 not, 2 wrong usage,
    3 could not check. Example: acta card verify card.pdf --key "$KEY" --root root.cert.pem
    """
    from registry.cards.verification import verify as verify_card

    trusted = [_certificates(path) for path in roots] or _own_roots()
    found = verify_card(file.read_bytes(), log_key=_key(key_text), trusted_roots=trusted, now=datetime.now(UTC))
    steps = [_CheckedStep(step.name, step.holds, step.reason) for step in found.steps]
    lines = [f"{'ok ' if step.holds else 'NOT'}\t{step.step}\t{step.reason}".rstrip() for step in steps]
    verdict = "VERIFIED" if found.verified else "NOT VERIFIED"
    emit(_Checked(found.verified, found.conclusion, steps), form, "\n".join([*lines, f"{verdict}: {found.conclusion}"]))
    if not found.verified:
        raise SystemExit(1)


@card.command("new-seal")
def new_seal() -> None:
    """Make another seal, where the one that sealed earlier cards is lost with its backups. Runs on the server.

    Cards sealed before stay valid under the old root. Example: acta card new-seal
    """
    from registry.cli.configuration import load_settings
    from registry.installation import replace_lost_seal

    directory = replace_lost_seal(load_settings())
    click.echo(f"Made a self-signed seal for model cards in {directory}. Give its root.cert.pem to who checks cards.")


def _key(text: str | None) -> "VerifierKey | None":
    from registry.cli.configuration import load_settings
    from registry.evidence.verification import own_key, parse_key
    from registry.installation import has_log_key

    if text is not None:
        return parse_key(text)
    settings = load_settings()
    return own_key(settings) if has_log_key(settings) else None


def _certificates(path: Path) -> bytes:
    from cryptography import x509

    content = path.read_bytes()
    try:
        x509.load_pem_x509_certificates(content)
    except ValueError:
        raise click.BadParameter(f"{path} holds no certificate as PEM.", param_hint="'--root'") from None
    return content


def _own_roots() -> list[bytes]:
    from registry.cli.configuration import load_settings
    from registry.installation import seal_directory
    from reports.seal import load_seal

    directory = seal_directory(load_settings())
    return [load_seal(directory).root] if directory.is_dir() else []
