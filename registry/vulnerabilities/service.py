"""Reads the export of known vulnerabilities: its copy, its digest, and the row that says which one counts."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select
from sqlmodel import col

from registry.catalog.copies import copy_of_folder
from registry.catalog.manifest import ContentError, content_digest
from registry.policy.checks.osv import Export, ExportError, read_export
from registry.unit import Unit, Units
from registry.vulnerabilities.tables import VulnerabilityExportRow


@dataclass(frozen=True)
class CopiedExport:
    """A copy that nobody changes while it is read."""

    path: Path
    digest: bytes


@contextmanager
def copied_export(source: Path, directory: Path) -> Iterator[CopiedExport]:
    """Copy the export into a directory.

    Raises:
        ExportError: it cannot be read.
    """
    try:
        # The operator named the file: a link there is theirs, and followed.
        manifest = copy_of_folder(source.resolve(), directory)
    except ContentError as error:
        raise ExportError(str(error)) from error
    if source.is_dir():
        yield CopiedExport(directory, content_digest(manifest))
    else:
        (file,) = manifest.files
        yield CopiedExport(directory / file.path, bytes.fromhex(file.sha256))


def keep_export(units: Units, copied: CopiedExport) -> None:
    """Have this export count, unless it does already. Reading it happens outside of any transaction.

    Raises:
        ExportError: it holds no records.
    """
    with units.reading() as unit:
        newest = newest_export(unit)
    if newest is not None and newest.digest == copied.digest:
        return
    read = read_export(copied.path)
    with units.writing() as unit:
        _keep(unit, copied.digest, read)


def newest_export(unit: Unit) -> VulnerabilityExportRow | None:
    """The export that counts."""
    query = select(VulnerabilityExportRow).order_by(col(VulnerabilityExportRow.read_at).desc()).limit(1)
    return unit.session.execute(query).scalar()


def _keep(unit: Unit, digest: bytes, read: Export) -> None:
    row = VulnerabilityExportRow(digest=digest, exported_at=read.exported_at, records=read.count, read_at=unit.now)
    unit.session.add(row)
    unit.record(
        None,
        "vulnerability-export.read",
        row.id,
        {
            "sha256": digest.hex(),
            "exported_at": row.exported_at,
            "records": row.records,
            "read_at": row.read_at,
        },
    )
