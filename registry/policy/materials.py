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


def files_for(
    check: Check, artifact: ArtifactFiles | None, documents: tuple[DocumentFile, ...], export: CopiedExport | None
) -> Files:
    """What one check reads of all that was copied."""
    return Files(
        artifact=artifact if Reads.ARTIFACT in check.reads else None,
        documents=documents if Reads.DOCUMENTS in check.reads else (),
        vulnerability_export=export.path if export and Reads.VULNERABILITY_EXPORT in check.reads else None,
    )


def copied_artifact(
    source_uri: str, settings: Settings, wanted: frozenset[Reads], directory: Directory
) -> ArtifactFiles | None:
    """The version's files, with the content digest of what was copied, or why they could not be."""
    if Reads.ARTIFACT not in wanted:
        return None
    folder = directory.made("artifact")
    try:
        manifest = copy_of_uri(source_uri, settings.artifact_roots, folder, settings.check_limit_bytes)
    except (LinkRefusedError, EmptyContentError, UnreadableNameError) as error:
        return ArtifactFiles(None, problem=str(error), at_fault=True)
    except (ContentError, OSError) as error:
        return ArtifactFiles(None, problem=str(error))
    return ArtifactFiles(folder, digest_of(manifest))


def copied_documents(
    documents: Sequence[DocumentFacts], settings: Settings, wanted: frozenset[Reads], directory: Directory
) -> tuple[DocumentFile, ...]:
    """The bytes of the documents.

    Raises:
        ActaError: the storage does not give them.
    """
    if Reads.DOCUMENTS not in wanted:
        return ()
    folder = directory.made("documents")
    storage = Storage(settings.storage)
    found = []
    for document in documents:
        path = folder / document.kind
        path.write_bytes(storage.get(document.digest))
        found.append(DocumentFile(document.kind, document.file_name, path))
    return tuple(found)
