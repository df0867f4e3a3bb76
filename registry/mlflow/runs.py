"""What an MLflow run, a logged model or a plain folder says about a model version.

Facts are read, never judged: the registry states them, and its checks say what is missing.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

import yaml

from registry.mlflow.tracking import tracking

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import DatasetInput, LoggedModel, Run

SHA256_TAG = "acta.sha256"
"""Tag of a dataset input: SHA-256 of the file's bytes. MLflow's own digest has 8 characters and covers a sample."""
REPOSITORY_TAG = "acta.code.repository"
REVISION_TAG = "acta.code.revision"
ENVIRONMENT_LOCK = "environment.lock"
"""Artifact of a run: one sorted `name==version` a line for every installed distribution."""


class RunUnreadableError(ValueError):
    """A run, model or folder cannot be read; the message names it and what to do."""


@dataclass(frozen=True, slots=True)
class DatasetFact:
    """A dataset that a run names as its input. `context` is MLflow's word for its role, such as "training"."""

    name: str
    digest: str
    """As MLflow states it."""
    sha256: str | None
    """SHA-256 of the bytes in hexadecimal, where the run states it."""
    uri: str | None
    context: str | None


@dataclass(frozen=True, slots=True)
class CodeFact:
    """The code that trained the model. `revision`: a commit, or `sha256:...` of a source outside version control."""

    repository: str | None
    revision: str


@dataclass(frozen=True, slots=True)
class EnvironmentFact:
    """The file that pins the packages of the training."""

    name: str
    content: bytes

    @property
    def sha256(self) -> str:
        """Of its bytes, in hexadecimal."""
        return hashlib.sha256(self.content).hexdigest()


@dataclass(frozen=True, slots=True)
class RunFacts:
    """Everything known of one trained model before it is registered. None: nobody said."""

    source_uri: str
    """Where the model's files lie: a `file:` or fsspec URI."""
    framework: str
    framework_version: str | None
    signature_json: str | None
    size_bytes: int
    """Bytes of all files of the model; of a remote model, as MLflow states it."""
    run_id: str | None = None
    run_name: str | None = None
    experiment: str | None = None
    model_id: str | None = None
    tracking_uri: str | None = None
    metrics: tuple[tuple[str, str], ...] = ()
    """Name and decimal string, sorted by name. `NaN` and `Infinity` stay what they are."""
    parameters: tuple[tuple[str, str], ...] = ()
    datasets: tuple[DatasetFact, ...] = ()
    code: CodeFact | None = None
    environment: EnvironmentFact | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None


def decimal_string(value: float) -> str:
    """The shortest decimal that reads back as the same float, without an exponent: 1e-07 is `0.0000001`."""
    return format(Decimal(repr(float(value))), "f")


def read_folder(path: Path) -> RunFacts:
    """Facts of a folder on disk; of an MLflow model folder also framework and signature.

    Raises:
        RunUnreadableError: it is no folder, or its MLmodel file is broken.
    """
    if not path.is_dir():
        raise RunUnreadableError(f"{str(path)!r} is not a folder; name the folder that holds the model's files.")
    mlmodel = path / "MLmodel"
    model = _model_of(mlmodel.read_text() if mlmodel.is_file() else "{}", str(path))
    requirements = path / "requirements.txt"
    environment = None
    if requirements.is_file():
        environment = EnvironmentFact(requirements.name, requirements.read_bytes())
    return RunFacts(
        source_uri=path.resolve().as_uri(),
        framework=model.framework,
        framework_version=model.framework_version,
        signature_json=model.signature_json,
        size_bytes=_folder_bytes(path),
        run_id=model.run_id,
        model_id=model.model_id,
        environment=environment,
    )


def read_run(run_or_model: str, tracking_uri: str) -> RunFacts:
    """Facts of a run id, `runs:/<run>[/<model name>]` or `models:/m-<id>` in the tracking store.

    Raises:
        RunUnreadableError: nothing has that name there, the run has no model or several, or the
            model's files can only be had through the tracking server.
    """
    with tracking(tracking_uri) as client:
        from mlflow.exceptions import MlflowException

        try:
            model = _find_model(client, run_or_model)
            run = client.get_run(model.source_run_id) if model.source_run_id else None
            return _facts(client, model, run, tracking_uri)
        except MlflowException as error:
            raise RunUnreadableError(
                f"MLflow at {without_credentials(tracking_uri)!r} cannot give {run_or_model!r}: {error.message} "
                "Check the id and --tracking-uri."
            ) from error


def _find_model(client: "MlflowClient", name: str) -> "LoggedModel":
    if name.startswith("models:/m-"):
        return client.get_logged_model(name.removeprefix("models:/"))
    if name.startswith("models:"):
        raise RunUnreadableError(
            f"{name!r} names a registered model; give the logged model (models:/m-...), the run id, or runs:/<run id>."
        )
    run_id, _, wanted = name.removeprefix("runs:/").partition("/")
    run = client.get_run(run_id)
    models = [client.get_logged_model(output.model_id) for output in run.outputs.model_outputs] if run.outputs else []
    matching = [model for model in models if not wanted or model.name == wanted]
    if len(matching) == 1:
        return matching[0]
    known = ", ".join(f"{model.model_uri} ({model.name})" for model in models) or "none"
    asked = f"no single model named {wanted!r}" if wanted else f"{len(models)} models instead of one"
    raise RunUnreadableError(f"Run {run_id!r} has {asked}; name one of its logged models: {known}.")


def _facts(client: "MlflowClient", model: "LoggedModel", run: "Run | None", tracking_uri: str) -> RunFacts:
    import mlflow

    source_uri = _plain_uri(model.artifact_location)
    described = _model_of(mlflow.artifacts.load_text(f"{source_uri}/MLmodel"), source_uri)
    local = _local_path(source_uri)
    return RunFacts(
        source_uri=source_uri,
        framework=described.framework,
        framework_version=described.framework_version,
        signature_json=described.signature_json,
        size_bytes=_folder_bytes(local) if local else described.size_bytes,
        run_id=model.source_run_id,
        run_name=run.info.run_name if run else None,
        experiment=client.get_experiment(model.experiment_id).name,
        model_id=model.model_id,
        tracking_uri=without_credentials(tracking_uri),
        metrics=tuple(sorted((name, decimal_string(value)) for name, value in run.data.metrics.items())) if run else (),
        parameters=tuple(sorted(run.data.params.items())) if run else (),
        datasets=tuple(_dataset(given) for given in run.inputs.dataset_inputs) if run and run.inputs else (),
        code=_code(run.data.tags) if run else None,
        environment=_environment(client, run, source_uri),
        started_at=_instant(run.info.start_time) if run else None,
        ended_at=_instant(run.info.end_time) if run else None,
    )


@dataclass(frozen=True, slots=True)
class _Described:
    """What an MLmodel file says."""

    framework: str
    framework_version: str | None
    signature_json: str | None
    size_bytes: int
    run_id: str | None
    model_id: str | None


def _model_of(mlmodel: str, place: str) -> _Described:
    try:
        content: object = yaml.safe_load(mlmodel)
    except yaml.YAMLError as error:
        raise RunUnreadableError(f"The MLmodel file in {place!r} is not YAML: {error}") from error
    if not isinstance(content, dict) or not isinstance(flavors := content.get("flavors", {}), dict):
        raise RunUnreadableError(f"The MLmodel file in {place!r} holds no flavors; log the model again with MLflow.")
    # python_function says how to serve a model, not what it is made with.
    framework = next((str(name) for name in flavors if name != "python_function"), "unknown")
    flavor = flavors.get(framework)
    version = flavor.get(f"{framework}_version") if isinstance(flavor, dict) else None
    signature = content.get("signature")
    size = content.get("model_size_bytes")
    return _Described(
        framework=framework if framework != "unknown" or not flavors else "python_function",
        framework_version=str(version) if version is not None else None,
        signature_json=_signature_json(signature, place) if isinstance(signature, dict) else None,
        size_bytes=size if isinstance(size, int) else 0,
        run_id=_text(content.get("run_id")),
        model_id=_text(content.get("model_id")),
    )


def _signature_json(signature: Mapping[str, object], place: str) -> str:
    """MLflow writes inputs, outputs and params as JSON inside YAML; here they are one JSON object."""
    try:
        parts = {
            name: json.loads(part) if isinstance(part, str) else part
            for name, part in signature.items()
            if part is not None
        }
        return json.dumps(parts, sort_keys=True)
    except (TypeError, ValueError) as error:
        raise RunUnreadableError(f"The signature in the MLmodel file in {place!r} is not JSON: {error}") from error


def _plain_uri(location: str) -> str:
    if location.startswith(("mlflow-artifacts:", "dbfs:")):
        raise RunUnreadableError(
            f"The files at {location!r} can only be had through their MLflow server; fetch them with "
            "`mlflow artifacts download --artifact-uri models:/m-... --dst-path FOLDER` and register FOLDER."
        )
    return Path(location).resolve().as_uri() if location.startswith("/") else location.rstrip("/")


def _local_path(uri: str) -> Path | None:
    parts = urlsplit(uri)
    return Path(unquote(parts.path)) if parts.scheme == "file" else None


def _folder_bytes(folder: Path) -> int:
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file())


def _dataset(given: "DatasetInput") -> DatasetFact:
    tags = {tag.key: tag.value for tag in given.tags}
    source: object = json.loads(given.dataset.source) if given.dataset.source else None
    uri = _text(source.get("uri") or source.get("url")) if isinstance(source, dict) else None
    return DatasetFact(
        name=given.dataset.name,
        digest=given.dataset.digest,
        sha256=tags.get(SHA256_TAG),
        uri=_plain_uri(uri) if uri else None,
        context=tags.get("mlflow.data.context"),
    )


def _code(tags: Mapping[str, str]) -> CodeFact | None:
    revision = tags.get(REVISION_TAG) or tags.get("mlflow.source.git.commit")
    if not revision:
        return None
    repository = tags.get(REPOSITORY_TAG) or tags.get("mlflow.source.git.repoURL") or tags.get("mlflow.source.name")
    return CodeFact(without_credentials(repository) if repository else None, revision)


def _environment(client: "MlflowClient", run: "Run | None", source_uri: str) -> EnvironmentFact | None:
    """The run's own lock file; else the requirements that MLflow writes beside every model it logs."""
    import mlflow

    names = {item.path for item in client.list_artifacts(run.info.run_id)} if run else set()
    if run and ENVIRONMENT_LOCK in names:
        name, text = ENVIRONMENT_LOCK, mlflow.artifacts.load_text(f"{run.info.artifact_uri}/{ENVIRONMENT_LOCK}")
    elif any(item.path == "requirements.txt" for item in mlflow.artifacts.list_artifacts(source_uri)):
        name, text = "requirements.txt", mlflow.artifacts.load_text(f"{source_uri}/requirements.txt")
    else:
        return None
    return EnvironmentFact(name, text.encode())


def _instant(milliseconds: int | None) -> datetime | None:
    return datetime.fromtimestamp(milliseconds / 1000, UTC) if milliseconds is not None else None


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def without_credentials(uri: str) -> str:
    """A URI as it may be stored and shown: no user with a password, and over HTTP no user, who may be a token."""
    parts = urlsplit(uri)
    if parts.password is None and not (parts.username and parts.scheme in ("http", "https")):
        return uri
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
