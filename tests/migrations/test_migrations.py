from datetime import UTC, datetime

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import MetaData, inspect, text

from audit.entry import Draft
from audit.keys import Ed25519Signer
from audit.log import Log
from registry.access.tables import ActorRow
from registry.database import Database, Mode, current_revision, downgrade, head_revision, upgrade
from registry.tables import METADATA
from registry.unit import Committed, Units

ORIGIN = "acta.example/log"

LOG_TRIGGERS = {
    "acta_log_checkpoint_no_delete",
    "acta_log_checkpoint_no_update",
    "acta_log_checkpoint_order",
    "acta_log_entry_no_delete",
    "acta_log_entry_no_update",
    "acta_log_entry_order",
    "acta_log_text_no_update",
    "acta_log_text_order",
    "acta_log_tile_no_delete",
    "acta_log_tile_no_update",
    "acta_log_tile_order",
}


def triggers(database: Database) -> set[str]:
    query = (
        "SELECT name FROM sqlite_master WHERE type = 'trigger'"
        if database.is_sqlite
        else "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal"
    )
    with database.engine.connect() as connection:
        return set(connection.execute(text(query)).scalars())


@pytest.fixture
def database(database_url):
    opened = Database(database_url)
    yield opened
    opened.dispose()


def units_on(database: Database) -> Units:
    return Units(database, Log(ORIGIN, Ed25519Signer.of_seed(ORIGIN, bytes(32))))


def test_migrating_up_down_and_up_over_rows_gives_the_same_schema(database_url, database):
    upgrade(database_url)
    assert current_revision(database) == head_revision()
    before = schema(database)
    with database.transaction(Mode.WRITE) as session:
        session.add(ActorRow(kind="person", name="somebody", created_at=datetime.now(UTC)))
        session.commit()
    downgrade(database_url, "base")
    with database.engine.connect() as connection:
        left = {name for name in inspect(connection).get_table_names() if name.startswith("acta_")}
    assert left <= {"acta_alembic_version"}
    assert triggers(database) == set()
    upgrade(database_url)
    assert schema(database) == before


def schema(database: Database) -> dict[str, list[str]]:
    with database.engine.connect() as connection:
        inspector = inspect(connection)
        return {
            table: sorted(str(column["name"]) for column in inspector.get_columns(table))
            + sorted(str(index["name"]) for index in inspector.get_indexes(table))
            for table in inspector.get_table_names()
        }


def test_the_migrated_schema_is_the_tables_schema(migrated_url):
    database = Database(migrated_url)
    merged = MetaData()
    for metadata in METADATA:
        for table in metadata.tables.values():
            table.to_metadata(merged)
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": "acta_alembic_version"})
        assert compare_metadata(context, merged) == []
    database.dispose()


def test_the_triggers_that_keep_the_log_are_there_after_all_migrations(migrated_url):
    database = Database(migrated_url)
    assert triggers(database) == LOG_TRIGGERS
    database.dispose()


def test_a_downgrade_that_would_drop_entries_of_the_log_refuses(database_url, database):
    upgrade(database_url)
    units = units_on(database)
    with database.transaction(Mode.WRITE) as session:
        units.log.append(session.connection(), [Draft("acta", "test.made", "test", "1", {})], datetime.now(UTC))
        session.commit()
    with pytest.raises(RuntimeError, match="would drop the entries"):
        downgrade(database_url, "base")
    with database.engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM acta_log_entry")).scalar() == 1


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE acta_log_entry SET actor = 'somebody else'",
        "DELETE FROM acta_log_entry",
        "UPDATE acta_log_checkpoint SET note = ''",
        "DELETE FROM acta_log_checkpoint",
        "UPDATE acta_log_text SET text = 'other'",
        "INSERT INTO acta_log_entry SELECT sequence + 2, time, actor, action, subject_kind, subject_id, leaf, leaf_hash"
        " FROM acta_log_entry",
        "INSERT INTO acta_log_entry SELECT sequence, time, actor, action, subject_kind, subject_id, leaf, leaf_hash"
        " FROM acta_log_entry",
    ],
)
def test_the_database_refuses_to_rewrite_the_log(migrated_url, statement):
    database = Database(migrated_url)
    units = units_on(database)
    with units.writing() as unit:
        unit.record(None, "test.made", "1", {"reason": Committed("because")})
    with database.engine.connect() as connection, pytest.raises(Exception, match="acta_log"):
        connection.execute(text(statement))
        connection.commit()
    database.dispose()
