"""The `acta` command. Each command's module is loaded when it is called, so that `acta --help` answers at once.

Standard output is data, standard error is talk. Exit status: 0 yes, 1 no (a gate, a verification), 2 wrong usage or
bad input, 3 could not do or check it.
"""

import importlib
import sys
from collections.abc import Mapping

import click

COMMANDS: Mapping[str, tuple[str, str]] = {
    "demo": ("registry.cli.demo:demo", "Run the whole story on real data: from training to a verified, signed card."),
    "doctor": ("registry.cli.doctor:doctor", "Check this machine and this installation; say what is missing."),
    "serve": ("registry.cli.serve:serve", "Start the HTTP server and a worker."),
    "worker": ("registry.cli.worker:worker", "Work off queued jobs until stopped."),
    "database": ("registry.cli.database:database", "Migrate the database and show its revision."),
    "settings": ("registry.cli.settings:settings", "Print the settings in force, secrets masked."),
    "actor": ("registry.cli.access:actor", "Add, list and retire persons and machines."),
    "role": ("registry.cli.access:role", "Grant, list and revoke roles."),
    "token": ("registry.cli.access:token", "Create, list and revoke API tokens."),
    "register": ("registry.cli.models:register", "Register a model version from an MLflow run or a folder."),
    "model": ("registry.cli.model:model", "List, show and edit registered models."),
    "document": ("registry.cli.documents:document", "Add, list and sign off documents of a version."),
    "assess": ("registry.cli.assess:assess", "Run a bias assessment of a version on predictions."),
    "attest": ("registry.cli.gate:attest", "Answer a checklist item."),
    "answers": ("registry.cli.gate:answers", "List the answers to checklist items, and take one back."),
    "waive": ("registry.cli.gate:waive", "Grant a dated exception to a checklist item."),
    "plan": ("registry.cli.plan:plan", "State, show and try the monitoring plan of a version."),
    "gate": ("registry.cli.gate:gate", "Show what a version must still show before it may move."),
    "promote": ("registry.cli.promote:promote", "Ask for a promotion, or execute an approved one."),
    "review": ("registry.cli.review:review", "Decide on a promotion request; look at what is due in production."),
    "finding": ("registry.cli.finding:finding", "Open, remediate, close and list findings on versions."),
    "policy": ("registry.cli.policy:policy", "Validate, test, compare, show and activate policies."),
    "comment": ("registry.cli.rollback:comment", "Say something about a promotion request."),
    "rollback": ("registry.cli.rollback:rollback", "Go back to the version that was in production before, at once."),
    "rollbacks": ("registry.cli.rollback:rollbacks", "List emergency rollbacks, and review them afterwards."),
    "delegate": ("registry.cli.delegates:delegate", "Name a delegate, and hand over a leaver's open work."),
    "card": ("registry.cli.card:card", "Render, download and verify model cards."),
    "webhook": ("registry.cli.webhook:webhook", "Add, list, try and remove addresses that hear of events."),
    "notifications": ("registry.cli.webhook:notifications", "Choose where you are told of events, and of which not."),
    "job": ("registry.cli.job:job", "List, show, cancel and replay jobs."),
    "audit": ("registry.cli.audit:audit", "Verify the audit log and take checkpoints home."),
}
"""Name of each command -> where it is, and its line in `acta --help`."""


class LazyGroup(click.Group):
    """A group that knows its commands' names and lines, and loads only the one that is called."""

    def list_commands(self, _context: click.Context) -> list[str]:
        """Names, in the order in which a newcomer needs them."""
        return list(COMMANDS)

    def get_command(self, _context: click.Context, name: str) -> click.Command | None:
        """Load a command."""
        if name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[name][0].partition(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def format_commands(self, _context: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of commands, without loading any."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="acta-registry", prog_name="acta")
def acta() -> None:
    """Acta: a model registry whose record anybody can check.

    Start with `acta demo`. Your own installation: `acta database upgrade`, then `acta serve`.
    Client commands read ACTA_URL and ACTA_TOKEN.

    Exit status: 0 yes, done; 1 no (a gate that is not met, a log that does not verify); 2 wrong usage or bad input;
    3 it could not be done, or not by you, or not now.
    """


def main() -> None:
    """Run the command; an expected failure is one line and an exit status, never a traceback."""
    from registry.errors import ActaError, InvalidInputError

    try:
        status: object = acta(standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as help_wanted:
        help_wanted.show()
        sys.exit(help_wanted.exit_code)
    except click.ClickException as error:
        click.echo(f"acta: {_in_one_line(error)}", err=True)
        sys.exit(error.exit_code)
    except click.Abort:
        click.echo("acta: stopped.", err=True)
        sys.exit(1)
    except InvalidInputError as error:
        click.echo(f"acta: {error}", err=True)
        sys.exit(2)
    except ActaError as error:
        click.echo(f"acta: {error}", err=True)
        sys.exit(3)
    sys.exit(status if isinstance(status, int) else 0)


def _in_one_line(error: click.ClickException) -> str:
    """What is wrong, without the line ends of click's lists of choices; after wrong usage also where to look."""
    sentence = " ".join(error.format_message().split())
    if not isinstance(error, click.UsageError) or error.ctx is None:
        return sentence
    return f"{sentence} Try '{error.ctx.command_path} --help'."
