"""The check of a version's environment against known vulnerabilities."""

from datetime import datetime, timedelta
from typing import Annotated, ClassVar

import msgspec

from registry.policy.checks.facts import CheckFacts, Files, UnreadableInputError, VulnerabilityExport
from registry.policy.checks.protocol import Finding, Reads
from registry.policy.checks.wording import hex_of, some_of, time_of
from registry.policy.outcomes import Outcome

CLOCK_TOLERANCE = timedelta(days=1)


class VulnerabilitiesAbsent(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """No package that the version's environment files pin (requirements.txt, uv.lock, conda.yaml, python_env.yaml) has
    a vulnerability in the export of OSV records that the operator supplies; the export is no older than the policy
    allows. Packages that are named without an exact version leave it open. What the files do not name is not looked at.
    """

    name: ClassVar[str] = "vulnerabilities-absent"
    version: ClassVar[int] = 1
    reads: ClassVar[frozenset[Reads]] = frozenset({Reads.ARTIFACT, Reads.VULNERABILITY_EXPORT})

    max_export_age_days: Annotated[int, msgspec.Meta(ge=1, le=3650)] = 14
    """By the newest record in it."""
    accepted: Annotated[tuple[str, ...], msgspec.Meta(max_length=200)] = ()
    """Identifiers of vulnerabilities that are known not to matter; they are named in the evidence."""

    def inputs(self, facts: CheckFacts, now: datetime) -> tuple[str, ...]:
        export = facts.vulnerability_export
        if export is None:
            return (hex_of(facts.content_digest), "none")
        age = "too old" if self._is_too_old(export, now) else "in time"
        return (hex_of(facts.content_digest), hex_of(export.digest), time_of(export.exported_at), age)

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
            pinned = read_locks(files.sound_artifact(facts))
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
        if not pinned.files:
            return Finding(Outcome.INCONCLUSIVE, "The artifact has no file that names its environment.", evidence)
        if pinned.loose or not pinned.versions:
            reason = f"Not everything has an exact version: {some_of(pinned.loose) or 'no package is named'}."
            return Finding(Outcome.INCONCLUSIVE, reason, evidence)
        return Finding(Outcome.PASSED, "No pinned package has a known vulnerability.", evidence)

    def _is_too_old(self, export: VulnerabilityExport, now: datetime) -> bool:
        return now - export.exported_at > timedelta(days=self.max_export_age_days)
