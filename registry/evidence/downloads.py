"""Who took which bytes: downloads of documents, cards and assessments are entries of the log.

They change nothing. No statement of a page or a card rests on one, and no timeline shows them; the log does.
"""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement

from audit.tables import ENTRY
from registry.access.actor import Actor
from registry.unit import Unit, Value

_ACTION = "downloaded"


@dataclass(frozen=True)
class Download:
    """Stored bytes that an actor may have: of what, and as which file."""

    kind: str
    """First word of the entry's action: `document`, `card` or `assessment`."""
    subject_id: UUID
    version_id: UUID
    digest: bytes
    media_type: str
    file_name: str | None = None
    """None: not a file to be saved."""


def record_download(unit: Unit, actor: Actor, download: Download) -> None:
    """Put a download into the log, before the bytes leave."""
    changes: dict[str, Value] = {
        "version_id": download.version_id,
        "media_type": download.media_type,
        "sha256": download.digest.hex(),
    }
    unit.record(actor, f"{download.kind}.{_ACTION}", download.subject_id, changes)


def is_no_download() -> ColumnElement[bool]:
    """The condition on entries that leaves downloads out."""
    return ENTRY.c.action.not_like(f"%.{_ACTION}")
