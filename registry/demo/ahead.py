"""The training, in a process of its own that begins while the server starts: two cores work instead of one.

It also keeps MLflow and scikit-learn out of the process that tells the tour.
"""

import multiprocessing
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path

from registry.demo.training import Report, TrainingOutcome
from registry.errors import UnavailableError

EXPERIMENT = "credit-default"


@dataclass(frozen=True)
class Failed:
    """The training ended with an error, told in a sentence."""

    sentence: str


@dataclass(frozen=True)
class TrainingAhead:
    """A training under way."""

    process: BaseProcess
    heard: Connection

    def outcome(self, report: Report) -> TrainingOutcome:
        """Wait for its end; `report` hears one sentence per step.

        Raises:
            UnavailableError: it failed, or its process ended without a word.
        """
        while True:
            try:
                said: str | Failed | TrainingOutcome = self.heard.recv()
            except EOFError:
                self.process.join()
                raise UnavailableError(
                    f"The training's process ended by itself ({self.process.exitcode}).", "Is there enough memory?"
                ) from None
            match said:
                case str():
                    report(said)
                case Failed():
                    raise UnavailableError(f"The training failed: {said.sentence}")
                case TrainingOutcome():
                    return said


@contextmanager
def training_ahead(directory: Path, rows: int | None = None) -> Iterator[TrainingAhead]:
    """Begin the training into `directory`; it is stopped where the block ends before it. `rows`: only a sample."""
    # Not forked: threads of this process would be missing in the copy.
    context = multiprocessing.get_context("spawn")
    heard, speaker = context.Pipe(duplex=False)
    process = context.Process(target=_train, args=(speaker, directory, rows), daemon=True)
    process.start()
    speaker.close()
    try:
        yield TrainingAhead(process, heard)
    finally:
        if process.is_alive():
            process.terminate()
        process.join()
        heard.close()


def _train(speaker: Connection, directory: Path, rows: int | None) -> None:
    from registry.demo.training import tracking_uri_in, train

    # Ctrl-C reaches the whole group of processes: the one that tells the tour ends this one.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        speaker.send(train(directory, tracking_uri_in(directory), EXPERIMENT, speaker.send, rows))
    except Exception as error:  # noqa: BLE001 - whatever it was, the tour says it in one line
        speaker.send(Failed(f"{type(error).__name__}: {error}"))
