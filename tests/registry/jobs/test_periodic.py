"""Periodic work: at most one job of a kind for each period, whoever looks and whatever the clock does."""

import threading
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select, update

from registry.database import Database
from registry.jobs.periodic import PERIODS, anything_periodic_due, enqueue_periodic
from registry.jobs.service import finish, take
from registry.jobs.tables import JobRow, JobState, PeriodicRow
from registry.jobs.worker import Worker
from registry.unit import Units

KIND = "review-evidence"
PERIOD = PERIODS[KIND]
START = datetime(2026, 3, 29, 0, 30, tzinfo=UTC)


def enqueued_at(units, now):
    with units.writing() as unit:
        unit.now = now
        return enqueue_periodic(unit)


def is_due_at(units, now):
    with units.reading() as unit:
        unit.now = now
        return anything_periodic_due(unit)


def do_all(units):
    with units.writing() as unit:
        unit.session.execute(update(JobRow).values(state=JobState.SUCCEEDED.value))


def test_a_kind_that_was_never_seen_is_due_one_period_later(units):
    assert is_due_at(units, START)
    assert enqueued_at(units, START) == []
    assert not is_due_at(units, START + PERIOD - timedelta(seconds=1))
    assert enqueued_at(units, START + PERIOD - timedelta(seconds=1)) == []
    assert is_due_at(units, START + PERIOD)
    assert enqueued_at(units, START + PERIOD) == [KIND]
    assert enqueued_at(units, START + PERIOD) == []


def test_periods_that_passed_while_no_worker_ran_are_made_up_for_by_one_job(units):
    enqueued_at(units, START)
    assert enqueued_at(units, START + 100 * PERIOD) == [KIND]
    do_all(units)
    assert enqueued_at(units, START + 100 * PERIOD) == []
    assert enqueued_at(units, START + 101 * PERIOD) == [KIND]


def test_no_second_job_is_enqueued_while_the_one_before_waits_or_runs(units):
    enqueued_at(units, START)
    assert enqueued_at(units, START + PERIOD) == [KIND]
    assert enqueued_at(units, START + 2 * PERIOD) == []
    with units.writing() as unit:
        unit.now = START + 3 * PERIOD
        lease = take(unit, "worker-1", timedelta(minutes=1))
    assert enqueued_at(units, START + 3 * PERIOD) == []
    with units.writing() as unit:
        finish(unit, lease, {})
    assert enqueued_at(units, START + 4 * PERIOD) == [KIND]


def test_a_clock_set_back_a_day_does_not_stop_the_work_for_a_day(units):
    enqueued_at(units, START)
    assert enqueued_at(units, START + PERIOD) == [KIND]
    do_all(units)
    back = START - timedelta(days=1)
    assert enqueued_at(units, back) == [KIND]
    do_all(units)
    assert enqueued_at(units, back) == []
    assert enqueued_at(units, back + PERIOD) == [KIND]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(minutes=st.lists(st.integers(min_value=1, max_value=200), max_size=12))
def test_between_two_jobs_of_a_kind_lies_at_least_its_period(units, minutes):
    with units.writing() as unit:
        unit.session.execute(delete(JobRow))
        unit.session.execute(delete(PeriodicRow))
    now, made = START, []
    enqueued_at(units, now)
    for step in minutes:
        now += timedelta(minutes=step)
        if enqueued_at(units, now):
            made.append(now)
            do_all(units)
        else:
            assert now < (made[-1] if made else START) + PERIOD
    assert all(later - earlier >= PERIOD for earlier, later in pairwise(made))


def test_several_workers_that_look_at_once_enqueue_one_job(units, migrated_url):
    enqueued_at(units, START)
    found, lock, ready = [], threading.Lock(), threading.Barrier(4)

    def look():
        mine = Units(Database(migrated_url), units.log)
        ready.wait()
        kinds = enqueued_at(mine, START + PERIOD)
        with lock:
            found.extend(kinds)
        mine.database.dispose()

    threads = [threading.Thread(target=look) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [KIND]


def test_several_workers_that_meet_a_kind_for_the_first_time_at_once_make_one_row(units, migrated_url):
    errors, ready = [], threading.Barrier(4)

    def look():
        mine = Units(Database(migrated_url), units.log)
        ready.wait()
        try:
            enqueued_at(mine, START)
        except Exception as error:
            errors.append(error)
        mine.database.dispose()

    threads = [threading.Thread(target=look) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    with units.reading() as unit:
        assert len(unit.session.execute(select(PeriodicRow)).all()) == len(PERIODS)


def test_a_worker_does_the_periodic_work_when_it_is_due(units, people, settings):
    enqueued_at(units, datetime.now(UTC) - 2 * PERIOD)
    worker = Worker(units, settings)
    worker.enqueue_periodic()
    # It looks once a minute: a second look at once finds nothing to do.
    worker.enqueue_periodic()
    assert worker.run_until_idle() == 1
    with units.reading() as unit:
        [row] = unit.session.execute(select(JobRow)).scalars()
    assert (row.kind, row.state) == (KIND, "succeeded")
    assert row.result == {"flagged": "0", "ended": "0", "moved": "0", "escalated": "0", "rechecked": "0"}
