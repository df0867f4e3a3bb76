"""Units of work that only ask: what a single statement sees."""

import pytest
from sqlalchemy import func, insert, select

from registry.jobs.tables import JobRow
from tests.registry.test_prepared import JOB, job

COUNT = select(func.count()).select_from(JobRow)


def test_each_single_statement_sees_what_was_committed_before_it(units):
    with units.asking() as asking:
        assert asking.connection.execute(COUNT).scalar() == 0
        with units.writing() as unit:
            unit.connection.execute(insert(JOB), [job(result={})])
        assert asking.connection.execute(COUNT).scalar() == 1
    with units.asking() as asking:
        assert asking.connection.execute(COUNT).scalar() == 1


def test_a_unit_that_only_asks_records_nothing(units, people):
    with units.asking() as unit, pytest.raises(AssertionError, match="records nothing"):
        unit.record(people.developer, "job.cancelled", people.developer.id)


def test_a_disposed_database_can_be_asked_again(units):
    for _ in range(2):
        with units.asking() as unit:
            assert unit.connection.execute(COUNT).scalar() == 0
        units.database.dispose()
