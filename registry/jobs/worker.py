"""The worker: takes jobs, keeps their leases alive while they run, and writes what became of them.

A job's handler does its work outside any write transaction, and writes its outcome in one transaction that also ends
the job, after making sure that the lease still holds. So a job whose worker died is done again from the start, and
never leaves two outcomes.
"""

import importlib
import logging
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from queue import Empty, SimpleQueue

from registry.errors import ActaError, UnavailableError
from registry.jobs import service
from registry.jobs.periodic import anything_periodic_due, enqueue_periodic
from registry.jobs.service import Lease, LeaseLostError
from registry.settings import Settings
from registry.unit import Unit, Units

logger = logging.getLogger("acta.worker")

LOOK_SECONDS = 60.0
"""How often a worker looks whether periodic work is due."""

HANDLERS: Mapping[str, str] = {
    "assess": "registry.assessments.jobs:run_assessment",
    "deliver": "registry.notifications.jobs:deliver",
    "notify": "registry.notifications.jobs:spread",
    "profile-training-data": "registry.monitoring.jobs:profile_training_data",
    "review-evidence": "registry.lapses.jobs:review_evidence",
    "render-card": "registry.cards.jobs:render_card",
    "run-checks": "registry.policy.jobs:run_checks",
    "verify-digest": "registry.catalog.jobs:verify_digest",
}
"""What each kind of job runs, as module:function, so that heavy libraries are loaded when a job needs them."""
PROMPT = frozenset({"deliver", "notify"})
"""Kinds that somebody waits for, such as an alert. They are worked off beside the others: no long job holds them up."""


class StoppingError(Exception):
    """The worker was told to stop, and the job in hand is one that takes long: another worker does it again."""


class Stop:
    """Whether to stop, which a signal handler may say at any moment, within another one's handler too.

    An event of `threading` holds a lock while it is set: a second signal at that moment waited for the first for ever.
    """

    def __init__(self) -> None:
        self._told: SimpleQueue[None] = SimpleQueue()

    def set(self) -> None:
        """Stop."""
        self._told.put(None)

    def is_set(self) -> bool:
        """Whether somebody said so."""
        return not self._told.empty()

    def wait(self, seconds: float) -> None:
        """Wait until somebody says so, at most so long."""
        with suppress(Empty):
            self._told.get(timeout=seconds)
            self.set()


@dataclass
class Work:
    """What a handler gets: its job, the database and the settings, and a way to say how far it is."""

    lease: Lease
    units: Units
    settings: Settings
    stopping: Stop
    lost: threading.Event = field(default_factory=threading.Event)
    progress: float = 0.0
    text: str | None = None

    def report(self, progress: float, text: str) -> None:
        """Say how far the work is (0 to 1); the next heartbeat writes it.

        Raises:
            LeaseLostError: the job was cancelled, or another worker has it: stop.
            StoppingError: the worker was told to stop.
        """
        self.progress, self.text = progress, text
        self.go_on()

    def go_on(self) -> None:
        """Return where the work is still wanted of this worker.

        Raises:
            LeaseLostError: the job was cancelled, or another worker has it: stop.
            StoppingError: the worker was told to stop.
        """
        if self.lost.is_set():
            raise LeaseLostError(self.lease.job_id)
        if self.stopping.is_set():
            raise StoppingError

    @contextmanager
    def outcome(self, result: Mapping[str, str]) -> Iterator[Unit]:
        """The transaction that writes what the job found out and ends the job, or neither.

        Raises:
            LeaseLostError: the job is no longer this worker's; nothing is written.
        """
        with self.units.writing(f"job-{self.lease.job_id}") as unit:
            service.hold(unit, self.lease)
            yield unit
            service.finish(unit, self.lease, result)


Handler = Callable[[Work], None]
"""Does the work, and ends it within `Work.outcome`."""


class Worker:
    """One process that works off the queue: one job at a time, and beside it what must go out promptly."""

    def __init__(self, units: Units, settings: Settings) -> None:
        self.units = units
        self.settings = settings
        self.holder = f"{socket.gethostname()}:{os.getpid()}"
        self.lease = timedelta(seconds=settings.job_lease_seconds)
        self.stopping = Stop()
        self._next_look = 0.0

    def stop_on_signals(self) -> None:
        """Finish the job in hand on SIGTERM and SIGINT, or give it back where it takes long, then leave."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self.stopping.set())

    def run(self) -> None:
        """Work until told to stop."""
        logger.info("worker started", extra={"holder": self.holder})
        with ThreadPoolExecutor(1, thread_name_prefix="prompt-jobs") as beside:
            prompt = beside.submit(self._run, PROMPT)
            # Where one of the two ends by an error the other one stops, and whoever watches the process starts another.
            prompt.add_done_callback(lambda _: self.stopping.set())
            try:
                self._run(HANDLERS.keys() - PROMPT)
            finally:
                self.stopping.set()
            prompt.result()
        logger.info("worker stopped", extra={"holder": self.holder})

    def _run(self, kinds: Collection[str]) -> None:
        while not self.stopping.is_set():
            try:
                if kinds is not PROMPT:
                    self.enqueue_periodic()
                busy = self.run_one(kinds)
            except UnavailableError as error:
                logger.warning("database not available: %s", error)
                busy = False
            if not busy:
                self.stopping.wait(self.settings.job_poll_seconds)

    def enqueue_periodic(self) -> None:
        """Enqueue the work whose period is over; looked at once a minute, since periods are longer."""
        if time.monotonic() < self._next_look:
            return
        self._next_look = time.monotonic() + LOOK_SECONDS
        with self.units.reading() as unit:
            due = anything_periodic_due(unit)
        if due:
            with self.units.writing() as unit:
                enqueue_periodic(unit)

    def run_until_idle(self) -> int:
        """Work off all jobs that are due; how many were tried."""
        count = 0
        while self.run_one():
            count += 1
        return count

    def run_one(self, kinds: Collection[str] | None = None) -> bool:
        """Take one job, of these kinds or of any, and work on it; False where nothing was due."""
        with self.units.reading() as unit:
            if not service.anything_due(unit, kinds):
                return False
        with self.units.writing() as unit:
            lease = service.take(unit, self.holder, self.lease, kinds)
        if lease is not None:
            self._work(Work(lease, self.units, self.settings, self.stopping))
        return True

    def _work(self, work: Work) -> None:
        done = threading.Event()
        # The heartbeat must beat while the handler computes.
        heart = threading.Thread(target=self._beat, args=(work, done), name="heartbeat", daemon=True)
        heart.start()
        try:
            self._handler(work.lease.kind)(work)
            logger.info("job succeeded", extra={"job": str(work.lease.job_id), "kind": work.lease.kind})
        except LeaseLostError:
            self._settle_cancelled(work)
        except StoppingError:
            self._give_back(work)
        except Exception as error:  # noqa: BLE001 (a job may raise anything; the worker lives on and says what it was)
            self._settle_failed(work, error)
        finally:
            done.set()
            heart.join()

    def _handler(self, kind: str) -> Handler:
        module, _, name = HANDLERS[kind].partition(":")
        handler: Handler = getattr(importlib.import_module(module), name)
        return handler

    def _beat(self, work: Work, done: threading.Event) -> None:
        while not done.wait(self.lease.total_seconds() / 3):
            try:
                with self.units.writing() as unit:
                    service.renew(unit, work.lease, self.lease, work.progress, work.text)
            except LeaseLostError:
                work.lost.set()
                return
            except UnavailableError as error:
                logger.warning("heartbeat failed: %s", error)

    def _give_back(self, work: Work) -> None:
        try:
            with self.units.writing() as unit:
                service.give_back(unit, work.lease)
            logger.info("job given back", extra={"job": str(work.lease.job_id), "kind": work.lease.kind})
        except LeaseLostError:
            logger.warning("job lost to another worker", extra={"job": str(work.lease.job_id)})

    def _settle_cancelled(self, work: Work) -> None:
        try:
            with self.units.writing() as unit:
                service.fail(unit, work.lease, "It was cancelled.")
        except LeaseLostError:
            logger.warning("job lost to another worker", extra={"job": str(work.lease.job_id)})

    def _settle_failed(self, work: Work, error: Exception) -> None:
        expected = isinstance(error, ActaError) and not isinstance(error, UnavailableError)
        reason = str(error) if isinstance(error, ActaError) else f"{type(error).__name__}: {error}"
        logger.error("job failed: %s", reason, exc_info=None if expected else error, extra={"kind": work.lease.kind})
        try:
            with self.units.writing() as unit:
                (service.give_up if expected else service.fail)(unit, work.lease, reason)
        except LeaseLostError:
            logger.warning("job lost to another worker", extra={"job": str(work.lease.job_id)})
