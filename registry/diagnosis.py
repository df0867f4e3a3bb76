"""What is missing on this machine or in this installation, and how to get it."""

import ctypes.util
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from registry.errors import ActaError
from registry.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from registry.database import Database

PANGO_REMEDY = """\
Debian, Ubuntu:  apt-get install libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0
Fedora:          dnf install pango harfbuzz
macOS:           brew install pango"""

LEAST_FREE_BYTES = 500 * 2**20
EARLIEST_PLAUSIBLE = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    what: str
    ok: bool
    detail: str
    remedy: str | None = None


def diagnose_machine() -> Iterator[Finding]:
    """What Acta needs from the system."""
    version = ".".join(map(str, sys.version_info[:3]))
    yield Finding("Python", sys.version_info >= (3, 11), version, "Install Python 3.11 or newer.")
    yield _pango()
    now = datetime.now(UTC)
    plausible = now > EARLIEST_PLAUSIBLE
    yield Finding(
        "clock",
        plausible,
        now.isoformat(timespec="seconds"),
        None if plausible else "Set the clock, by NTP if you can.",
    )


def _pango() -> Finding:
    # In a process of its own: a library that is missing in part can abort the one that loads it.
    command = [sys.executable, "-c", "import weasyprint; print(weasyprint.__version__)"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    if done.returncode == 0:
        return Finding("Pango, for model cards", True, f"WeasyPrint {done.stdout.strip()} loads")
    found = ctypes.util.find_library("pango-1.0")
    detail = "WeasyPrint does not load" if found else "the library pango-1.0 is not installed"
    return Finding("Pango, for model cards", False, detail, PANGO_REMEDY)


def diagnose_installation(settings: Settings) -> Iterator[Finding]:
    """Database, storage, keys and disk of one installation."""
    yield _database(settings)
    yield _storage(settings)
    yield _keys(settings)
    yield _seal(settings)
    yield _clock(settings)
    if settings.smtp_host is not None:
        yield _mail(settings.smtp_host, settings.smtp_port)
    yield _disk(settings.home)


def _database(settings: Settings) -> Finding:
    from registry.database import current_revision
    from registry.installation import open_database

    try:
        database = open_database(settings)
        revision = current_revision(database)
        kind = "SQLite" if database.is_sqlite else "PostgreSQL"
        database.dispose()
    except ActaError as error:
        return Finding("database", False, error.sentence, error.remedy)
    return Finding("database", True, f"{kind} at revision {revision}")


def _storage(settings: Settings) -> Finding:
    from registry.storage import Storage

    try:
        storage = Storage(settings.storage)
        if not storage.is_made:
            return Finding("storage", True, "not there yet: the first document or model card makes it")
        storage.check()
    except ActaError as error:
        return Finding("storage", False, error.sentence, error.remedy)
    return Finding("storage", True, "can be written and read")


def _keys(settings: Settings) -> Finding:
    from registry.installation import has_log_key, load_signer, refuse_lost_key

    if not has_log_key(settings):
        return _absent("signing key", settings, refuse_lost_key)
    try:
        signer = load_signer(settings)
    except ActaError as error:
        return Finding("signing key", False, error.sentence, error.remedy)
    return Finding("signing key", True, f"signs for {signer.verifier_key.name}")


def _seal(settings: Settings) -> Finding:
    from registry.installation import refuse_lost_seal, seal_directory
    from reports.errors import SealMissingError
    from reports.seal import load_seal

    directory = seal_directory(settings)
    if not directory.exists():
        return _absent("seal", settings, refuse_lost_seal)
    try:
        seal = load_seal(directory)
    except SealMissingError as error:
        return Finding("seal", False, str(error), "Restore its directory from the backup.")
    return Finding("seal", True, f"seals model cards for {seal.organisation}")


def _absent(what: str, settings: Settings, refuse_lost: "Callable[[Settings, Database], None]") -> Finding:
    """A key or seal that was lost needs its backup; one that was never made needs a first start."""
    from registry.installation import open_database

    never_made = Finding(what, False, "there is none yet", "`acta serve` makes it at its first start.")
    try:
        database = open_database(settings)
    except ActaError:
        return never_made
    try:
        refuse_lost(settings, database)
    except ActaError as lost:
        return Finding(what, False, lost.sentence, lost.remedy)
    finally:
        database.dispose()
    return never_made


def _clock(settings: Settings) -> Finding:
    """Entries of the log are never in the future of a clock that goes right."""
    from sqlalchemy import func, select

    from audit.entry import parse_time
    from audit.tables import ENTRY
    from registry.installation import open_database

    what = "clock against the log"
    try:
        database = open_database(settings)
    except ActaError as error:
        return Finding(what, False, error.sentence, error.remedy)
    with database.engine.connect() as connection:
        newest = connection.execute(select(func.max(ENTRY.c.time))).scalar()
    database.dispose()
    if newest is None:
        return Finding(what, True, "the log has no entry yet")
    behind = parse_time(newest) > datetime.now(UTC)
    remedy = "Set the clock. If it was ahead before, new entries keep that time until the clock gets there."
    return Finding(what, not behind, f"the newest entry is of {newest}", remedy if behind else None)


def _mail(host: str, port: int) -> Finding:
    try:
        with socket.create_connection((host, port), timeout=10):
            return Finding("mail server", True, f"{host}:{port} takes connections")
    except OSError as error:
        remedy = "Check ACTA_SMTP_HOST and ACTA_SMTP_PORT, and what keeps this machine from reaching them."
        return Finding("mail server", False, f"{host}:{port} does not answer ({error})", remedy)


def _disk(home: Path) -> Finding:
    present = next(parent for parent in (home.resolve(), *home.resolve().parents) if parent.exists())
    free = shutil.disk_usage(present).free
    enough = free >= LEAST_FREE_BYTES and os.access(present, os.W_OK)
    remedy = None if enough else f"Free some space, or make {present} writable, or set ACTA_HOME elsewhere."
    return Finding("disk", enough, f"{free // 2**20:,} MiB free at {present}", remedy)
