"""What can go wrong in the log.

AuditError
  EntryError               an entry that cannot be written; nothing was
    MeasuredValueError     a float
    UnsupportedValueError  another value that canonical JSON or the database cannot hold
    EntryTooLargeError     more than 65,535 bytes
  LeafError                bytes that are no leaf of this format
  KeyFormatError           text that is no signer key or verifier key
  KeyFileError             a key file that is missing, readable by others, or in the way
  NoteError                text that is no signed note, or not signed by the expected key
  CheckpointError          a signed note that is no checkpoint of the expected log
  ProofError               a proof that proves nothing
    ConsistencyError       two trees of which one does not extend the other
  LogInconsistentError     the database contradicts its last checkpoint; the log takes no more entries
  NotInLogError            an entry, tree size or tile that the log does not have
  SourceError              a log that could not be read, so nothing is known about it
"""

from pathlib import Path

__all__ = [
    "AuditError",
    "CheckpointError",
    "ConsistencyError",
    "EntryError",
    "EntryTooLargeError",
    "KeyFileError",
    "KeyFormatError",
    "LeafError",
    "LogInconsistentError",
    "MeasuredValueError",
    "NotInLogError",
    "NoteError",
    "ProofError",
    "SourceError",
    "UnsupportedValueError",
]


class AuditError(Exception):
    """Base of every error of this package."""


class EntryError(AuditError):
    """An entry that cannot be written. Nothing was."""


class MeasuredValueError(EntryError):
    """A float, which has no exact canonical form."""

    def __init__(self, path: str, value: float) -> None:
        self.path = path
        self.value = value
        super().__init__(
            f"changes/{path} is the float {value!r}, which the log cannot hold exactly: "
            f"pass a Decimal or a decimal string such as {str(value)!r}."
        )


class UnsupportedValueError(EntryError):
    """A value that canonical JSON or one of the databases cannot hold."""

    def __init__(self, field: str, value: object, remedy: str) -> None:
        self.field = field
        self.value = value
        shown = repr(value)
        super().__init__(f"{field} is {shown if len(shown) <= 80 else shown[:77] + '...'}: {remedy}.")


class EntryTooLargeError(EntryError):
    """An entry longer than a tile can carry (two bytes of length)."""

    def __init__(self, action: str, size_bytes: int, limit_bytes: int) -> None:
        self.action = action
        self.size_bytes = size_bytes
        self.limit_bytes = limit_bytes
        super().__init__(
            f"The entry {action!r} would have {size_bytes:,} bytes; an entry has at most {limit_bytes:,}. "
            "Record a digest of what is large and store it elsewhere."
        )


class LeafError(AuditError):
    """Bytes that are not a leaf in the format acta-entry/1."""


class KeyFormatError(AuditError):
    """Text that is no signer key or verifier key. The message never contains the key."""


class KeyFileError(AuditError):
    """A key file that cannot be used."""

    def __init__(self, path: Path, problem: str, remedy: str) -> None:
        self.path = path
        self.remedy = remedy
        super().__init__(f"The key file {path} {problem}. {remedy}")


class NoteError(AuditError):
    """Text that is no signed note, or that the expected key did not sign."""


class CheckpointError(AuditError):
    """A signed note that is not a checkpoint of the expected log."""


class ProofError(AuditError):
    """A proof that does not prove what was asked of it."""


class ConsistencyError(ProofError):
    """Two trees of one log, and no proof that the larger extends the smaller. Carries the evidence."""

    def __init__(
        self, old_size: int, old_root: bytes, new_size: int, new_root: bytes, proof: tuple[bytes, ...]
    ) -> None:
        self.old_size = old_size
        self.old_root = old_root
        self.new_size = new_size
        self.new_root = new_root
        self.proof = proof
        super().__init__(
            f"The tree of {new_size} entries (root {new_root.hex()}) is not shown to extend "
            f"the tree of {old_size} entries (root {old_root.hex()})."
        )


class LogInconsistentError(AuditError):
    """The database contradicts its last checkpoint. The log takes no more entries until somebody has looked."""

    def __init__(self, finding: str) -> None:
        self.finding = finding
        super().__init__(
            f"The audit log contradicts its last checkpoint: {finding}. "
            "It takes no more entries. Verify it against a checkpoint kept outside before anything else is done."
        )


class NotInLogError(AuditError):
    """An entry, a tree size or a tile that the log does not have."""


class SourceError(AuditError):
    """A log that could not be read; whether it is sound is not known."""
