"""Alembic's entry: migrates the database that `registry.database` names, in one transaction a revision."""

from alembic import context
from sqlalchemy import Connection

from registry.database import Database, Mode
from registry.tables import METADATA

VERSION_TABLE = "acta_alembic_version"


def migrate(connection: Connection) -> None:
    """Run the migrations on an open connection."""
    context.configure(
        connection=connection,
        target_metadata=list(METADATA),
        version_table=VERSION_TABLE,
        render_as_batch=connection.dialect.name == "sqlite",
        transaction_per_migration=True,
        # Other programs may live in the same database: MLflow's tables are not ours to compare or to drop.
        include_name=lambda name, kind, _parents: kind != "table" or (name or "").startswith("acta_"),
    )
    with context.begin_transaction():
        context.run_migrations()


def main() -> None:
    """Connect and migrate."""
    database = Database(context.config.attributes["url"])
    try:
        with database.engine.connect().execution_options(acta_mode=Mode.WRITE.value) as connection:
            migrate(connection)
    finally:
        database.dispose()


main()
