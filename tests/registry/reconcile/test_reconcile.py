"""Tables against the rows that the log implies: no difference, and each edit behind the log's back by its name."""

import uuid
from datetime import datetime, timedelta

import pytest
from sqlalchemy import text, update
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import SQLModel

import registry.tables  # noqa: F401 - declares every table
from audit.tables import METADATA
from registry.database import Mode
from registry.reconcile.comparison import Implied, differences, implied_by, reads_of
from registry.reconcile.projection import Effect
from registry.reconcile.replayed import DERIVED, REPLAYED
from tests.registry.promotion.conftest import governance
from tests.registry.reconcile.scenario import play

__all__ = ["governance"]

BY_JOBS = {
    "acta_assessment",
    "acta_alert",
    "acta_card",
    "acta_lapse",
    "acta_policy_proposal",
}
"""Tables of which the scenario makes no row: the tour of the demo and other tests do."""


@pytest.fixture
def played(governance, registered):
    play(governance, registered)
    return governance.units


def compared(connection, implied: Implied, *projections):
    return [one.sentence for one in differences(connection, implied, projections or REPLAYED)]


def implied_rows(units) -> Implied:
    with units.database.transaction(Mode.READ) as session:
        return implied_by(reads_of(session.connection()))


def test_every_table_is_replayed_or_said_not_to_follow_from_the_log():
    tables = set(SQLModel.metadata.tables) - set(METADATA.tables)
    assert {one.table for one in REPLAYED} | set(DERIVED) == tables
    assert not {one.table for one in REPLAYED} & set(DERIVED)


@pytest.mark.parametrize("projection", REPLAYED, ids=lambda one: one.table)
def test_every_column_of_a_replayed_table_is_compared_or_said_not_to_follow_from_the_log(projection):
    columns = {column.name for column in SQLModel.metadata.tables[projection.table].columns}
    assert {*projection.keys, *projection.columns} | set(projection.derived) == columns
    assert not {*projection.keys, *projection.columns} & set(projection.derived)


@pytest.mark.parametrize("projection", REPLAYED, ids=lambda one: one.table)
def test_every_rule_names_an_action_and_fields_of_the_vocabulary(projection):
    from registry.actions import ACTIONS

    for rule in projection.rules:
        known = {*ACTIONS[rule.action].fields, "@actor", "@subject", "@null", "@index", "@item"}
        sources = {source.removeprefix("#").split(".")[0] for source in (*rule.columns.values(), *rule.keys.values())}
        assert {source for source in sources if not source.startswith("'")} <= known, rule.action
        assert rule.effect is Effect.REMOVES or rule.columns


def test_what_happened_by_the_services_is_what_the_log_implies(played):
    implied = implied_rows(played)
    with played.database.transaction(Mode.READ) as session:
        assert compared(session.connection(), implied) == []
    without_rows = {table for table, rows in implied.rows.items() if not rows}
    assert without_rows == BY_JOBS


def another(value):
    """A value of the same kind."""
    match value:
        case bool():
            return not value
        case int():
            return value + 100
        case uuid.UUID():
            return uuid.UUID(int=value.int ^ 1)
        case datetime():
            return value + timedelta(microseconds=1)
        case bytes():
            return bytes([value[0] ^ 1]) + value[1:]
        case list():
            return [*value, "more"]
        case dict():
            return value | {"more": "of it"}
        case str():
            return value[:-1] + ("a" if value[-1:] != "a" else "b")
    raise AssertionError(value)


SOME = ("x", datetime.fromisoformat("2026-01-01T00:00:00+00:00"), uuid.UUID(int=1), bytes(32), 1, ["x"])
"""One of them fits a column that is null."""


def edit(connection, table, here, name, value):
    """Give a column another value; where it is null, one that it takes."""
    for candidate in SOME if value is None else [another(value)]:
        try:
            with connection.begin_nested():
                connection.execute(update(table).where(*here).values({name: candidate}))
        except (SQLAlchemyError, AttributeError):
            continue
        return
    raise AssertionError(f"{table.name}.{name} takes nothing")


def spelled(key):
    """A key as sentences name it."""
    return "/".join(part.hex() if isinstance(part, bytes) else str(part) for part in key)


def unguarded(session):
    """Behind the log's back: without constraints and foreign keys, as the database's owner can."""
    if session.connection().dialect.name == "sqlite":
        session.execute(text("PRAGMA ignore_check_constraints = ON"))
        session.execute(text("PRAGMA defer_foreign_keys = ON"))
        return
    session.execute(text("SET session_replication_role = replica"))
    checks = session.execute(
        text(
            "SELECT conrelid::regclass::text, conname FROM pg_constraint WHERE contype = 'c' "
            "AND conrelid::regclass::text LIKE 'acta_%'"
        )
    ).all()
    for table, name in checks:
        session.execute(text(f'ALTER TABLE {table} DROP CONSTRAINT "{name}"'))


def test_every_column_that_somebody_edits_is_named_with_before_and_after(played):
    implied = implied_rows(played)
    for projection in REPLAYED:
        if not implied.rows[projection.table]:
            continue
        table = SQLModel.metadata.tables[projection.table]
        with played.database.transaction(Mode.WRITE) as session:
            unguarded(session)
            connection = session.connection()
            row = connection.execute(table.select().limit(1)).mappings().one()
            here = [table.c[name] == row[name] for name in projection.keys]
            shown = spelled(row[name] for name in projection.keys)
            for name in projection.columns:
                edit(connection, table, here, name, row[name])
                found = compared(connection, implied, projection)
                assert len(found) == 1, (projection.table, name, found)
                assert found[0].startswith(f"{projection.table} {shown}: {name} is "), found
                connection.execute(update(table).where(*here).values({name: row[name]}))
            assert compared(connection, implied, projection) == []
            connection.execute(table.delete().where(*here))
            assert compared(connection, implied, projection) == [
                f"{projection.table} {shown}: the row is missing, and the log implies it."
            ]
            connection.execute(table.insert().values({table.c[name]: value for name, value in row.items()}))
            moved = {name: another(row[name]) for name in projection.keys}
            connection.execute(update(table).where(*here).values(moved))
            assert set(compared(connection, implied, projection)) == {
                f"{projection.table} {spelled(moved.values())}: the log implies no such row.",
                f"{projection.table} {shown}: the row is missing, and the log implies it.",
            }
            session.rollback()


def test_a_text_that_was_erased_says_nothing_and_the_rest_is_compared(played):
    with played.database.transaction(Mode.WRITE) as session:
        connection = session.connection()
        connection.execute(text("DELETE FROM acta_log_text"))
        implied = implied_by(reads_of(connection))
        assert compared(connection, implied) == []
        assert implied.erased > 20
        connection.execute(text("UPDATE acta_waiver SET reason = 'Another.', expires_at = granted_at"))
        found = compared(connection, implied)
        session.rollback()
    assert len(found) == 2
    assert all(": expires_at is " in one for one in found)
