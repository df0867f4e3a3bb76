"""Checkpoints (C2SP tlog-checkpoint): the size and root hash of a log at one moment, as a signed note.

<origin>
<size>
<root hash in base 64>

— <key name> <signature>
"""

import base64
from dataclasses import dataclass
from typing import Self

from audit.errors import CheckpointError, NoteError
from audit.note import Signer, VerifierKey, decode_base64, open_note, parse_note, sign_note
from audit.tree import EMPTY_ROOT, HASH_SIZE

__all__ = ["Checkpoint", "open_checkpoint", "read_checkpoint", "sign_checkpoint"]


@dataclass(frozen=True)
class Checkpoint:
    """What a log said about itself."""

    origin: str
    """Identity of the log; fixed when it is created."""
    size: int
    """Number of entries."""
    root: bytes
    """Merkle tree hash of those entries, 32 bytes."""

    @property
    def text(self) -> str:
        """The text that is signed."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a note's text. Extension lines are refused: this log writes none.

        Raises:
            CheckpointError: it is not the text of a checkpoint.
        """
        lines = text.split("\n")
        if len(lines) != 4 or lines[3] or not all(lines[:3]):
            raise CheckpointError("A checkpoint has three lines: origin, size, root hash.")
        origin, size, encoded = lines[:3]
        # int() takes signs, underscores, spaces and other scripts' digits; isdecimal with isascii leaves 0 to 9.
        if not (size.isascii() and size.isdecimal()) or (size[0] == "0" and size != "0") or len(size) > 19:
            raise CheckpointError(f"The size {size[:40]!r} of the checkpoint is not a decimal number.")
        try:
            root = decode_base64(encoded)
        except ValueError as error:
            raise CheckpointError(f"The root hash of the checkpoint: {error}.") from None
        if len(root) != HASH_SIZE:
            raise CheckpointError(f"The root hash of the checkpoint has {len(root)} bytes, not {HASH_SIZE}.")
        if size == "0" and root != EMPTY_ROOT:
            raise CheckpointError("The checkpoint of an empty log has the wrong root hash.")
        return cls(origin, int(size), root)


def sign_checkpoint(checkpoint: Checkpoint, signer: Signer) -> str:
    """The checkpoint as a signed note."""
    return sign_note(checkpoint.text, [signer])


def open_checkpoint(note: str, key: VerifierKey) -> Checkpoint:
    """Verify a signed checkpoint of the log whose origin is the key's name.

    Raises:
        CheckpointError: malformed, of another log, or not signed by the key.
    """
    try:
        checkpoint = Checkpoint.parse(open_note(note, [key]).text)
    except NoteError as error:
        raise CheckpointError(str(error)) from None
    if checkpoint.origin != key.name:
        raise CheckpointError(f"The checkpoint is of the log {checkpoint.origin}, not of {key.name}.")
    return checkpoint


def read_checkpoint(note: str) -> Checkpoint:
    """What a signed checkpoint says, without verifying its signature.

    Raises:
        CheckpointError: malformed.
    """
    try:
        return Checkpoint.parse(parse_note(note).text)
    except NoteError as error:
        raise CheckpointError(str(error)) from None
