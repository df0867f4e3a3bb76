"""The tour's first half: a model is trained, registered and documented."""

import time
from contextlib import ExitStack

from registry.access.actor import Role
from registry.catalog.facts import Autonomy, Impact, LegalDomain, PersonalData, Reversibility, RiskProfile
from registry.client import Client
from registry.client.answers import Version
from registry.client.registration import Stated, version_facts
from registry.demo.ahead import TrainingAhead
from registry.demo.cast import Cast, command_name, gather_cast
from registry.demo.directory import DemoDirectory
from registry.demo.narration import Narrator
from registry.demo.server import DemoServer
from registry.demo.training import TrainingOutcome
from registry.demo.writing import documents_of
from registry.errors import UnavailableError

MODEL = "credit-default"
TEAM = "retail-credit"
PURPOSE = (
    "Estimate the probability that a credit card client defaults next month, so that a credit officer can decide "
    "whom to call. It does not decide by itself."
)
INTENDED_USERS = "Credit officers of the retail bank, who see the score beside the present scorecard."
OUT_OF_SCOPE = "Refusing a client or setting a limit without a person; clients of other countries or of other years."
LIMITATIONS = (
    "Trained on clients of one bank in Taiwan, 2005. It does not know income, and is not made for other markets."
)
AFFECTED_PERSONS = (
    "Clients with a credit card of the bank. Tour: here an organisation says how they learn of the score, and to whom "
    "they object."
)
PROFILE = RiskProfile(
    Impact.HIGH,
    Impact.LIMITED,
    affects_persons=True,
    personal_data=PersonalData.PERSONAL,
    decision_autonomy=Autonomy.ADVISES,
    reversibility=Reversibility.EASILY,
    legal_domain=LegalDomain.CREDITWORTHINESS,
)
JOB_SECONDS = 120.0


def people(tell: Narrator, directory: DemoDirectory, server: DemoServer, closing: ExitStack) -> Cast:
    """One person for each role."""
    tell.step("A server of its own, and one person for each role")
    tell.good(f"`acta serve` runs at {server.url}, with its own SQLite database, keys and worker process.")
    tell.say(
        "Every step goes through its HTTP API. Before each command stands who gives it, with a token of their own:"
    )
    cast = gather_cast(tell, directory, server, closing)
    tell.good(f"{len(cast.players)} persons, each with one role and one token; each grant is in the log.")
    return cast


def training(tell: Narrator, ahead: TrainingAhead) -> TrainingOutcome:
    """A real training on real data, logged with MLflow: under way since the server started."""
    tell.step("Train a classifier on real data, logged with MLflow")
    tell.say(
        "Default of Credit Card Clients: Taiwan 2005; I-Cheng Yeh, UCI Machine Learning Repository 350, CC BY 4.0."
    )
    with tell.working("Training") as progress:
        done = ahead.outcome(progress)
    figures = done.evaluation
    rows_of = [(one.name, f"{one.roc_auc_mean:.4f} ± {one.roc_auc_deviation:.4f}") for one in done.candidates]
    tell.table(["candidate", f"ROC AUC, mean of {done.folds} folds"], rows_of)
    tell.good(
        f"{done.chosen.name} chosen on {done.training.rows:,} rows; on {done.holdout.rows:,} rows kept apart: "
        f"ROC AUC {figures.roc_auc:.3f}, accuracy {figures.accuracy:.3f}, recall {figures.recall:.3f}."
    )
    tell.say(f"MLflow run {done.logged.run_id}, model {done.logged.model_uri}")
    return done


def registration(tell: Narrator, cast: Cast, done: TrainingOutcome) -> Version:
    """The version, with its content digest computed here and verified by the server from the bytes."""
    tell.step("Register the version, with its lineage and content digest")
    developer = cast[Role.DEVELOPER].client
    options = ["--team", TEAM, "--purpose", PURPOSE, "--financial-impact", "high", "--reputational-impact", "limited"]
    options += ["--affects-persons", "--personal-data", "personal", "--alias", "candidate"]
    options += ["--decision-autonomy", "advises", "--reversibility", "easily", "--legal-domain", "creditworthiness"]
    options += ["--affected-persons", AFFECTED_PERSONS]
    options += ["--intended-users", INTENDED_USERS, "--out-of-scope", OUT_OF_SCOPE, "--limitations", LIMITATIONS]
    where = ["--tracking-uri", done.logged.tracking_uri, "--model", MODEL]
    tell.command("developer", "acta", "register", done.logged.model_uri, *where, *options)
    with tell.working("Computing the content digest"):
        stated = version_facts(done.logged.model_uri, done.logged.tracking_uri, Stated())
        owner = developer.me().actor.id
        model = developer.register_model(
            MODEL,
            team=TEAM,
            owner_id=owner,
            purpose=PURPOSE,
            profile=PROFILE,
            intended_users=INTENDED_USERS,
            out_of_scope=OUT_OF_SCOPE,
            limitations=LIMITATIONS,
            affected_persons=AFFECTED_PERSONS,
        )
        version = developer.register_version(MODEL, stated.facts)
        if stated.lock is not None:
            developer.upload_environment_lock(MODEL, version.number, stated.lock)
        developer.set_alias(MODEL, "candidate", version.number)
    tell.good(f"Model {model.name}: risk tier {model.risk_tier}, by the active policy's rules.")
    tell.table(
        ["lineage", "name", "digest or identifier"],
        [
            (f"{edge.kind} {edge.role or ''}".strip(), edge.name, (edge.digest or edge.identifier or "")[:40])
            for edge in stated.facts.lineage
        ],
    )
    tell.say(f"Version {version.number}: content digest {version.content_digest}, as the client states it.")
    with tell.working("The server's worker reads the same bytes"):
        version = _digest_checked(developer, version.number)
    say = tell.good if version.digest_state == "verified" else tell.bad
    say(f"The server read the stored bytes: digest {version.digest_state}.")
    return version


def _digest_checked(client: Client, number: int) -> Version:
    deadline = time.monotonic() + JOB_SECONDS
    while (version := client.version(MODEL, number)).digest_state == "stated":
        if time.monotonic() > deadline:
            raise UnavailableError("The worker has not verified the content digest.", "Look at server.log.")
        time.sleep(0.1)
    return version


def documents(tell: Narrator, directory: DemoDirectory, cast: Cast, version: Version, done: TrainingOutcome) -> None:
    """Documents written from the run, each signed off by somebody else than its author."""
    tell.step("Document it, and have somebody else sign each document off")
    of = ["--model", MODEL, "--version", str(version.number)]
    directory.documents.mkdir(parents=True, exist_ok=True)
    with tell.working("The validator computes the figures again from the files"):
        written = documents_of(done)
    for number, one in enumerate(written):
        file = directory.documents / one.file_name
        file.write_text(one.text, encoding="utf-8")
        comment = f"Tour: here a {one.signer.value} says what was checked."
        added = cast[one.author].client.upload_document(MODEL, version.number, file, kind=one.kind, title=one.title)
        if number == 0:
            path = str(file.relative_to(directory.root))
            names = ["--kind", one.kind, "--title", one.title]
            tell.command(command_name(one.author), "acta", "document", "add", path, *of, *names)
            signing = ("acta", "document", "sign-off", str(added.id), "--comment", comment)
            tell.command(command_name(one.signer), *signing)
        cast[one.signer].client.sign_off(added.id, comment)
        said = f"{one.title}: by the {one.author.value}, {added.size_bytes:,} bytes, SHA-256 {added.sha256[:12]}…"
        tell.good(f"{said}, signed off by the {one.signer.value}.")
