"""`acta policy`: write, test and compare policies without a server; show and activate them on one."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

import click

from registry.cli.connection import with_client
from registry.cli.output import Form, emit, emit_rows, json_option

if TYPE_CHECKING:
    from registry.client import Client
    from registry.client.policies import PolicyChange
    from registry.policy.cases import Case
    from registry.policy.policy import Policy

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
DIRECTORY = click.Path(exists=True, file_okay=False, path_type=Path)


class BadFile(click.ClickException):
    """A policy or a case that cannot be used."""

    exit_code = 2


@click.group()
def policy() -> None:
    """Validate, test, compare, show and activate policies."""


@policy.command("schema")
def schema() -> None:
    """Print the JSON Schema of a policy file, for editors; needs no server.

    In the file's first line: # yaml-language-server: $schema=policy.schema.json

    Example: acta policy schema > policy.schema.json
    """
    from registry.policy.schema import schema_text

    click.echo(schema_text(), nl=False)


@policy.command("validate")
@click.argument("file", type=FILE)
def validate(file: Path) -> None:
    """Say whether the policy in FILE could govern, and if not, where and why; needs no server.

    Exit status: 0 it could, 1 it could not, 2 no such file.

    Example: acta policy validate policy.yaml
    """
    from registry.policy.errors import PolicyError
    from registry.policy.policy import parse

    try:
        found = parse(_text(file))
    except PolicyError as error:
        click.echo(f"acta: {file}: {error}", err=True)
        raise SystemExit(1) from None
    items, gates = len(found.items), len(found.gates)
    click.echo(f"{found.name} {found.version}: {items} items, {gates} gates, governs {found.governs}")


@policy.command("test")
@click.argument("file", type=FILE)
@click.option("--cases", type=DIRECTORY, help="Directory of the cases. [default: beside FILE, its name with -cases]")
@json_option
def test(file: Path, cases: Path | None, form: Form) -> None:
    """Hold the policy in FILE against its cases: facts in, the expected gate out; needs no server.

    Exit status: 0 all as expected, 1 some not, 2 the policy or a case cannot be used.

    Example: acta policy test policy.yaml --cases policy-cases
    """
    from registry.policy.cases import run_case

    found = _policy(file)
    results = []
    for path, case in _cases(cases or file.with_name(f"{file.stem}-cases")):
        with _refusing(path):
            results.append((path, run_case(found, case)))
    failed = [(path, result) for path, result in results if result.differences]
    told = [{"file": path.name, "case": one.case.case, "differences": list(one.differences)} for path, one in results]
    emit(told, form, "\n".join(f"not as expected\t{path.name}\t{one.case.case}" for path, one in failed))
    for _path, one in failed:
        for difference in one.differences:
            click.echo(f"{one.case.case}: {difference}", err=True)
    click.echo(f"{len(results) - len(failed)} of {len(results)} cases are as expected", err=True)
    if failed:
        raise SystemExit(1)


@policy.command("diff")
@click.argument("old", type=FILE)
@click.argument("new", type=FILE)
@json_option
def diff(old: Path, new: Path, form: Form) -> None:
    """Say in sentences what changes from the policy in OLD to the one in NEW; needs no server.

    Exit status: 0 nothing changes, 1 something does, 2 one of them cannot be used.

    Example: acta policy diff policy-1.yaml policy-2.yaml
    """
    from registry.policy.comparison import differences

    found = differences(_policy(old), _policy(new))
    emit(found, form, "\n".join(found))
    if found:
        raise SystemExit(1)


@policy.command("show")
@click.argument("name", required=False)
@click.option("--model", help="The policy that governs this model.")
@json_option
@with_client
def show(client: "Client", name: str | None, model: str | None, form: Form) -> None:
    """Print the policy NAME that is in force, as YAML; without a name, a line for each policy.

    Example: acta policy show acta-default > policy.yaml
    """
    if model is not None:
        found = client.policy_of(model)
        emit(found, form, found.text.rstrip("\n"))
        return
    every = client.policies()
    if name is None:
        rows = [(row.id, row.name, row.version, "ended" if row.ended_at else "in force", row.digest) for row in every]
        emit_rows(every, form, rows)
        return
    chosen = next((row for row in every if row.name == name and row.ended_at is None), None)
    if chosen is None:
        names = ", ".join(sorted({row.name for row in every if row.ended_at is None}))
        raise click.UsageError(f"No policy {name!r} is in force; these are: {names}.")
    emit(chosen, form, chosen.text.rstrip("\n"))


@policy.command("activate")
@click.argument("file", type=FILE)
@json_option
@with_client
def activate(client: "Client", file: Path, form: Form) -> None:
    """Let the policy in FILE govern, as an administrator; where there are two, another one confirms it.

    Example: acta policy activate policy.yaml
    """
    _policy(file)
    _tell(client.activate_policy(_text(file)), form)


@policy.command("deactivate")
@click.argument("name")
@json_option
@with_client
def deactivate(client: "Client", name: str, form: Form) -> None:
    """End the policy NAME, as an administrator; where there are two, another one confirms it.

    Example: acta policy deactivate retail
    """
    chosen = next((row for row in client.policies() if row.name == name and row.ended_at is None), None)
    if chosen is None:
        raise click.UsageError(f"No policy {name!r} is in force.")
    _tell(client.deactivate_policy(chosen.id), form)


@policy.command("proposals")
@json_option
@with_client
def proposals(client: "Client", form: Form) -> None:
    """Print what waits for a second administrator: id, kind, policy, and until when.

    Example: acta policy proposals
    """
    found = client.policy_proposals()
    rows = [(row.id, row.kind, f"{row.name} {row.version}", row.proposed_by, row.expires_at) for row in found]
    emit_rows(found, form, rows)


@policy.command("confirm")
@click.argument("proposal_id", metavar="PROPOSAL", type=click.UUID)
@json_option
@with_client
def confirm(client: "Client", proposal_id: UUID, form: Form) -> None:
    """Do what another administrator proposed.

    Example: acta policy confirm 0b0e1c9e-6f0e-4f7e-9d0a-0d6d3c1f2a11
    """
    found = client.confirm_policy(proposal_id)
    click.echo(f"the policy {found.name} {found.version} {'ended' if found.ended_at else 'governs now'}", err=True)
    emit(found, form, str(found.id))


@policy.command("withdraw")
@click.argument("proposal_id", metavar="PROPOSAL", type=click.UUID)
@json_option
@with_client
def withdraw(client: "Client", proposal_id: UUID, form: Form) -> None:
    """Take a proposal back, or refuse to confirm it.

    Example: acta policy withdraw 0b0e1c9e-6f0e-4f7e-9d0a-0d6d3c1f2a11
    """
    found = client.withdraw_policy(proposal_id)
    emit(found, form, found.state)


def _tell(change: "PolicyChange", form: Form) -> None:
    if change.policy is not None:
        done = "ended" if change.policy.ended_at else "governs now"
        click.echo(f"the policy {change.policy.name} {change.policy.version} {done}", err=True)
        emit(change, form, str(change.policy.id))
    elif change.proposal is not None:
        until = f"{change.proposal.expires_at:%Y-%m-%d}"
        words = f"proposed: another administrator confirms it by {until}: acta policy confirm {change.proposal.id}"
        click.echo(words, err=True)
        emit(change, form, str(change.proposal.id))


def _policy(file: Path) -> "Policy":
    from registry.policy.policy import parse

    with _refusing(file):
        return parse(_text(file))


def _cases(directory: Path) -> list[tuple[Path, "Case"]]:
    from registry.policy.cases import parse_cases

    if not directory.is_dir():
        raise click.UsageError(f"There are no cases at {directory}; name their directory with --cases.")
    found = []
    for path in sorted(directory.glob("*.yaml")):
        with _refusing(path):
            found += [(path, case) for case in parse_cases(_text(path))]
    if not found:
        raise click.UsageError(f"The directory {directory} holds no case (*.yaml).")
    return found


@contextmanager
def _refusing(file: Path) -> Iterator[None]:
    """Turn what is wrong with a file into one line that names it, and status 2."""
    from registry.policy.errors import PolicyError

    try:
        yield
    except PolicyError as error:
        raise BadFile(f"{file}: {error}") from None


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadFile(f"{file} cannot be read as UTF-8: {error}") from None
