import threading
from collections import Counter
from datetime import timedelta

import pytest

from registry.database import Database
from registry.errors import ConflictError
from registry.jobs import service
from registry.jobs.service import LeaseLostError
from registry.jobs.tables import JobRow, JobState
from registry.jobs.worker import Worker
from registry.unit import Units

LEASE = timedelta(seconds=30)


def enqueue(units, **arguments):
    with units.writing() as unit:
        return service.enqueue(unit, None, "verify-digest", arguments)


def take(units, holder="worker-1"):
    with units.writing() as unit:
        return service.take(unit, holder, LEASE)


def state_of(units, job_id):
    with units.reading() as unit:
        return JobState(service.get_job(unit, job_id).state)


def test_a_job_exists_only_if_its_transaction_commits(units):
    class Stop(Exception):
        pass

    with pytest.raises(Stop), units.writing() as unit:
        service.enqueue(unit, None, "verify-digest", {})
        raise Stop
    assert take(units) is None


def test_a_leased_job_is_nobody_else_s_until_the_lease_has_passed(units):
    job_id = enqueue(units)
    first = take(units, "worker-1")
    assert first is not None
    assert take(units, "worker-2") is None
    with units.writing() as unit:
        unit.now += LEASE + timedelta(seconds=1)
        second = service.take(unit, "worker-2", LEASE)
    assert second is not None
    assert (second.job_id, second.attempt) == (job_id, 2)


def test_a_worker_that_lost_its_lease_writes_no_outcome(units):
    enqueue(units)
    first = take(units, "worker-1")
    with units.writing() as unit:
        unit.now += LEASE + timedelta(seconds=1)
        second = service.take(unit, "worker-2", LEASE)
    with pytest.raises(LeaseLostError), units.writing() as unit:
        service.finish(unit, first, {"by": "1"})
    with units.writing() as unit:
        service.finish(unit, second, {"by": "2"})
    with units.reading() as unit:
        assert service.get_job(unit, second.job_id).result == {"by": "2"}


def test_the_same_worker_cannot_finish_an_attempt_that_it_lost(units):
    enqueue(units)
    first = take(units, "worker-1")
    with units.writing() as unit:
        unit.now += LEASE + timedelta(seconds=1)
        assert service.take(unit, "worker-1", LEASE) is not None
    with pytest.raises(LeaseLostError), units.writing() as unit:
        service.renew(unit, first, LEASE, 0.5, None)


def test_a_failed_attempt_is_tried_again_later_and_given_up_after_the_last(units):
    job_id = enqueue(units)
    waits = []
    while state_of(units, job_id) is not JobState.DEAD:
        with units.writing() as unit:
            unit.now = service.get_job(unit, job_id).run_after
            lease = service.take(unit, "worker-1", LEASE)
        with units.writing() as unit:
            service.fail(unit, lease, "no luck")
            waits.append(service.get_job(unit, job_id).run_after - unit.now)
    assert len(waits) == 5
    assert all(wait >= service.FIRST_RETRY for wait in waits[:-1])


@pytest.mark.parametrize("attempts", range(1, 60))
def test_waits_between_attempts_grow_within_bounds(attempts):
    assert service.FIRST_RETRY <= service.retry_delay(attempts) <= service.LONGEST_RETRY


def test_a_job_whose_workers_all_died_is_given_up(units):
    job_id = enqueue(units)
    for _ in range(6):
        with units.writing() as unit:
            unit.now += timedelta(hours=1)
            row = service.get_job(unit, job_id)
            if row.lease_until is not None:
                row.lease_until = unit.now - timedelta(seconds=1)
            service.take(unit, "worker-1", LEASE)
    assert state_of(units, job_id) is JobState.DEAD


def test_a_waiting_job_is_cancelled_at_once_and_can_be_replayed(units, people):
    job_id = enqueue(units)
    with units.writing() as unit:
        service.cancel(unit, people.administrator, job_id)
    assert take(units) is None
    assert state_of(units, job_id) is JobState.CANCELLED
    with pytest.raises(ConflictError), units.writing() as unit:
        service.cancel(unit, people.administrator, job_id)
    with units.writing() as unit:
        service.replay(unit, people.administrator, job_id)
    assert take(units).job_id == job_id


def test_a_running_job_that_is_cancelled_loses_its_heartbeat(units, people):
    job_id = enqueue(units)
    lease = take(units)
    with units.writing() as unit:
        service.cancel(unit, people.administrator, job_id)
    with pytest.raises(LeaseLostError), units.writing() as unit:
        service.renew(unit, lease, LEASE, 0.5, "half")
    with units.writing() as unit:
        assert service.fail(unit, lease, "It was cancelled.") is JobState.CANCELLED


def test_several_workers_never_take_one_job_twice(units, migrated_url):
    jobs = {enqueue(units, number=str(number)) for number in range(40)}
    taken: Counter = Counter()
    lock = threading.Lock()

    def work(name):
        mine = Units(Database(migrated_url), units.log)
        while (lease := take(mine, name)) is not None or state_left(mine):
            if lease is None:
                continue
            with lock:
                taken[lease.job_id] += 1
            with mine.writing() as unit:
                service.finish(unit, lease, {})
        mine.database.dispose()

    def state_left(mine):
        with mine.reading() as unit:
            return service.anything_due(unit)

    threads = [threading.Thread(target=work, args=(f"worker-{number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert taken == Counter(jobs)


def test_a_worker_gives_up_at_once_on_input_that_can_never_work(units, registered, settings, tmp_path):
    # The registered version's source lies outside the only artifact root.
    worker = Worker(units, settings.model_copy(update={"artifact_roots": [str(tmp_path / "elsewhere")]}))
    worker.run_until_idle()
    with units.reading() as unit:
        [job] = [row for row in unit.session.query(JobRow) if row.kind == "verify-digest"]
    assert (job.state, job.attempts) == (JobState.DEAD, 1)
    assert "ACTA_ARTIFACT_ROOTS" in job.error or "roots" in job.error


def test_a_worker_that_is_told_to_stop_gives_a_long_job_back_and_its_attempt_does_not_count(
    units, settings, monkeypatch
):
    job_id = enqueue(units)
    stopped = Worker(units, settings)

    def endless(work):
        work.report(0.1, "working")
        stopped.stopping.set()
        work.report(0.2, "still working")

    monkeypatch.setattr(Worker, "_handler", lambda *_: endless)
    assert stopped.run_one()
    with units.reading() as unit:
        row = service.get_job(unit, job_id)
        assert (row.state, row.attempts, row.lease_holder, row.error) == ("queued", 0, None, None)
    assert take(units, "worker-2") is not None


def test_a_cancelled_job_that_is_given_back_is_cancelled(units, people):
    with units.writing() as unit:
        job_id = service.enqueue(unit, people.developer, "verify-digest", {})
    lease = take(units)
    with units.writing() as unit:
        service.cancel(unit, people.developer, job_id)
    with units.writing() as unit:
        service.give_back(unit, lease)
    assert state_of(units, job_id) is JobState.CANCELLED
