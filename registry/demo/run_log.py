"""Logs the tour's training to MLflow: a run with its inputs, parameters, metrics, environment and model."""

import hashlib
import platform
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import distributions, version
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from registry.demo.dataset import LABEL, Part, sha256_of
from registry.mlflow.runs import (
    ENVIRONMENT_LOCK,
    REPOSITORY_TAG,
    REVISION_TAG,
    SHA256_TAG,
    CodeFact,
    without_credentials,
)
from registry.mlflow.tracking import tracking

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from numpy import float64, int64
    from numpy.typing import NDArray
    from pandas import DataFrame

# skops loads nothing that it does not know. The trees of scikit-learn's gradient boosting are its one unknown
# type here: plain arrays of nodes, with no code to run on loading.
TRUSTED_TYPES = ["sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor"]
NEEDED_TO_LOAD = ("mlflow", "numpy", "pandas", "scikit-learn", "scipy", "skops")


class Classifier(Protocol):
    """What is used of a scikit-learn classifier."""

    def fit(self, inputs: "DataFrame", labels: "NDArray[int64]") -> "Classifier": ...
    def predict(self, inputs: "DataFrame") -> "NDArray[int64]": ...
    def predict_proba(self, inputs: "DataFrame") -> "NDArray[float64]": ...


@dataclass(frozen=True, slots=True)
class Logged:
    """Where MLflow keeps the run and the model."""

    tracking_uri: str
    experiment: str
    run_id: str
    model_id: str
    model_uri: str
    """`models:/m-...`"""
    artifact_uri: str
    """The folder of the model's files, as a `file:` URI."""
    environment_sha256: str
    code_repository: str
    code_revision: str


def log_run(
    *,
    directory: Path,
    tracking_uri: str,
    experiment: str,
    model: Classifier,
    example: "DataFrame",
    parameters: Mapping[str, str | int | float],
    metrics: Mapping[str, float],
    parts: Mapping[str, tuple["DataFrame", Part]],
) -> Logged:
    """Log one finished run; `parts` maps MLflow's context of a dataset ("training", "test") to its rows and file."""
    code = code_identity()
    lock = environment_lock()
    with tracking(tracking_uri) as client:
        import mlflow
        import mlflow.sklearn
        from mlflow.data.pandas_dataset import from_pandas

        # Tags are given here, not taken from the environment: MLflow would add the name of the person logged in.
        run = client.create_run(
            _experiment_id(client, experiment, directory),
            run_name="credit-default",
            tags={
                REPOSITORY_TAG: code.repository or "",
                REVISION_TAG: code.revision,
                "acta.code.sha256": sha256_of(Path(__file__).with_name("training.py")),
                "mlflow.source.name": "registry.demo.training",
                "mlflow.source.type": "LOCAL",
            },
        )
        with mlflow.start_run(run_id=run.info.run_id):
            mlflow.log_params(dict(parameters))
            mlflow.log_text(lock, ENVIRONMENT_LOCK)
            for context, (frame, part) in parts.items():
                given = from_pandas(frame, source=part.path.as_uri(), targets=LABEL, name=part.path.stem)
                mlflow.log_input(given, context=context, tags={SHA256_TAG: part.sha256})
            logged = mlflow.sklearn.log_model(
                model,
                name="credit-default",
                signature=mlflow.models.infer_signature(example, model.predict(example)),
                input_example=example,
                serialization_format="skops",
                skops_trusted_types=TRUSTED_TYPES,
                # Stated, because MLflow would otherwise load the model in another process to find out.
                pip_requirements=[f"{name}=={version(name)}" for name in NEEDED_TO_LOAD],
            )
            mlflow.log_metrics(dict(metrics), model_id=logged.model_id)
        artifact_uri = client.get_logged_model(logged.model_id).artifact_location
    return Logged(
        tracking_uri=tracking_uri,
        experiment=experiment,
        run_id=run.info.run_id,
        model_id=logged.model_id,
        model_uri=logged.model_uri,
        artifact_uri=artifact_uri,
        environment_sha256=hashlib.sha256(lock.encode()).hexdigest(),
        code_repository=code.repository or "",
        code_revision=code.revision,
    )


def environment_lock() -> str:
    """Interpreter and every installed distribution, one sorted `name==version` a line."""
    installed = {(item.metadata["Name"].lower().replace("_", "-"), item.version) for item in distributions()}
    lines = [f"python=={platform.python_version()}", *(f"{name}=={number}" for name, number in installed)]
    return "\n".join(sorted(lines)) + "\n"


def code_identity() -> CodeFact:
    """The commit of this code in a checkout; elsewhere the installed version and the digest of the training source.

    A commit is stated only when git tracks this file and it is unchanged: a virtual environment inside
    somebody's own checkout must not name their commit as ours.
    """
    folder = Path(__file__).parent
    if _git(folder, "ls-files", "--error-unmatch", "training.py") is not None and not _git(
        folder, "status", "--porcelain", "--", "."
    ):
        commit = _git(folder, "rev-parse", "HEAD")
        if commit:
            return CodeFact(without_credentials(_git(folder, "remote", "get-url", "origin") or "acta-registry"), commit)
    return CodeFact(f"acta-registry {version('acta-registry')}", f"sha256:{sha256_of(folder / 'training.py')}")


def _git(folder: Path, *arguments: str) -> str | None:
    """Standard output of git, or None where git is missing or says no."""
    try:
        done = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, timeout=20, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()


def _experiment_id(client: "MlflowClient", name: str, directory: Path) -> str:
    known = client.get_experiment_by_name(name)
    if known is not None:
        return known.experiment_id
    return client.create_experiment(name, artifact_location=(directory / "artifacts").as_uri())
