"""Prepared statements answer what SQLAlchemy answers, on both databases."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest
from sqlalchemy import bindparam, func, insert, literal, null, select
from sqlalchemy.exc import IntegrityError

from registry.jobs.tables import JobRow
from registry.prepared import Prepared

JOB = JobRow.__table__
JOBS = select(JOB).where(JOB.c.kind == bindparam("kind")).order_by(JOB.c.created_at)


def job(**changed):
    values = {column.name: None for column in JOB.columns} | {
        "id": uuid4(),
        "kind": "verify-digest",
        "arguments": {"version_id": "Größe \N{SNOWMAN}"},
        "state": "queued",
        "attempts": 0,
        "most_attempts": 5,
        "run_after": datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC),
        "progress": 0.25,
        "result": null(),
        "created_at": datetime(2026, 3, 1, tzinfo=UTC),
    }
    return values | changed


def test_rows_are_those_of_sqlalchemy(units):
    with units.writing() as unit:
        unit.connection.execute(insert(JOB), [job(), job(subject_id=uuid4()), job(kind="other")])
    with units.reading() as unit:
        expected = [tuple(row) for row in unit.connection.execute(JOBS, {"kind": "verify-digest"})]
        assert len(expected) == 2
        assert Prepared(JOBS).rows(unit.connection, {"kind": "verify-digest"}) == expected
        assert Prepared(JOBS).row(unit.connection, {"kind": "verify-digest"}) == expected[0]
        assert Prepared(JOBS).row(unit.connection, {"kind": "unknown"}) is None


def test_insert_stores_what_sqlalchemy_reads(units):
    given = job(result={"rows": "7"})
    with units.writing() as unit:
        assert Prepared(insert(JOB)).rows(unit.connection, given) == []
    with units.reading() as unit:
        assert dict(unit.connection.execute(select(JOB)).one()._mapping) == given


def test_constants_of_the_statement_are_kept(units):
    statement = select(func.coalesce(null(), literal("constant")), bindparam("given", type_=JOB.c.kind.type))
    with units.reading() as unit:
        assert Prepared(statement).rows(unit.connection, {"given": "value"}) == [("constant", "value")]


def test_statement_belongs_to_its_transaction(units):
    class GoneWrong(Exception):
        pass

    with pytest.raises(GoneWrong), units.writing() as unit:
        Prepared(insert(JOB)).rows(unit.connection, job(result={}))
        raise GoneWrong
    with units.reading() as unit:
        assert unit.connection.execute(select(func.count()).select_from(JOB)).scalar() == 0


def test_broken_constraint_is_an_error_of_sqlalchemy(units):
    with units.writing() as unit, pytest.raises(IntegrityError):
        Prepared(insert(JOB)).rows(unit.connection, job(result={}, state="unheard of"))


def test_value_that_was_not_given_is_an_error(units):
    with units.reading() as unit, pytest.raises(KeyError, match="kind"):
        Prepared(JOBS).rows(unit.connection, {})
