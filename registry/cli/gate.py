"""`acta gate`, `acta attest`, `acta answers`, `acta waive`."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import click

from registry.cli.arguments import DAYS, REFERENCE, VERSION
from registry.cli.connection import with_client
from registry.cli.output import Form, emit, emit_rows, json_option

if TYPE_CHECKING:
    from uuid import UUID

    from registry.client import Client
    from registry.client.answers import AnswerWord, Gate, Reference

STAGES = click.Choice(["development", "staging", "production", "archived"])


@click.command()
@click.argument("model")
@click.argument("number", metavar="VERSION", type=VERSION)
@click.option("--target", "target_stage", type=STAGES, default="production", show_default=True, help="Stage to enter.")
@click.option("--run-checks", is_flag=True, help="Run the automatic checks first, and wait for them.")
@json_option
@with_client
def gate(client: "Client", model: str, number: int, target_stage: str, run_checks: bool, form: Form) -> None:
    """Show what VERSION of MODEL must show before it may enter a stage, and how each item stands.

    Exit status: 0 met, 1 not met, 2 bad input, 3 could not ask. For pipelines: it asks and changes nothing.

    Example: acta gate credit-default 1 --target production
    """
    if run_checks:
        client.wait_for_job(client.run_checks(model, number).id)
    found = client.gate(model, number, target_stage)
    emit(found, form, gate_text(found))
    if not found.met:
        raise SystemExit(1)


def gate_text(gate: "Gate") -> str:
    """One line for each item: state, id, why it stands so, what to do and who can do it."""
    lines = []
    for checklist in gate.checklists:
        for item in checklist.items:
            who = f" ({', '.join(item.who)})" if item.who and not item.met else ""
            words = item.reason if item.met else f"{item.reason} {item.remedy}".strip()
            lines.append(f"{item.state}\t{checklist.id}/{item.id}\t{words}{who}")
    lines += [
        f"{found.state}\tfinding/{found.id}\t{found.title} ({found.severity}). {found.reason}"
        for found in gate.findings
    ]
    for approval in gate.approvals:
        state = "given" if approval.met else "missing"
        lines.append(f"{state}\tapproval/{approval.role}\t{len(approval.given)} of {approval.needed}")
    policy = f"policy {gate.policy_name} {gate.policy_version}, risk tier {gate.risk_tier}"
    lines.append(f"{'met' if gate.met else 'not met'}\tgate/{gate.target_stage}\t{policy}")
    return "\n".join(lines)


@click.command()
@click.argument("model")
@click.argument("number", metavar="VERSION", type=VERSION)
@click.argument("item")
@click.option(
    "--answer",
    type=click.Choice(["yes", "no", "not applicable"]),
    default="yes",
    show_default=True,
    help="Your answer.",
)
@click.option("--reason", required=True, help="Why: people read it years later.")
@click.option("--evidence", help="A link, or where to look.")
@click.option(
    "--rests-on",
    "references",
    multiple=True,
    type=REFERENCE,
    help="Evidence of this version: document=ID, assessment=ID or check-result=ID.",
)
@json_option
@with_client
def attest(
    client: "Client",
    model: str,
    number: int,
    item: str,
    answer: "AnswerWord",
    reason: str,
    evidence: str | None,
    references: "tuple[Reference, ...]",
    form: Form,
) -> None:
    """Answer checklist ITEM of a version, as somebody whose role may: `acta gate` shows items and roles.

    `acta answers` lists answers and takes one back.

    Example: acta attest credit-default 1 human-oversight --reason "Credit officers decide every refusal."
    """
    made = client.attest(model, number, item, answer, reason, evidence, references)
    emit(made, form, str(made.id))


@click.group()
def answers() -> None:
    """List the answers to a version's checklist items, and take one back."""


@answers.command("list")
@click.argument("model")
@click.argument("number", metavar="VERSION", type=VERSION)
@json_option
@with_client
def list_answers(client: "Client", model: str, number: int, form: Form) -> None:
    """Print the answers, the newest first: id, item, answer, when, reason, and when it was taken back.

    Example: acta answers list credit-default 1
    """
    found = client.attestations(model, number)
    rows = [(row.id, row.item, row.answer, row.attested_at, row.reason, row.withdrawn_at) for row in found]
    emit_rows(found, form, rows)


@answers.command("withdraw")
@click.argument("model")
@click.argument("number", metavar="VERSION", type=VERSION)
@click.argument("answer_id", metavar="ANSWER", type=click.UUID)
@click.option("--reason", required=True, help="Why it holds no longer.")
@json_option
@with_client
def withdraw_answer(client: "Client", model: str, number: int, answer_id: "UUID", reason: str, form: Form) -> None:
    """Take your ANSWER back, by the id that `acta attest` printed; what rests on it becomes stale.

    Example: acta answers withdraw credit-default 1 0b0e1c9e-6f0e-4f7e-9d0a-0d6d3c1f2a11 --reason "The process changed."
    """
    taken_back = client.withdraw_attestation(model, number, answer_id, reason)
    click.echo(f"the answer to {taken_back.item} is taken back", err=True)
    emit(taken_back, form, str(taken_back.id))


@click.command()
@click.argument("model")
@click.argument("number", metavar="VERSION", type=VERSION)
@click.argument("item")
@click.option("--reason", required=True, help="Why the exception is right.")
@click.option("--measure", required=True, help="What is done instead while it lasts.")
@click.option("--days", type=DAYS, default=30, show_default=True, help="How long it lasts.")
@json_option
@with_client
def waive(
    client: "Client", model: str, number: int, item: str, reason: str, measure: str, days: int, form: Form
) -> None:
    """Grant a dated exception to checklist ITEM of a version, in the role that the policy names for it.

    Example: acta waive credit-default 1 bias-assessed --reason "..." --measure "Manual review under 30" --days 60
    """
    until = datetime.now(UTC) + timedelta(days=days)
    granted = client.waive(model, number, item, reason=reason, compensating_measure=measure, expires_at=until)
    click.echo(f"{item} is waived until {granted.expires_at:%Y-%m-%d %H:%M} UTC", err=True)
    emit(granted, form, str(granted.id))
