"""`acta register`."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

import click

from registry.catalog.facts import Autonomy, Impact, LegalDomain, PersonalData, Reversibility
from registry.cli.arguments import VERSION
from registry.cli.connection import actor_id, with_client
from registry.cli.output import Form, emit, json_option

if TYPE_CHECKING:
    from registry.catalog.facts import RiskProfile
    from registry.client import Client
    from registry.client.registration import EnvironmentLock


def words(answers: type[StrEnum]) -> click.Choice[str]:
    """The answers to a question, as words without spaces; that none was stated is no answer."""
    return click.Choice([answer.value.replace(" ", "-") for answer in answers if answer is not LegalDomain.NOT_STATED])


IMPACT = words(Impact)
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.argument("run_or_folder")
@click.option("--model", required=True, help="Name of the registered model.")
@click.option("--tracking-uri", envvar="MLFLOW_TRACKING_URI", help="MLflow's. Or: MLFLOW_TRACKING_URI.")
@click.option("--dataset", "datasets", multiple=True, metavar="ROLE=FILE", help="training=, validation= or test=FILE.")
@click.option("--commit", help="Commit of the training code, where the run does not say it.")
@click.option("--repository", help="URI of the training code's repository.")
@click.option("--environment-lock", type=FILE, help="Lock file of the training environment.")
@click.option("--parent", type=VERSION, help="Number of the version that this one was made from.")
@click.option("--trained-by", help="Name or id of who trained it, where that is not you.")
@click.option("--description", help="A word about this version.")
@click.option("--alias", help="Point this alias at the new version.")
@click.option("--team", help="New model: the team that it belongs to.")
@click.option("--purpose", help="New model: what it is for.")
@click.option("--owner", help="New model: name or id of its owner. [default: you]")
@click.option("--intended-users", help="New model: who is to use it.")
@click.option("--out-of-scope", help="New model: what it must not be used for.")
@click.option("--limitations", help="New model: what it is known to do badly.")
@click.option("--financial-impact", type=IMPACT, help="New model: how much money is at stake.")
@click.option("--reputational-impact", type=IMPACT, help="New model: how much reputation is at stake.")
@click.option("--affects-persons/--affects-no-persons", default=None, help="New model: whether it decides on persons.")
@click.option("--affected-persons", help="New model: who they are, how they learn of it, and how they object.")
@click.option("--personal-data", type=words(PersonalData), help="New model: what personal data it uses.")
@click.option("--decision-autonomy", type=words(Autonomy), help="New model: what part it has in a decision.")
@click.option("--reversibility", type=words(Reversibility), help="New model: can a wrong decision be undone?")
@click.option("--legal-domain", type=words(LegalDomain), help="New model: its field, as the EU AI Act divides them.")
@json_option
@with_client
def register(
    client: "Client",
    run_or_folder: str,
    model: str,
    tracking_uri: str | None,
    datasets: tuple[str, ...],
    commit: str | None,
    repository: str | None,
    environment_lock: Path | None,
    parent: int | None,
    trained_by: str | None,
    description: str | None,
    alias: str | None,
    team: str | None,
    purpose: str | None,
    owner: str | None,
    intended_users: str | None,
    out_of_scope: str | None,
    limitations: str | None,
    financial_impact: str | None,
    reputational_impact: str | None,
    affects_persons: bool | None,
    affected_persons: str | None,
    personal_data: str | None,
    decision_autonomy: str | None,
    reversibility: str | None,
    legal_domain: str | None,
    form: Form,
) -> None:
    """Register a version of a model from RUN_OR_FOLDER; print its number.

    RUN_OR_FOLDER is an MLflow run id, runs:/ID, a logged model models:/m-ID, or a folder. The digest of its files is
    computed here. A model that is not registered yet needs the options marked "New model".

    Example: acta register 3f2c9e --tracking-uri sqlite:///mlruns.db --model credit-default
    """
    from registry.cli.progress import counting
    from registry.client.registration import Stated, check_source, dataset_edges, version_facts

    check_source(run_or_folder, tracking_uri)
    texts = {"intended_users": intended_users, "out_of_scope": out_of_scope, "limitations": limitations}
    texts["affected_persons"] = affected_persons
    answers = {
        "financial_impact": financial_impact,
        "reputational_impact": reputational_impact,
        "affects_persons": affects_persons,
        "personal_data": personal_data,
        "decision_autonomy": decision_autonomy,
        "reversibility": reversibility,
        "legal_domain": legal_domain,
    }
    is_new = client.find_model(model) is None
    if is_new:
        _require({"team": team, "purpose": purpose} | answers, model)
    owner_id = client.me().actor.id if owner is None else actor_id(client, owner)
    trainer = None if trained_by is None else actor_id(client, trained_by)
    stated = Stated(dataset_edges(datasets), commit, repository, environment_lock, parent, description, trainer)
    with counting("Reading the model's files") as progress:
        registration = version_facts(run_or_folder, tracking_uri, stated, progress)
    for sentence in registration.left_out:
        click.echo(f"acta: {sentence}", err=True)
    if is_new and team and purpose:
        profile = _profile(answers)
        made = client.register_model(model, team=team, owner_id=owner_id, purpose=purpose, profile=profile, **texts)
        click.echo(f"registered the model {made.name}: risk tier {made.risk_tier}", err=True)
    version = client.register_version(model, registration.facts)
    _state_profiles(client, model, version.number, datasets)
    if registration.lock is not None:
        _upload_lock(client, model, version.number, registration.lock)
    if alias is not None:
        version = client.set_alias(model, alias, version.number)
    click.echo(f"registered version {version.number} of {model}; content digest {version.content_digest}", err=True)
    emit(version, form, str(version.number))


def _state_profiles(client: "Client", model: str, number: int, datasets: Sequence[str]) -> None:
    """Tell what the training data look like: the reference of drift. The server keeps what it reads itself."""
    from registry.client.registration import training_files
    from registry.errors import UnprocessableError
    from registry.monitoring.profile import profile_of_file

    for path, digest in training_files(datasets):
        try:
            profile = profile_of_file(path, bytes.fromhex(digest))
        except UnprocessableError as error:
            click.echo(f"acta: {path} has no profile, which drift would be measured against: {error}", err=True)
        else:
            client.state_training_profile(model, number, digest, profile)


def _upload_lock(client: "Client", model: str, number: int, lock: "EnvironmentLock") -> None:
    """Keep the lock file as a document, where the policy has the kind: a check reads what it pins."""
    from registry.client import ApiError

    try:
        client.upload_environment_lock(model, number, lock)
    except ApiError as error:
        click.echo(f"acta: {lock.name} is not kept, so its packages are not checked: {error}", err=True)


def _require(options: Mapping[str, str | bool | None], model: str) -> None:
    """Refuse a new model of which not everything was said."""
    missing = ["--" + name.replace("_", "-") for name, value in options.items() if value in (None, "")]
    if missing:
        said = ", ".join(missing).replace("--affects-persons", "--affects-persons or --affects-no-persons")
        raise click.UsageError(f"The model {model!r} is new: say {said}.")


def _profile(answers: Mapping[str, str | bool | None]) -> "RiskProfile":
    import msgspec

    from registry.catalog.facts import RiskProfile

    spelled = {name: value.replace("-", " ") if isinstance(value, str) else value for name, value in answers.items()}
    return msgspec.convert(spelled, RiskProfile)
