"""`acta document`."""

from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

import click

from registry.cli.arguments import VERSION
from registry.cli.connection import with_client
from registry.cli.output import Form, emit, emit_rows, json_option

if TYPE_CHECKING:
    from registry.client import Client


@click.group()
def document() -> None:
    """Add, list and sign off documents of a version."""


@document.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--model", required=True, help="Name of the registered model.")
@click.option("--version", "number", type=VERSION, required=True, help="Number of the version.")
@click.option("--kind", required=True, help="As the policy names it: data-preparation, model-selection, qa, ...")
@click.option("--title", help="What people see. [default: the file's name]")
@json_option
@with_client
def add(client: "Client", file: Path, model: str, number: int, kind: str, title: str | None, form: Form) -> None:
    """Add FILE (Markdown, text, PDF, JSON, CSV or PNG) to a version; print its id.

    It supersedes the older document of its kind, which is kept.

    Example: acta document add qa.md --model credit-default --version 1 --kind qa --title "QA report"
    """
    added = client.upload_document(model, number, file, kind=kind, title=title or file.name)
    emit(added, form, str(added.id))


@document.command("list")
@click.argument("model")
@click.argument("number", metavar="VERSION", type=VERSION)
@json_option
@with_client
def list_documents(client: "Client", model: str, number: int, form: Form) -> None:
    """Print the documents of a version: id, kind, title, SHA-256, whether signed off or superseded.

    Example: acta document list credit-default 1
    """
    found = client.documents(model, number)
    rows = [
        (
            row.id,
            row.kind,
            row.title,
            row.sha256,
            "superseded" if row.superseded_by else "signed off" if row.signed_off_at else "to be signed off",
        )
        for row in found
    ]
    emit_rows(found, form, rows)


@document.command("sign-off")
@click.argument("document_id", metavar="DOCUMENT", type=click.UUID)
@click.option("--comment", help="What you looked at.")
@json_option
@with_client
def sign_off(client: "Client", document_id: UUID, comment: str | None, form: Form) -> None:
    """Sign DOCUMENT off, by its id, as a validator who did not write it.

    Example: acta document sign-off 0b0e1c9e-6f0e-4f7e-9d0a-0d6d3c1f2a11 --comment "Counted again."
    """
    signed = client.sign_off(document_id, comment)
    click.echo(f"signed off: {signed.title}", err=True)
    emit(signed, form, str(signed.id))
