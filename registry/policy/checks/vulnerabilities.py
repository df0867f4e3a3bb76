"""The check of a version's environment against known vulnerabilities."""

from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Annotated, ClassVar

import msgspec

from registry.catalog.facts import EdgeKind
from registry.policy.checks.facts import CheckFacts, Edge, Files, UnreadableInputError, VulnerabilityExport
from registry.policy.checks.protocol import Finding, Reads
from registry.policy.checks.wording import hex_of, some_of, time_of
from registry.policy.outcomes import Outcome

CLOCK_TOLERANCE = timedelta(days=1)
LARGEST_LOOKED_AT = 8 * 2**20
"""Bytes of a file that may be a lock file by another name."""


class VulnerabilitiesAbsent(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """No package that the version's environment pins has a vulnerability in the export of OSV records that the operator
    supplies; the export is no older than the policy allows. Looked at are the artifact's requirements.txt, uv.lock,
    conda.yaml and python_env.yaml, and the lock file that the lineage names, which is found by its SHA-256 in the
    artifact or among the version's documents. A lock file that is found nowhere leaves it open, as do packages without
    an exact version.
    """

    name: ClassVar[str] = "vulnerabilities-absent"
    version: ClassVar[int] = 2
    reads: ClassVar[frozenset[Reads]] = frozenset({Reads.ARTIFACT, Reads.DOCUMENTS, Reads.VULNERABILITY_EXPORT})

    max_export_age_days: Annotated[int, msgspec.Meta(ge=1, le=3650)] = 14
    """By the newest record in it."""
    accepted: Annotated[tuple[str, ...], msgspec.Meta(max_length=200)] = ()
    """Identifiers of vulnerabilities that are known not to matter; they are named in the evidence."""

    def inputs(self, facts: CheckFacts, now: datetime) -> tuple[str, ...]:
        export = facts.vulnerability_export
        documents = {document.digest for document in facts.documents}
        locks = [f"{hex_of(lock.digest)} {'document' if lock.digest in documents else ''}" for lock in _locks(facts)]
        if export is None:
            return (hex_of(facts.content_digest), "none", *locks)
        age = "too old" if self._is_too_old(export, now) else "in time"
        return (hex_of(facts.content_digest), hex_of(export.digest), time_of(export.exported_at), age, *locks)

    def examine(self, facts: CheckFacts, now: datetime, files: Files) -> Finding:
        from registry.policy.checks.locks import LockError, read_locks
        from registry.policy.checks.osv import ExportError, IncomparableError, affects, read_export

        export = facts.vulnerability_export
        if export is None or files.vulnerability_export is None:
            return Finding(Outcome.ERROR, "No export of known vulnerabilities is supplied (ACTA_OSV_EXPORT).")
        evidence = {
            "export SHA-256": hex_of(export.digest),
            "export of": time_of(export.exported_at),
            "records": str(export.records),
        }
        if self._is_too_old(export, now):
            reason = f"The export of known vulnerabilities is older than {self.max_export_age_days} days."
            return Finding(Outcome.ERROR, reason, evidence)
        if export.exported_at > now + CLOCK_TOLERANCE:
            return Finding(Outcome.ERROR, "The export of known vulnerabilities is dated in the future.", evidence)
        try:
            sources, missing = _environment_files(facts, files)
            pinned = read_locks(sources)
            read = read_export(files.vulnerability_export, pinned.versions)
            affected = [
                (record.id, f"{name} {version}")
                for record in read.records
                for name, versions in pinned.versions.items()
                for version in sorted(versions)
                if affects(record, name, version)
            ]
        except (LockError, ExportError) as error:
            raise UnreadableInputError(str(error)) from error
        except IncomparableError as error:
            raise UnreadableInputError(f"A record names the version {error}, which cannot be compared.") from error
        evidence["environment files"] = some_of(pinned.files)
        evidence["packages pinned"] = str(len(pinned.versions))
        evidence["not pinned"] = some_of(pinned.loose)
        evidence["accepted"] = some_of(sorted({f"{one} {of}" for one, of in affected if one in self.accepted}))
        found = sorted(f"{of}: {one}" for one, of in affected if one not in self.accepted)
        if found:
            evidence["found"] = some_of(found)
            return Finding(Outcome.FAILED, f"Known vulnerabilities: {some_of(found)}.", evidence)
        if missing:
            reason = (
                f"The lock file of the lineage is neither in the artifact nor among the documents: {some_of(missing)}. "
                "Upload it (`acta document add FILE --kind environment-lock`)."
            )
            return Finding(Outcome.INCONCLUSIVE, reason, evidence)
        if not pinned.files:
            return Finding(Outcome.INCONCLUSIVE, "The artifact has no file that names its environment.", evidence)
        if pinned.loose or not pinned.versions:
            reason = f"Not everything has an exact version: {some_of(pinned.loose) or 'no package is named'}."
            return Finding(Outcome.INCONCLUSIVE, reason, evidence)
        return Finding(Outcome.PASSED, "No pinned package has a known vulnerability.", evidence)

    def _is_too_old(self, export: VulnerabilityExport, now: datetime) -> bool:
        return now - export.exported_at > timedelta(days=self.max_export_age_days)


def _locks(facts: CheckFacts) -> list[Edge]:
    return [edge for edge in facts.edges if edge.kind is EdgeKind.ENVIRONMENT and edge.digest is not None]


def _environment_files(facts: CheckFacts, files: Files) -> tuple[dict[str, Path], list[str]]:
    """The files to read, by name, and the lock files of the lineage that were not found.

    Raises:
        UnreadableInputError: the artifact or a document could not be had.
    """
    from registry.policy.checks.locks import LARGEST_LOCK_BYTES, lock_files

    folder = files.sound_artifact(facts)
    found, missing = lock_files(folder), []
    known = {sha256(path.read_bytes()).digest() for path in found.values() if path.stat().st_size <= LARGEST_LOCK_BYTES}
    digests = {document.kind: document.digest for document in facts.documents}
    uploaded = {digests.get(document.kind): document.path for document in files.documents}
    for lock in _locks(facts):
        if lock.digest in known:
            continue
        if lock.digest in uploaded:
            found[lock.name] = uploaded[lock.digest]
            continue
        within = _in_artifact(folder, lock.digest)
        if within is not None:
            found[lock.name] = within
        elif files.missing_documents is not None:
            raise UnreadableInputError(f"A document could not be read: {files.missing_documents}")
        else:
            missing.append(f"{lock.name}, SHA-256 {hex_of(lock.digest)}")
    return found, missing


def _in_artifact(folder: Path, digest: bytes | None) -> Path | None:
    """A file of another name, such as `environment.lock`, by its SHA-256."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.stat().st_size <= LARGEST_LOOKED_AT and sha256(path.read_bytes()).digest() == digest:
            return path
    return None
