"""What somebody waits for goes out while a long job runs."""

import threading

import pytest

from registry.jobs.service import enqueue
from registry.jobs.tables import JobRow
from registry.jobs.worker import HANDLERS, PROMPT, Worker

delivered = threading.Event()


def long(work):
    """A job that ends once the alert is out."""
    with work.outcome({"alerted": str(delivered.wait(20))}):
        pass


def deliver(work):
    """The alert."""
    with work.outcome({}):
        delivered.set()


def test_an_alert_does_not_wait_for_the_checks_before_it(units, people, settings, monkeypatch):
    delivered.clear()
    monkeypatch.setitem(HANDLERS, "run-checks", f"{__name__}:long")
    monkeypatch.setitem(HANDLERS, "deliver", f"{__name__}:deliver")
    with units.writing() as unit:
        enqueue(unit, None, "run-checks", {})
        enqueue(unit, None, "deliver", {})
    worker = Worker(units, settings)
    running = threading.Thread(target=worker.run)
    running.start()
    try:
        assert delivered.wait(20)
    finally:
        worker.stopping.set()
        running.join()
    with units.reading() as unit:
        rows = {row.kind: row for row in unit.session.query(JobRow)}
    assert rows["deliver"].state == "succeeded"
    assert rows["run-checks"].result == {"alerted": "True"}


def test_a_worker_of_which_one_half_breaks_ends_whole_so_that_another_is_started(units, people, settings, monkeypatch):
    def broken(self, kinds=None):
        if kinds is PROMPT:
            raise RuntimeError("The clock stands still.")
        return False

    monkeypatch.setattr(Worker, "run_one", broken)
    with pytest.raises(RuntimeError, match="stands still"):
        Worker(units, settings).run()
