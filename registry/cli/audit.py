"""`acta audit`."""

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import click

from registry.cli.configuration import load_settings
from registry.cli.connection import DEFAULT_URL
from registry.errors import InvalidInputError, UnavailableError

if TYPE_CHECKING:
    from audit.verification import Verification

KEPT = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group()
def audit() -> None:
    """Verify the audit log and take checkpoints home."""


@audit.command()
@click.argument("source", required=False)
@click.option("--from-checkpoint", type=KEPT, help="A checkpoint that was kept outside.")
@click.option("--key", "key_text", help="The log's verifier key (name+hash+base64). [default: this installation's]")
@click.option(
    "--token-file",
    type=click.File("r"),
    help="For an http(s) SOURCE: a file that holds an API token. Or, where SOURCE is ACTA_URL: ACTA_TOKEN.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def verify(
    source: str | None, from_checkpoint: Path | None, key_text: str | None, token_file: TextIO | None, as_json: bool
) -> None:
    """Check the whole log of SOURCE: a database file or URL, an exported folder, or a server's http(s) address.

    Without SOURCE: this installation's own database. Exit status: 0 verified, 1 not, 2 wrong usage, 3 could not check.

    Example: acta audit verify acta.db --key "$KEY" --from-checkpoint kept/checkpoint
    """
    from registry.cli.progress import counting
    from registry.evidence.verification import own_key, parse_key, verify_log
    from registry.installation import has_log_key

    settings = load_settings()
    if key_text is None and not has_log_key(settings):
        raise click.UsageError("This machine has no installation whose key could be meant: give the log's with --key.")
    key = own_key(settings) if key_text is None else parse_key(key_text)
    outside = None if from_checkpoint is None else from_checkpoint.read_text(encoding="utf-8", errors="replace")
    token = _token_for(source or "") if token_file is None else token_file.read().strip()
    with counting("Verifying entries") as progress:
        found = verify_log(source or settings.database, key, outside, token, progress)
    _print(found, as_json)
    if not found.verified:
        raise SystemExit(1)


def _token_for(source: str) -> str | None:
    """ACTA_TOKEN, which goes to the server that it is for and to no other."""
    server = os.environ.get("ACTA_URL", DEFAULT_URL)
    return os.environ.get("ACTA_TOKEN") if source.rstrip("/") == server.rstrip("/") else None


def _print(found: "Verification", as_json: bool) -> None:
    if as_json:
        shown = {
            "verified": found.verified,
            "entries": found.entries,
            "checkpoints": found.checkpoints,
            "root": None if found.root is None else found.root.hex(),
            "first_bad_entry": found.first_bad_entry,
            "problems": [problem.sentence for problem in found.problems],
            "not_shown": found.not_shown,
        }
        click.echo(json.dumps(shown, indent=2))
        return
    if found.verified:
        click.echo(f"VERIFIED: {found.entries} entries, {found.checkpoints} checkpoints, root {_hex(found.root)}")
        click.echo(f"{found.texts} texts fit their commitments, {found.texts_absent} are erased or withheld.")
    else:
        click.echo(f"NOT VERIFIED: {found.problems[0].sentence}")
        for problem in found.problems[1:10]:
            click.echo(f"  also: {problem.sentence}")
        if found.problem_count > 10:
            click.echo(f"  and {found.problem_count - 10} more")
    click.echo(found.not_shown, err=True)


def _hex(root: bytes | None) -> str:
    return "none" if root is None else root.hex()


@audit.command()
def key() -> None:
    """Print this log's verifier key, for auditors to keep.

    Example: acta audit key > acta-log.key.pub
    """
    from registry.evidence.verification import own_key

    click.echo(str(own_key(load_settings())))


@audit.command()
@click.option("--save", type=click.Path(path_type=Path), help="Write it to a new file instead of standard output.")
def checkpoint(save: Path | None) -> None:
    """Print the newest signed checkpoint. Kept outside, it lets `verify --from-checkpoint` catch a rebuilt log.

    Example: acta audit checkpoint --save kept/checkpoint
    """
    from audit.reads import latest_checkpoint
    from registry.database import Mode
    from registry.installation import open_database

    database = open_database(load_settings())
    with database.transaction(Mode.READ) as session:
        latest = latest_checkpoint(session.connection())
    database.dispose()
    if latest is None:
        click.echo("The log has no entries yet.", err=True)
        raise SystemExit(3)
    if save is None:
        click.echo(latest.note, nl=False)
        return
    try:
        save.parent.mkdir(parents=True, exist_ok=True)
        with save.open("x", encoding="utf-8") as file:
            file.write(latest.note)
    except FileExistsError:
        click.echo(f"acta: {save} exists already: a kept checkpoint is never overwritten; name a new file.", err=True)
        raise SystemExit(2) from None
    except OSError as error:
        click.echo(f"acta: {save} cannot be written ({error.strerror}): name another file.", err=True)
        raise SystemExit(2) from None
    click.echo(f"checkpoint of {latest.checkpoint.size} entries saved to {save}", err=True)


@audit.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def reconcile(as_json: bool) -> None:
    """Compare this installation's tables with the rows that its log implies; name each difference.

    It finds what somebody changed, added or removed behind the log's back, and believes the log: verify that first.
    Exit status: 0 no difference, 1 some, 3 could not compare.

    Example: acta audit verify && acta audit reconcile
    """
    from dataclasses import asdict

    from audit.reads import latest_checkpoint
    from registry.cli.progress import counting
    from registry.database import Mode
    from registry.installation import open_database
    from registry.reconcile.comparison import differences, implied_by, reads_of
    from registry.reconcile.replayed import DERIVED, REPLAYED

    database = open_database(load_settings())
    count = 0
    try:
        with database.transaction(Mode.READ) as session:
            connection = session.connection()
            latest = latest_checkpoint(connection)
            entries = 0 if latest is None else latest.checkpoint.size
            with counting("Replaying entries") as progress:
                implied = implied_by(reads_of(connection, lambda done: progress(done, max(entries, done))))
            for difference in differences(connection, implied):
                count += 1
                click.echo(json.dumps(asdict(difference)) if as_json else difference.sentence)
    finally:
        database.dispose()
    rows = sum(len(table) for table in implied.rows.values())
    if implied.erased:
        click.echo(f"{implied.erased} values were not compared: the texts behind them are erased.", err=True)
    found = "no difference" if count == 0 else "1 difference" if count == 1 else f"{count} differences"
    click.echo(
        f"{found}: {implied.entries} entries imply {rows} rows in {len(REPLAYED)} tables; {len(DERIVED)} tables and "
        "some columns do not follow from the log (docs/verify.md).",
        err=True,
    )
    if count:
        raise SystemExit(1)


@audit.command()
@click.option("--json", "as_json", is_flag=True, help="As JSON Schema of a leaf, for programs.")
def actions(as_json: bool) -> None:
    """Print every action that the log may hold, with its fields.

    Example: acta audit actions --json > audit-actions.schema.json
    """
    from registry.actions.schema import vocabulary_page, vocabulary_schema

    click.echo(vocabulary_schema().decode() if as_json else vocabulary_page(), nl=False)


@audit.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--with-texts", is_flag=True, help="Also the texts that entries only name by a salted hash.")
def export(folder: Path, with_texts: bool) -> None:
    """Write this installation's log into a new FOLDER that any tlog client reads, on a disk or from a web server.

    Example: acta audit export log-2026-11 --with-texts
    """
    from audit.errors import NotInLogError
    from audit.export import export_log
    from registry.cli.progress import counting
    from registry.database import Mode
    from registry.evidence.verification import own_key
    from registry.installation import open_database

    settings = load_settings()
    key = own_key(settings)
    database = open_database(settings)
    try:
        with database.transaction(Mode.READ) as session, counting("Writing tiles") as progress:
            size = export_log(session.connection(), folder, key, with_texts=with_texts, progress=progress)
    except NotInLogError as error:
        raise UnavailableError(str(error)) from error
    except FileExistsError:
        raise InvalidInputError("FOLDER", str(folder), "there is something of that name; name a new folder") from None
    except OSError as error:
        raise InvalidInputError("FOLDER", str(folder), f"it cannot be written ({error.strerror})") from error
    finally:
        database.dispose()
    click.echo(f"exported {size} entries to {folder}; the log's verifier key is {key}", err=True)
