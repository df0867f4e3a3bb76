"""`acta worker`."""

import click

from registry.cli.configuration import keep_private, load_settings


@click.command()
@click.option("--until-idle", is_flag=True, help="Stop when no job is due.")
def worker(until_idle: bool) -> None:
    """Work off queued jobs until stopped (SIGTERM finishes the job in hand).

    Several workers may run at once, on several machines: none runs another's job. Example: acta worker --until-idle
    """
    from registry.http.logs import configure_logs
    from registry.installation import open_units
    from registry.jobs.worker import Worker

    keep_private()
    settings = load_settings()
    configure_logs(None)
    running = Worker(open_units(settings), settings)
    running.stop_on_signals()
    if until_idle:
        click.echo(f"{running.run_until_idle()} jobs")
    else:
        running.run()
