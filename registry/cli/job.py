"""`acta job`."""

from itertools import islice
from typing import TYPE_CHECKING
from uuid import UUID

import click

from registry.cli.connection import with_client
from registry.cli.output import Form, emit, emit_rows, json_option, shown

if TYPE_CHECKING:
    from registry.client import Client
    from registry.client.answers import Job

STATES = click.Choice(["queued", "running", "succeeded", "dead", "cancelled"])

job_argument = click.argument("job_id", metavar="JOB", type=click.UUID)


@click.group()
def job() -> None:
    """List, show, cancel and replay jobs: assessments, checks, cards and digests that a worker makes."""


@job.command("list")
@click.option("--state", type=STATES, help="Only jobs in this state.")
@click.option("--subject", type=click.UUID, help="Only jobs about this version, assessment or card, by its id.")
@click.option("--limit", type=click.IntRange(1, 100_000), default=100, show_default=True, help="How many at most.")
@json_option
@with_client
def list_jobs(client: "Client", state: str | None, subject: UUID | None, limit: int, form: Form) -> None:
    """Print the newest jobs that you may see: id, state, kind, percent done, when asked for, last error.

    Example: acta job list --state dead
    """
    found = list(islice(client.jobs(subject, state), limit))
    rows = [(row.id, row.state, row.kind, _percent(row), row.created_at, row.error) for row in found]
    emit_rows(found, form, rows)


@job.command()
@job_argument
@json_option
@with_client
def show(client: "Client", job_id: UUID, form: Form) -> None:
    """Print how far JOB is, and what became of it.

    Example: acta job show 0b0e1c9e-6f0e-4f7e-9d0a-0d6d3c1f2a11
    """
    found = client.job(job_id)
    emit(found, form, _described(found))


@job.command()
@job_argument
@json_option
@with_client
def cancel(client: "Client", job_id: UUID, form: Form) -> None:
    """Ask for JOB to stop: at once where it waits, at its worker's next heartbeat where it runs. Print its state.

    Example: acta job cancel 0b0e1c9e-6f0e-4f7e-9d0a-0d6d3c1f2a11
    """
    asked = client.cancel_job(job_id)
    if not asked.ended:
        click.echo(f"The {asked.kind} job runs; its worker stops at its next heartbeat.", err=True)
    emit(asked, form, asked.state)


@job.command()
@job_argument
@json_option
@with_client
def replay(client: "Client", job_id: UUID, form: Form) -> None:
    """Try JOB, dead or cancelled, again from the beginning. Print its state.

    Example: acta job replay 0b0e1c9e-6f0e-4f7e-9d0a-0d6d3c1f2a11
    """
    queued = client.replay_job(job_id)
    emit(queued, form, queued.state)


def _percent(job: "Job") -> str:
    return f"{job.progress:.0%}"


def _described(job: "Job") -> str:
    result = "" if job.result is None else ", ".join(f"{name} {value}" for name, value in job.result.items())
    fields = {
        "id": job.id,
        "kind": job.kind,
        "about": job.subject_id,
        "state": job.state,
        "attempts": job.attempts,
        "done": f"{_percent(job)} {job.progress_text or ''}",
        "asked for": job.created_at,
        "ended": job.finished_at,
        "result": result,
        "error": job.error,
    }
    return "\n".join(f"{name}\t{shown(value)}" for name, value in fields.items() if shown(value))
