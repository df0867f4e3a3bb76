"""Orders changes of policies before or after all that rests on which policy governs.

On PostgreSQL advisory locks that end with the transaction; SQLite has one writer anyway.
"""

from sqlalchemy import text

from registry.unit import Unit

_POLICIES = 0x41637461_504F4C43
"""The key of the lock."""


def hold_policies(unit: Unit) -> None:
    """From here to the end of the transaction no policy is activated or ended; others may hold them too."""
    _lock(unit, "pg_advisory_xact_lock_shared")


def change_policies(unit: Unit) -> None:
    """From here to the end of the transaction nobody else changes policies, nor decides which one governs."""
    _lock(unit, "pg_advisory_xact_lock")


def _lock(unit: Unit, function: str) -> None:
    if not unit.database.is_sqlite:
        unit.session.execute(text(f"SELECT {function}(:key)"), {"key": _POLICIES})
