import json
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import MetaData, Uuid, insert, inspect, text

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


LONG_WRITTEN_OUT = "\ufdfa" * 100
"""100 characters that stand for 18 letters each."""


def test_models_whose_names_look_alike_are_migrated_up_down_and_up_and_keep_keys_of_their_own(database_url, database):
    upgrade(database_url, "0005")
    composed, decomposed = "Cr\u00e9dit", "Cre\u0301dit"
    ids = insert_models(database, ["Credit", "credit", "CREDIT", composed, decomposed, LONG_WRITTEN_OUT])
    upgrade(database_url)
    keys = name_keys(database)
    assert keys["Credit"] == "credit"
    assert (keys["credit"], keys["CREDIT"]) == (f"credit\x1f{ids['credit']}", f"credit\x1f{ids['CREDIT']}")
    assert (keys[composed], keys[decomposed]) == ("cr\u00e9dit", f"cr\u00e9dit\x1f{ids[decomposed]}")
    assert len(keys[LONG_WRITTEN_OUT]) == 250
    downgrade(database_url, "0005")
    upgrade(database_url)
    assert name_keys(database) == keys


def test_models_registered_before_risk_was_versioned_get_the_most_careful_answers(database_url, database):
    upgrade(database_url, "0009")
    insert_models(database, ["credit-default"], {"affects_persons": True, "financial_impact": "high"})
    upgrade(database_url)
    careful = {"decision_autonomy": "decides alone", "reversibility": "not", "legal_domain": "not stated"}
    with database.engine.connect() as connection:
        model = connection.execute(text("SELECT risk_profile, risk_revision FROM acta_registered_model")).one()
        state = connection.execute(text("SELECT number, answers, tier, reason, policy_id FROM acta_risk")).one()
    profile = json.loads(model.risk_profile) if isinstance(model.risk_profile, str) else model.risk_profile
    answers = json.loads(state.answers) if isinstance(state.answers, str) else state.answers
    assert profile == answers == {"affects_persons": True, "financial_impact": "high"} | careful
    assert (model.risk_revision, state.number, state.tier, state.policy_id) == (1, 1, "low", None)
    assert "most careful answer" in state.reason
    downgrade(database_url, "0009")
    with database.engine.connect() as connection:
        profile = connection.execute(text("SELECT risk_profile FROM acta_registered_model")).scalar_one()
    profile = json.loads(profile) if isinstance(profile, str) else profile
    assert profile == {"affects_persons": True, "financial_impact": "high"}


def insert_models(database: Database, names: list[str], profile: dict[str, object] | None = None) -> dict[str, UUID]:
    """Models of these names, each a second older than the next, by the columns of migration 0005."""
    somebody, ids, start = uuid4(), {name: uuid4() for name in names}, datetime(2026, 1, 1, tzinfo=UTC)
    tables = MetaData()
    with database.engine.connect().execution_options(acta_mode=Mode.WRITE.value) as connection:
        tables.reflect(connection, only=["acta_actor", "acta_registered_model"])
        actor, model = tables.tables["acta_actor"], tables.tables["acta_registered_model"]
        actor.c.id.type = model.c.id.type = model.c.owner_id.type = model.c.created_by.type = Uuid()
        connection.execute(insert(actor).values(id=somebody, kind="person", name="somebody", created_at=start))
        for seconds, name in enumerate(names):
            values = {
                "id": ids[name],
                "name": name,
                "team": "risk",
                "owner_id": somebody,
                "purpose": "Scores.",
                "risk_profile": profile or {},
                "risk_tier": "low",
                "revision": 1,
                "created_at": start + timedelta(seconds=seconds),
                "created_by": somebody,
            }
            if "name_key" in model.c:
                values["name_key"] = name
            connection.execute(insert(model).values(values))
        connection.commit()
    return ids


def name_keys(database: Database) -> dict[str, str]:
    with database.engine.connect() as connection:
        rows = connection.execute(text("SELECT name, name_key FROM acta_registered_model"))
        return {row.name: row.name_key for row in rows}


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
        units.log.append(session.connection(), [Draft("acta", "job.cancelled", "test", "1", {})], datetime.now(UTC))
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
        unit.record(None, "job.cancelled", "1", {"reason": Committed("because")})
    with database.engine.connect() as connection, pytest.raises(Exception, match="acta_log"):
        connection.execute(text(statement))
        connection.commit()
    database.dispose()
