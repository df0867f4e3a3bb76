"""`acta demo`."""

import signal
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from rich.console import Console

    from registry.demo.directory import DemoDirectory
    from registry.demo.server import DemoServer


@click.command()
@click.option(
    "--directory",
    type=click.Path(path_type=Path),
    default=Path("acta-demo"),
    show_default=True,
    help="Where it keeps what it makes. Its own from an earlier run is wiped; any other is refused.",
)
@click.option("--serve", is_flag=True, help="Leave the server running afterwards; Ctrl-C stops it.")
def demo(directory: Path, serve: bool) -> None:
    """Run the whole story on real data: from training to a verified, signed model card.

    It starts a server of its own on a free port of this machine, and does each step over its HTTP API, printing the
    command that does the same by hand. Exit status: 0 all held, 1 something did not, 2 bad input, 3 could not run.

    Example: acta demo --directory /tmp/acta-demo --serve
    """
    from rich.console import Console

    from registry.demo.ahead import training_ahead
    from registry.demo.directory import claimed

    began = time.monotonic()
    # Also where something else than Ctrl-C ends this command, it takes its server along.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    console = Console(highlight=False)
    _require_machine(console)
    with claimed(directory) as own, training_ahead(own.training) as ahead, _shown_starting(console, own) as server:
        from registry.demo.server import wait_for_interrupt
        from registry.demo.story import tell_story

        told = tell_story(console, own, server, ahead)
        console.print(f"Done in {time.monotonic() - began:.0f} s, the server's start included.")
        if serve:
            console.print(f"The server goes on at {server.url}; Ctrl-C stops it.", markup=False)
            console.print(f"Sign in with the token in {own.tokens / 'auditor'}.", markup=False, soft_wrap=True)
            wait_for_interrupt(server)
    console.print("The server has stopped." if serve else "The server has stopped; --serve leaves it running.")
    if not told.held:
        click.echo("acta: something did not hold; the steps above say what.", err=True)
        raise SystemExit(1)


@contextmanager
def _shown_starting(console: "Console", own: "DemoDirectory") -> "Iterator[DemoServer]":
    from registry.demo.server import running

    with ExitStack() as stack:
        with console.status("Migrating a database and starting a server"):
            server = stack.enter_context(running(own))
        yield server


def _require_machine(console: "Console") -> None:
    """The doctor comes first, so that nobody meets a traceback for a library that the system lacks."""
    from registry.diagnosis import diagnose_machine

    with console.status("Looking at this machine (acta doctor)"):
        missing = [finding for finding in diagnose_machine() if not finding.ok]
    for finding in missing:
        click.echo(f"acta: {finding.what}: {finding.detail}", err=True)
        for line in (finding.remedy or "").splitlines():
            click.echo(f"  {line}", err=True)
    if missing:
        raise SystemExit(3)
