"""Brings what checks read into a directory of their own: the version's files, its documents, the operator's export."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from registry.catalog.copies import copy_of_uri
from registry.catalog.manifest import ContentError, EmptyContentError, LinkRefusedError, UnreadableNameError
from registry.catalog.manifest import content_digest as digest_of
from registry.errors import ActaError
from registry.policy.checks import ArtifactFiles, Check, DocumentFacts, DocumentFile, Files, Reads
from registry.policy.checks.osv import ExportError
from registry.settings import Settings
from registry.storage import Storage
from registry.unit import Units
from registry.vulnerabilities.service import CopiedExport, copied_export, keep_export

logger = logging.getLogger("acta.checks")


@dataclass(frozen=True)
class Directory:
    """Where the copies for one run of checks lie."""

    root: Path

    def made(self, name: str) -> Path:
        """A new folder in it."""
        folder = self.root / name
        folder.mkdir()
        return folder


@contextmanager
def directory_of_copies() -> Iterator[Directory]:
    """A directory that is gone afterwards."""
    with TemporaryDirectory(prefix="acta-materials-") as directory:
        yield Directory(Path(directory))


def wanted_by(checks: Sequence[Check]) -> frozenset[Reads]:
    """Everything that any of the checks reads."""
    return frozenset(one for check in checks for one in check.reads)


def refreshed_export(
    units: Units, settings: Settings, wanted: frozenset[Reads], directory: Directory
) -> CopiedExport | None:
    """The operator's export, copied, and kept as the one that counts; None where there is none that can be read."""
    if Reads.VULNERABILITY_EXPORT not in wanted or settings.osv_export is None:
        return None
    try:
        with copied_export(settings.osv_export, directory.made("export")) as copied:
            keep_export(units, copied)
            return copied
    except ExportError as error:
        logger.warning("the export of vulnerabilities cannot be read: %s", error)
        return None


def files_for(check: Check, copied: Files) -> Files:
    """What one check reads of all that was copied."""
    return Files(
        artifact=copied.artifact if Reads.ARTIFACT in check.reads else None,
        documents=copied.documents if Reads.DOCUMENTS in check.reads else (),
        missing_documents=copied.missing_documents if Reads.DOCUMENTS in check.reads else None,
        vulnerability_export=copied.vulnerability_export if Reads.VULNERABILITY_EXPORT in check.reads else None,
    )


def copied_files(
    source_uri: str,
    documents: Sequence[DocumentFacts],
    export: CopiedExport | None,
    settings: Settings,
    wanted: frozenset[Reads],
    directory: Directory,
) -> Files:
    """Everything that is wanted, or why it could not be had."""
    artifact = _copied_artifact(source_uri, settings, directory) if Reads.ARTIFACT in wanted else None
    found, missing = _copied_documents(documents, settings, directory) if Reads.DOCUMENTS in wanted else ((), None)
    return Files(artifact, found, missing, None if export is None else export.path)


def _copied_artifact(source_uri: str, settings: Settings, directory: Directory) -> ArtifactFiles:
    """The version's files, with the content digest of what was copied."""
    folder = directory.made("artifact")
    try:
        manifest = copy_of_uri(source_uri, settings.artifact_roots, folder, settings.check_limit_bytes)
    except (LinkRefusedError, EmptyContentError, UnreadableNameError) as error:
        return ArtifactFiles(None, problem=str(error), at_fault=True)
    except (ContentError, OSError) as error:
        return ArtifactFiles(None, problem=str(error))
    return ArtifactFiles(folder, digest_of(manifest))


def _copied_documents(
    documents: Sequence[DocumentFacts], settings: Settings, directory: Directory
) -> tuple[tuple[DocumentFile, ...], str | None]:
    """The bytes of the documents, or why the storage does not give them."""
    folder = directory.made("documents")
    storage = Storage(settings.storage)
    found: list[DocumentFile] = []
    for document in documents:
        path = folder / document.kind
        try:
            path.write_bytes(storage.get(document.digest))
        except ActaError as error:
            return tuple(found), f"{document.kind}: {error}"
        found.append(DocumentFile(document.kind, document.file_name, path))
    return tuple(found), None
