"""The tour's end: the signed card, verification without the server, and what verification is worth."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from audit.keys import Ed25519Signer
from audit.verification import Verification
from registry.access.actor import Role
from registry.cards.verification import verify as verify_card
from registry.client.answers import Version
from registry.demo import attacks
from registry.demo.cast import Cast
from registry.demo.directory import DemoDirectory
from registry.demo.narration import Narrator
from registry.demo.server import demo_settings
from registry.demo.steps_model import JOB_SECONDS, MODEL
from registry.evidence.verification import verify_log
from registry.installation import load_signer, seal_directory


@dataclass(frozen=True)
class Attack:
    """What an attacker did to a copy, and what verification said: without and with the checkpoint kept outside."""

    name: str
    alone: Verification
    compared: Verification

    @property
    def caught_only_outside(self) -> bool:
        """Whether nothing but the checkpoint kept outside gives it away."""
        return self.alone.verified and not self.compared.verified


def keep_checkpoint(tell: Narrator, directory: DemoDirectory, cast: Cast) -> Path:
    """Take the newest checkpoint home, as an auditor would."""
    path = directory.kept_outside / "checkpoint"
    path.write_text(cast[Role.AUDITOR].client.checkpoint(), encoding="utf-8")
    tell.command("auditor", "acta", "audit", "checkpoint", "--save", "kept-outside/checkpoint")
    size = path.read_text(encoding="utf-8").splitlines()[1]
    tell.good(f"The auditor keeps the signed checkpoint of {size} entries where the log's keeper cannot change it.")
    return path


def card(tell: Narrator, directory: DemoDirectory, cast: Cast, version: Version) -> None:
    """A PDF that carries its facts, its seal and the log's proof."""
    tell.step("Render the signed model card")
    tell.command("validator", "acta", "card", MODEL, str(version.number), "-o", directory.card.name)
    client = cast[Role.VALIDATOR].client
    requested = client.request_card(MODEL, version.number)
    assert requested.job_id is not None
    with tell.working("Rendering and sealing") as progress:
        client.wait_for_job(requested.job_id, lambda _done, text: progress(text or "waiting"), seconds=JOB_SECONDS)
    directory.card.write_bytes(client.download_card(requested.id))
    made = client.card(requested.id)
    tell.good(
        f"{directory.card.name}: {directory.card.stat().st_size // 1024:,} KiB, sealed; its facts are entry "
        f"{made.facts_entry} of the log."
    )


@dataclass(frozen=True)
class Verified:
    """Whether log and card are as they should be."""

    log: bool
    card: bool


def verification(tell: Narrator, directory: DemoDirectory, kept: Path) -> Verified:
    """Log and card, checked from the files alone."""
    tell.step("Verify log and card from the files alone")
    settings = demo_settings(directory)
    key = load_signer(settings).verifier_key
    where = ("home/acta.db", "--key", str(key), "--from-checkpoint", "kept-outside/checkpoint")
    tell.command("auditor", "acta", "audit", "verify", *where)
    found = verify_log(str(directory.database), key, kept.read_text(encoding="utf-8"), None, _silent)
    if found.verified:
        tell.good(f"Log: {found.entries} entries, {found.checkpoints} checkpoints, {found.texts} side texts: verified.")
    else:
        tell.bad(f"Log: {found.problems[0].sentence}")
    tell.say(found.not_shown)
    root = seal_directory(settings) / "root.cert.pem"
    shown = str(root.relative_to(directory.root.resolve()))
    tell.command("auditor", "acta", "card", "verify", directory.card.name, "--key", str(key), "--root", shown)
    checked = verify_card(
        directory.card.read_bytes(), log_key=key, trusted_roots=[root.read_bytes()], now=datetime.now(UTC)
    )
    for step in checked.steps:
        (tell.good if step.holds else tell.bad)(f"Card: {step.name}. {step.reason}".rstrip(". ") + ".")
    (tell.good if checked.verified else tell.bad)(checked.conclusion)
    return Verified(found.verified, checked.verified)


def attack(tell: Narrator, directory: DemoDirectory, cast: Cast, kept: Path) -> list[Attack]:
    """Three attacks on copies of the database, and what catches each."""
    tell.step("Attack copies of the log, and see what verification is worth")
    settings = demo_settings(directory)
    stolen = load_signer(settings)
    asked = next(cast[Role.AUDITOR].client.entries(action="promotion.requested"))
    somebody = str(cast[Role.OPERATIONS_REVIEWER].id)
    tell.say(
        f"Entry {asked.sequence} says who asked for production too early. The attacker owns the database file, and for "
        "the second attack the signing key."
    )
    untouched = directory.attacks / "untouched.db"
    attacks.copy_database(directory.database, untouched)
    tell.say(f"A plain UPDATE is refused by the database: {attacks.triggers_refuse(untouched, asked.sequence)}.")

    def edit(copy: Path) -> None:
        attacks.edit_old_row(copy, asked.sequence, somebody)

    def rebuild(copy: Path) -> None:
        attacks.rebuild(copy, asked.sequence, somebody, stolen)

    def cut(copy: Path) -> None:
        attacks.cut_tail(copy, asked.sequence)

    done = [
        _attacked(directory, "an old row edited, triggers dropped", "edited.db", edit, stolen, kept),
        _attacked(
            directory, "the whole tree rebuilt and signed with the stolen key", "rebuilt.db", rebuild, stolen, kept
        ),
        _attacked(directory, "the tail cut off", "cut.db", cut, stolen, kept),
    ]
    for one in done:
        tell.say(f"{one.name}:".capitalize())
        _report(tell, "  alone", one.alone)
        _report(tell, "  with the checkpoint kept outside", one.compared)
    blind = [one.name for one in done if one.caught_only_outside]
    if blind:
        tell.say(f"Caught by nothing but the checkpoint kept outside: {'; '.join(blind)}.")
    tell.say(f"What verifying alone says of itself: {done[-1].alone.not_shown}")
    return done


def _attacked(
    directory: DemoDirectory, name: str, file: str, deed: Callable[[Path], None], stolen: Ed25519Signer, kept: Path
) -> Attack:
    copy = directory.attacks / file
    attacks.copy_database(directory.database, copy)
    deed(copy)
    key = stolen.verifier_key
    alone = verify_log(str(copy), key, None, None, _silent)
    return Attack(name, alone, verify_log(str(copy), key, kept.read_text(encoding="utf-8"), None, _silent))


def _report(tell: Narrator, how: str, found: Verification) -> None:
    # Being caught is the good news here.
    if found.verified:
        tell.bad(f"{how}: nothing wrong is seen.")
    else:
        tell.good(f"{how}: CAUGHT. {found.problems[0].sentence}")


def _silent(_done: int, _total: int) -> None:
    pass
