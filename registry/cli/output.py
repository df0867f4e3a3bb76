"""What commands print. Standard output is data: lines with tabs between fields, or JSON."""

from collections.abc import Sequence
from datetime import datetime
from enum import Enum

import click
import msgspec


class Form(Enum):
    """How data are printed."""

    TEXT = "text"
    JSON = "json"


json_option = click.option(
    "--json", "form", flag_value=Form.JSON, type=Form, default=Form.TEXT, help="Print JSON instead of text."
)


def emit(value: object, form: Form, text: str) -> None:
    """Print `value` as JSON, or `text`, as asked."""
    if form is Form.JSON:
        click.echo(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())
    elif text:
        click.echo(text)


def emit_rows(values: Sequence[object], form: Form, rows: Sequence[Sequence[object]]) -> None:
    """Print `values` as a JSON list, or `rows` as lines with tabs between the fields."""
    emit(values, form, "\n".join("\t".join(map(shown, row)) for row in rows))


def shown(value: object) -> str:
    """A field as text: nothing for None, instants to the second, no tabs or line ends inside."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds").replace("+00:00", "Z")
    return " ".join(str(value).split())
