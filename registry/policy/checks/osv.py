"""Records of known vulnerabilities in the Open Source Vulnerability format, and which versions they affect. No I/O but
reading an export.

Schema and evaluation: https://ossf.github.io/osv-schema/ (sections "affected[] fields" and "Evaluation"). An export is
a ZIP archive or a folder of JSON records, as https://osv-vulnerabilities.storage.googleapis.com/PyPI/all.zip is.
"""

import zipfile
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import msgspec
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

ECOSYSTEM = "PyPI"
MOST_RECORDS = 2_000_000
LARGEST_RECORD_BYTES = 16 * 2**20


class ExportError(Exception):
    """An export cannot be read."""


class Package(msgspec.Struct, frozen=True):
    """What a record is about."""

    ecosystem: str
    name: str


class Event(msgspec.Struct, frozen=True):
    """Where something begins or ends; one of the four is given."""

    introduced: str | None = None
    fixed: str | None = None
    last_affected: str | None = None
    limit: str | None = None


class Range(msgspec.Struct, frozen=True):
    """Events on one line of versions."""

    type: str
    events: list[Event]


class Affected(msgspec.Struct, frozen=True):
    """A package, and which of its versions are affected: those listed, and those in the ranges."""

    package: Package | None = None
    ranges: list[Range] = []
    versions: list[str] = []


class Record(msgspec.Struct, frozen=True):
    """One vulnerability."""

    id: str
    modified: datetime
    affected: list[Affected] = []
    withdrawn: datetime | None = None
    summary: str = ""


@dataclass(frozen=True)
class Export:
    """What an export holds of the records that matter, and of all when the newest was modified."""

    records: tuple[Record, ...]
    count: int
    exported_at: datetime


class IncomparableError(Exception):
    """A record names a version that PEP 440 does not order."""


def read_export(path: Path, names: Iterable[str] = ()) -> Export:
    """All records about packages of these names, and what is true of the whole.

    Raises:
        ExportError: it cannot be read, is empty, or holds something else than records.
    """
    wanted = {canonicalize_name(name) for name in names}
    kept: list[Record] = []
    count, newest = 0, None
    for name, data in _files(path):
        count += 1
        try:
            record = msgspec.json.decode(data, type=Record)
        except msgspec.DecodeError as error:
            raise ExportError(f"{name} is no OSV record: {error}") from error
        if record.modified.tzinfo is None:
            raise ExportError(f"{name} is no OSV record: its time has no zone")
        newest = record.modified if newest is None else max(newest, record.modified)
        if any(_is_about(affected, wanted) for affected in record.affected):
            kept.append(record)
    if newest is None:
        raise ExportError("it holds no record")
    return Export(tuple(kept), count, newest)


def _files(path: Path) -> Iterator[tuple[str, bytes]]:
    try:
        if path.is_dir():
            for file in sorted(path.rglob("*.json")):
                if file.stat().st_size > LARGEST_RECORD_BYTES:
                    raise ExportError(f"{file.name} has more than {LARGEST_RECORD_BYTES:,} bytes")
                yield file.name, file.read_bytes()
            return
        with zipfile.ZipFile(path) as archive:
            members = [member for member in archive.infolist() if member.filename.endswith(".json")]
            if len(members) > MOST_RECORDS:
                raise ExportError(f"it holds more than {MOST_RECORDS:,} records")
            for member in members:
                if member.file_size > LARGEST_RECORD_BYTES:
                    raise ExportError(f"{member.filename} has more than {LARGEST_RECORD_BYTES:,} bytes")
                yield member.filename, archive.read(member)
    # NotImplementedError: a compression that zipfile does not know; RuntimeError: an encrypted member.
    except (OSError, zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
        raise ExportError(f"it cannot be read ({error})") from error


def _is_about(affected: Affected, names: Collection[str]) -> bool:
    package = affected.package
    # The schema allows a suffix, such as "PyPI:" and a registry.
    return (
        package is not None
        and package.ecosystem.split(":", 1)[0] == ECOSYSTEM
        and canonicalize_name(package.name) in names
    )


def affects(record: Record, name: str, version: Version) -> bool:
    """Whether a version of a package is affected by the schema's algorithm.

    Raises:
        IncomparableError: the record names a version that cannot be put in order with this one.
    """
    if record.withdrawn is not None:
        return False
    names = {canonicalize_name(name)}
    return any(
        _is_listed(version, affected.versions) or any(_lies_within(version, one) for one in affected.ranges)
        for affected in record.affected
        if _is_about(affected, names)
    )


def _is_listed(version: Version, versions: Sequence[str]) -> bool:
    """Whether it is enumerated; a listed version that PEP 440 does not know cannot be one that it knows."""
    for listed in versions:
        try:
            if Version(listed) == version:
                return True
        except InvalidVersion:
            continue
    return False


def _lies_within(version: Version, range_: Range) -> bool:
    if range_.type == "GIT":  # of commits, which no lock of packages names
        return False
    limits = [event.limit for event in range_.events if event.limit is not None]
    if limits and not any(limit == "*" or version < _ordered(limit) for limit in limits):
        return False
    affected = False
    for event in sorted(range_.events, key=_place):
        if event.introduced is not None and (event.introduced == "0" or version >= _ordered(event.introduced)):
            affected = True
        if event.fixed is not None and version >= _ordered(event.fixed):
            affected = False
        if event.last_affected is not None and version > _ordered(event.last_affected):
            affected = False
    return affected


def _place(event: Event) -> tuple[Version, int]:
    """Events by version; of one version, what begins comes before what ends."""
    at = event.introduced or event.fixed or event.last_affected or event.limit
    if at in (None, "0", "*"):
        return Version("0.dev0"), 0
    return _ordered(at or ""), 0 if event.introduced is not None else 1


def _ordered(text: str) -> Version:
    try:
        return Version(text)
    except InvalidVersion:
        raise IncomparableError(text) from None
