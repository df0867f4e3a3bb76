"""`acta database`."""

import click

from registry.cli.configuration import keep_private, load_settings


@click.group()
def database() -> None:
    """Migrate the database and show its revision."""


@database.command()
def upgrade() -> None:
    """Migrate the database to the newest revision; the role of ACTA_DATABASE_OWNER_URL does it where that is set.

    Example: acta database upgrade
    """
    from registry.database import Database, current_revision
    from registry.database import upgrade as migrate

    keep_private()
    settings = load_settings()
    migrate(settings.owner_database)
    if settings.owner_database != settings.database:
        from registry.privileges import grant_to_service

        grant_to_service(settings.owner_database, settings.database)
    opened = Database(settings.database)
    click.echo(f"database at revision {current_revision(opened)}")
    opened.dispose()


@database.command()
def status() -> None:
    """Show the database's revision and the newest one. Exit status: 0 up to date, 1 not.

    Example: acta database status
    """
    from registry.database import Database, current_revision, head_revision

    opened = Database(load_settings().database)
    found, head = current_revision(opened), head_revision()
    opened.dispose()
    click.echo(f"database at revision {found or 'none'}, newest revision {head}")
    if found != head:
        click.echo("Run `acta database upgrade`.", err=True)
        raise SystemExit(1)
