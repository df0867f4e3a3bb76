"""From an MLflow run, a logged model or a folder on this machine to what the registry is told about a version.

The content digest is computed here, from the bytes; the server computes it again from the bytes that it can reach.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from uuid import UUID

from registry.catalog.facts import DatasetRole, EdgeKind, LineageEdge, VersionFacts
from registry.errors import InvalidInputError

if TYPE_CHECKING:
    from registry.mlflow.runs import RunFacts

ROLES = {
    "training": DatasetRole.TRAINING,
    "train": DatasetRole.TRAINING,
    "validation": DatasetRole.VALIDATION,
    "valid": DatasetRole.VALIDATION,
    "test": DatasetRole.TEST,
    "testing": DatasetRole.TEST,
    "holdout": DatasetRole.TEST,
    "hold-out": DatasetRole.TEST,
    "eval": DatasetRole.TEST,
    "evaluation": DatasetRole.TEST,
}
"""What people write into MLflow as the context of a data set -> its role here."""

CHUNK_BYTES = 1 << 20


@dataclass(frozen=True)
class Stated:
    """What is said beside the run: it adds to what the run knows."""

    datasets: tuple[LineageEdge, ...] = ()
    code_commit: str | None = None
    repository: str | None = None
    environment_lock: Path | None = None
    parent: int | None = None
    description: str | None = None
    trained_by: UUID | None = None


@dataclass(frozen=True)
class EnvironmentLock:
    """A lock file and its bytes."""

    name: str
    content: bytes


@dataclass(frozen=True)
class Registration:
    """The facts of a version, and what the run said that could not be used."""

    facts: VersionFacts
    left_out: tuple[str, ...]
    """Sentences."""
    lock: EnvironmentLock | None = None
    """The lock file that the lineage names, where it is not among the model's own files: to be uploaded."""


def check_source(run_or_folder: str, tracking_uri: str | None) -> None:
    """Refuse what is neither a folder here nor to be found in MLflow, before anything else is asked or read.

    Raises:
        InvalidInputError: saying which of the two is missing.
    """
    if Path(run_or_folder).is_dir():
        return
    is_path = run_or_folder.startswith((".", "/", "~")) or Path(run_or_folder).exists()
    if is_path:
        raise InvalidInputError("RUN_OR_FOLDER", run_or_folder, "there is no folder of this name on this machine")
    if tracking_uri is None:
        rule = "it is no folder here; to read it as an MLflow run, say --tracking-uri or set MLFLOW_TRACKING_URI"
        raise InvalidInputError("RUN_OR_FOLDER", run_or_folder, rule)


def version_facts(
    run_or_folder: str, tracking_uri: str | None, stated: Stated, on_progress: Callable[[int, int], None] | None = None
) -> Registration:
    """Everything that the registry is told of one trained model. `on_progress`: bytes read, bytes in all.

    Raises:
        InvalidInputError: the run, model or folder cannot be read, or its files are refused.
    """
    from registry.catalog.digest import manifest_of_folder, manifest_of_uri
    from registry.catalog.manifest import ContentError, content_digest
    from registry.mlflow.runs import RunUnreadableError, read_folder, read_run

    check_source(run_or_folder, tracking_uri)
    folder = Path(run_or_folder)
    try:
        if folder.is_dir():
            run = read_folder(folder)
            manifest = manifest_of_folder(folder.resolve(), on_progress)
        else:
            assert tracking_uri is not None
            run = read_run(run_or_folder, tracking_uri)
            manifest = manifest_of_uri(run.source_uri, [_root_of(run.source_uri)], on_progress)
    except (RunUnreadableError, ContentError) as error:
        raise InvalidInputError("RUN_OR_FOLDER", run_or_folder, str(error)) from error
    edges: list[LineageEdge] = []
    left_out: list[str] = []
    for dataset in run.datasets:
        role = ROLES.get((dataset.context or "").lower())
        if role is None or dataset.sha256 is None:
            missing = "role" if role is None else "SHA-256"
            left_out.append(
                f"The run's data set {dataset.name!r} states no {missing} and is left out; name it with --dataset."
            )
        else:
            edges.append(LineageEdge(EdgeKind.DATASET, dataset.name, role, dataset.uri, dataset.sha256))
    edges.extend(stated.datasets)
    code = stated.code_commit or (run.code.revision if run.code else None)
    if code:
        repository = stated.repository or (run.code.repository if run.code else None)
        name = (repository or "code").rstrip("/").rsplit("/", 1)[-1]
        edges.append(LineageEdge(EdgeKind.CODE, name, uri=repository, identifier=code))
    if run.run_id:
        edges.append(LineageEdge(EdgeKind.RUN, run.run_name or run.run_id, uri=run.tracking_uri, identifier=run.run_id))
    lock = _lock_of(stated, run)
    if lock is not None:
        digest = hashlib.sha256(lock.content).hexdigest()
        edges.append(LineageEdge(EdgeKind.ENVIRONMENT, lock.name, digest=digest))
        if any(file.sha256 == digest for file in manifest.files):
            lock = None
    if stated.parent is not None:
        edges.append(LineageEdge(EdgeKind.PARENT, f"version {stated.parent}", identifier=str(stated.parent)))
    facts = VersionFacts(
        source_uri=run.source_uri,
        content_digest=content_digest(manifest).hex(),
        framework=run.framework,
        framework_version=run.framework_version,
        run_id=run.run_id,
        metrics=dict(run.metrics),
        parameters=dict(run.parameters),
        signature=run.signature_json,
        size_bytes=run.size_bytes,
        description=stated.description,
        lineage=edges,
        trained_by=stated.trained_by,
    )
    return Registration(facts, tuple(left_out), lock)


def _lock_of(stated: Stated, run: "RunFacts") -> EnvironmentLock | None:
    if stated.environment_lock is None:
        return None if run.environment is None else EnvironmentLock(run.environment.name, run.environment.content)
    path = stated.environment_lock
    try:
        return EnvironmentLock(path.name, path.read_bytes())
    except OSError as error:
        raise InvalidInputError("--environment-lock", str(path), f"it cannot be read ({error.strerror})") from error


def _root_of(uri: str) -> str:
    """The run says where its model lies, and the user named the run: that one place may be read."""
    parts = urlsplit(uri)
    return f"{parts.scheme}://{parts.netloc}{parts.path}"


def dataset_edges(given: Sequence[str]) -> tuple[LineageEdge, ...]:
    """Data sets from `ROLE=FILE`, with the SHA-256 of each file.

    Raises:
        InvalidInputError: another form, an unknown role, or a file that cannot be read.
    """
    edges = []
    for text in given:
        role, mark, file = text.partition("=")
        if not mark or role not in {known.value for known in DatasetRole}:
            raise InvalidInputError("--dataset", text, "write training=FILE, validation=FILE or test=FILE")
        path = Path(file)
        digest = file_digest(path)
        edges.append(LineageEdge(EdgeKind.DATASET, path.name, DatasetRole(role), path.resolve().as_uri(), digest))
    return tuple(edges)


def training_files(given: Sequence[str]) -> tuple[tuple[Path, str], ...]:
    """The files of `training=FILE`, each with its SHA-256 (64 hexadecimal digits).

    Raises:
        InvalidInputError: a file that cannot be read.
    """
    files = [Path(text.removeprefix("training=")) for text in given if text.startswith("training=")]
    return tuple((path, file_digest(path)) for path in files)


def file_digest(path: Path) -> str:
    """SHA-256 of a file, 64 hexadecimal digits.

    Raises:
        InvalidInputError: it cannot be read.
    """
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while chunk := file.read(CHUNK_BYTES):
                digest.update(chunk)
    except OSError as error:
        raise InvalidInputError("file", str(path), f"it cannot be read ({error.strerror})") from error
    return digest.hexdigest()
