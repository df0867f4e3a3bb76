"""The guided tour: one model version from training to production, and what its record is worth afterwards.

Everything is done over the HTTP API of a real server process, by one person for each role. Nothing is prepared: each
number and each verdict comes from this run.
"""

from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

from registry.demo import steps_gate, steps_model, steps_monitoring, steps_proof
from registry.demo.ahead import TrainingAhead
from registry.demo.directory import DemoDirectory
from registry.demo.narration import Narrator
from registry.demo.server import DemoServer
from registry.demo.steps_proof import Attack

if TYPE_CHECKING:
    from rich.console import Console

STEPS = 13


@dataclass(frozen=True)
class Told:
    """What a run of the tour found: the same in every run, but for the seconds."""

    digest_state: str
    assessment: str | None
    """The assessment's verdict."""
    waived: bool
    stage: str
    """Where the version ended."""
    log_verified: bool
    card_verified: bool
    attacks: tuple[Attack, ...]
    seconds: tuple[tuple[str, float], ...]
    """Each step and how long it took."""

    @property
    def held(self) -> bool:
        """Whether everything was as it should be: in production, verified, and each attack caught."""
        caught = all(not attack.compared.verified for attack in self.attacks)
        return self.stage == steps_gate.TARGET and self.log_verified and self.card_verified and caught


def tell_story(console: "Console", directory: DemoDirectory, server: DemoServer, ahead: TrainingAhead) -> Told:
    """Tell the whole tour, on the model whose training is under way.

    Raises:
        ActaError: a step could not be done.
    """
    tell = Narrator(console, STEPS)
    with ExitStack() as closing:
        cast = steps_model.people(tell, directory, server, closing)
        done = steps_model.training(tell, ahead)
        version = steps_model.registration(tell, cast, done)
        steps_model.documents(tell, directory, cast, version, done)
        request = steps_gate.refusal(tell, cast, version)
        assessed = steps_gate.assessment(tell, directory, cast, version, done)
        steps_monitoring.monitoring(tell, server, cast, version, done)
        kept = steps_proof.keep_checkpoint(tell, directory, cast)
        gate = steps_gate.answers(tell, cast, version, done)
        waived = steps_gate.waivers(tell, cast, version, gate)
        moved = steps_gate.approval(tell, cast, version, request)
        steps_proof.card(tell, directory, cast, moved)
        verified = steps_proof.verification(tell, directory, kept)
        attacks = steps_proof.attack(tell, directory, cast, kept)
        tell.end_step()
        told = Told(
            version.digest_state,
            assessed.verdict,
            waived,
            moved.stage,
            verified.log,
            verified.card,
            tuple(attacks),
            tuple(tell.seconds),
        )
        _close(tell, directory)
        return told


def _close(tell: Narrator, directory: DemoDirectory) -> None:
    tell.console.print()
    tell.table(
        ["what", "where"],
        [
            ("model card", str(directory.card)),
            ("database with the log", str(directory.database)),
            ("checkpoint kept outside", str(directory.kept_outside / "checkpoint")),
            ("MLflow runs", str(directory.training / "mlflow.db")),
            ("tokens, one for each person", str(directory.tokens)),
            ("server's log", str(directory.server_log)),
        ],
    )
