"""What is missing on this machine or in this installation, and how to get it."""

import ctypes.util
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from registry.errors import ActaError
from registry.settings import Settings

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
        Storage(settings.storage).check()
    except ActaError as error:
        return Finding("storage", False, error.sentence, error.remedy)
    return Finding("storage", True, "can be written and read")


def _keys(settings: Settings) -> Finding:
    from registry.installation import load_signer, log_key_path

    if not log_key_path(settings).exists():
        return Finding("signing key", False, "there is none yet", "`acta serve` makes it at its first start.")
    try:
        signer = load_signer(settings)
    except ActaError as error:
        return Finding("signing key", False, error.sentence, error.remedy)
    return Finding("signing key", True, f"signs for {signer.verifier_key.name}")


def _disk(home: Path) -> Finding:
    present = next(parent for parent in (home.resolve(), *home.resolve().parents) if parent.exists())
    free = shutil.disk_usage(present).free
    enough = free >= LEAST_FREE_BYTES and os.access(present, os.W_OK)
    remedy = None if enough else f"Free some space, or make {present} writable, or set ACTA_HOME elsewhere."
    return Finding("disk", enough, f"{free // 2**20:,} MiB free at {present}", remedy)
