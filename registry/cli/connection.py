"""How commands reach a server: ACTA_URL and ACTA_TOKEN, or `--url` and `--token-file`. Never a token on the command
line, where every user of the machine could read it.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Concatenate, ParamSpec

import click

from registry.errors import UnavailableError

if TYPE_CHECKING:
    from uuid import UUID

    from registry.client import Client
    from registry.client.answers import Actor

Arguments = ParamSpec("Arguments")

DEFAULT_URL = "http://127.0.0.1:8700"
BAD_INPUT = frozenset({400, 404, 413, 415, 422})
"""Statuses that say that what was asked for is wrong; all others say that it could not be done now, or not by you."""


def with_client(command: Callable[Concatenate["Client", Arguments], None]) -> Callable[Arguments, None]:
    """Give a command `--url` and `--token-file`, and a client as its first argument.

    Exit status 2 for what the server calls bad input, 3 for all else that it, or the network, does not do.
    """

    @wraps(command)
    def run(*arguments: Arguments.args, **named: Arguments.kwargs) -> None:
        url, token_file = named.pop("url"), named.pop("token_file")
        assert isinstance(url, str)
        assert token_file is None or isinstance(token_file, Path)
        with connected(url, token_file) as client:
            command(client, *arguments, **named)

    options = (
        click.option("--url", envvar="ACTA_URL", default=DEFAULT_URL, show_default=True, help="Server. Or: ACTA_URL."),
        click.option(
            "--token-file",
            type=click.Path(exists=True, dir_okay=False, path_type=Path),
            help="File that holds your API token. Or: ACTA_TOKEN.",
        ),
    )
    # Click collects options from the innermost decorator outwards.
    for option in options:
        run = option(run)
    return run


@contextmanager
def connected(url: str, token_file: Path | None) -> Iterator["Client"]:
    """A client; what the server refuses becomes one line and an exit status."""
    from registry.client import ApiError, Client

    try:
        with Client(url, _token(token_file)) as client:
            yield client
    except ApiError as error:
        click.echo(f"acta: {error}", err=True)
        raise SystemExit(2 if error.status in BAD_INPUT else 3) from None


def _token(token_file: Path | None) -> str:
    if token_file is None:
        token = os.environ.get("ACTA_TOKEN", "")
    else:
        token = token_file.read_text(encoding="utf-8", errors="replace")
    token = token.strip()
    if not token:
        raise UnavailableError(
            "There is no API token.", "Set ACTA_TOKEN, or name a file with --token-file; `acta token create` makes one."
        )
    if not token.isascii() or not token.isprintable() or " " in token:
        raise UnavailableError(
            "The API token is not one of Acta's.", "Copy it whole, alone, from what `acta token create` printed."
        )
    return token


def actor_named(client: "Client", name_or_id: str) -> "Actor":
    """The actor with that name or id.

    Raises:
        click.UsageError: there is none.
    """
    found = next((actor for actor in client.actors() if name_or_id in {actor.name, str(actor.id)}), None)
    if found is None:
        raise click.UsageError(f"There is no actor {name_or_id!r}; `acta actor list` shows who is known.")
    return found


def actor_id(client: "Client", name_or_id: str) -> "UUID":
    """The id of the actor with that name or id. An id is taken as it is: not everybody may list who is known.

    Raises:
        click.UsageError: there is no such name.
    """
    from uuid import UUID

    try:
        return UUID(name_or_id)
    except ValueError:
        return actor_named(client, name_or_id).id
