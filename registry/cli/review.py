"""`acta review`: on a promotion request, and of versions in production."""

from typing import TYPE_CHECKING

import click

from registry.cli.arguments import VERSION
from registry.cli.configuration import keep_private, load_settings
from registry.cli.connection import with_client
from registry.cli.output import Form, emit, emit_rows, json_option
from registry.cli.promote import review as decide

if TYPE_CHECKING:
    from registry.client import Client

DECIDING = "decide"


class ReviewGroup(click.Group):
    """Takes `acta review REQUEST ...` for `acta review decide REQUEST ...`."""

    def parse_args(self, context: click.Context, arguments: list[str]) -> list[str]:
        """Arguments whose first word names none of the commands are those of a decision."""
        if arguments and arguments[0] not in {*self.commands, *context.help_option_names}:
            arguments = [DECIDING, *arguments]
        return super().parse_args(context, arguments)


@click.group(cls=ReviewGroup)
def review() -> None:
    """Decide on a promotion request, and look after what versions in production rest on.

    `acta review REQUEST ...` is short for `acta review decide REQUEST ...`.
    """


review.add_command(decide, DECIDING)


@review.command()
@click.option("--days", type=click.IntRange(0, 3650), default=30, show_default=True, help="How far to look ahead.")
@json_option
@with_client
def due(client: "Client", days: int, form: Form) -> None:
    """Print what has lapsed of versions in production, and what will: when, state, model, version, item, what follows.

    Example: acta review due --days 90
    """
    found = client.reviews_due(days)
    rows: list[tuple[object, ...]] = []
    for one in found:
        for lapse in one.lapsed:
            follows = f"{lapse.then_stage} from {lapse.move_at:%Y-%m-%d}" if lapse.move_at else "stays"
            rows.append((lapse.since, "lapsed", one.model, one.version, lapse.requirement, follows))
        rows += [(ahead.at, "lapses", one.model, one.version, ahead.requirement, ahead.reason) for ahead in one.coming]
    emit_rows(found, form, rows)


@review.command()
@click.argument("model")
@click.argument("number", metavar="VERSION", type=VERSION)
@click.option("--reason", required=True, help="What you looked at.")
@json_option
@with_client
def confirm(client: "Client", model: str, number: int, reason: str, form: Form) -> None:
    """Let VERSION of MODEL stay in production for another period of the policy, after looking at it again.

    Example: acta review confirm credit-default 1 --reason "Drift and complaints of the year looked at."
    """
    given = client.confirm_review(model, number, reason)
    emit(given, form, str(given.id))


@review.command()
@json_option
def run(form: Form) -> None:
    """Look now at all versions in production and open findings, on the server's own machine: for cron.

    Flags what has lapsed, tells its owners, moves versions whose grace is over, escalates findings that are overdue.
    `acta worker` does the same every hour; both may run. On a quiet day nothing is written.

    It reads the database itself: ACTA_URL and ACTA_TOKEN are of no use to it.

    Example: acta review run
    """
    from registry.installation import open_units
    from registry.lapses.jobs import look

    keep_private()
    tally = look(open_units(load_settings()))
    text = f"{tally.flagged} flagged, {tally.ended} met again or gone, {tally.moved} moved, {tally.escalated} escalated"
    emit(tally, form, text)
