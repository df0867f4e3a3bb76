"""`acta register`."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from registry.catalog.facts import Impact, PersonalData
from registry.cli.connection import actor_named, with_client
from registry.cli.output import Form, emit, json_option

if TYPE_CHECKING:
    from registry.catalog.facts import RiskProfile
    from registry.client import Client

IMPACT = click.Choice([impact.value for impact in Impact])
PERSONAL = {kind.value.replace(" ", "-"): kind for kind in PersonalData}
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.argument("run_or_folder")
@click.option("--model", required=True, help="Name of the registered model.")
@click.option("--tracking-uri", envvar="MLFLOW_TRACKING_URI", help="MLflow's. Or: MLFLOW_TRACKING_URI.")
@click.option("--dataset", "datasets", multiple=True, metavar="ROLE=FILE", help="training=, validation= or test=FILE.")
@click.option("--commit", help="Commit of the training code, where the run does not say it.")
@click.option("--repository", help="URI of the training code's repository.")
@click.option("--environment-lock", type=FILE, help="Lock file of the training environment.")
@click.option("--parent", type=click.IntRange(1), help="Number of the version that this one was made from.")
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
@click.option("--personal-data", type=click.Choice(list(PERSONAL)), help="New model: what personal data it uses.")
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
    personal_data: str | None,
    form: Form,
) -> None:
    """Register a version of a model from RUN_OR_FOLDER; print its number.

    RUN_OR_FOLDER is an MLflow run id, runs:/ID, a logged model models:/m-ID, or a folder. The digest of its files is
    computed here. A model that is not registered yet needs the options marked "New model".

    Example: acta register 3f2c9e --tracking-uri sqlite:///mlruns.db --model credit-default
    """
    from registry.cli.progress import counting
    from registry.client.registration import Stated, dataset_edges, version_facts

    texts = {"intended_users": intended_users, "out_of_scope": out_of_scope, "limitations": limitations}
    is_new = client.find_model(model) is None
    profile = _profile(financial_impact, reputational_impact, affects_persons, personal_data)
    if is_new and (not team or not purpose or profile is None):
        raise click.UsageError(
            f"The model {model!r} is new: say --team, --purpose, --financial-impact, --reputational-impact, "
            "--affects-persons or --affects-no-persons, and --personal-data."
        )
    owner_id = client.me().actor.id if owner is None else actor_named(client, owner).id
    stated = Stated(dataset_edges(datasets), commit, repository, environment_lock, parent, description)
    with counting("Reading the model's files") as progress:
        registration = version_facts(run_or_folder, tracking_uri, stated, progress)
    for sentence in registration.left_out:
        click.echo(f"acta: {sentence}", err=True)
    if is_new and team and purpose and profile is not None:
        made = client.register_model(model, team=team, owner_id=owner_id, purpose=purpose, profile=profile, **texts)
        click.echo(f"registered the model {made.name}: risk tier {made.risk_tier}", err=True)
    version = client.register_version(model, registration.facts)
    if alias is not None:
        version = client.set_alias(model, alias, version.number)
    click.echo(f"registered version {version.number} of {model}; content digest {version.content_digest}", err=True)
    emit(version, form, str(version.number))


def _profile(
    financial: str | None, reputational: str | None, affects_persons: bool | None, personal: str | None
) -> "RiskProfile | None":
    from registry.catalog.facts import RiskProfile

    if financial is None or reputational is None or affects_persons is None or personal is None:
        return None
    return RiskProfile(Impact(financial), Impact(reputational), affects_persons, PERSONAL[personal])
