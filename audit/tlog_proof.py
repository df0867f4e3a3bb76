"""Proofs of one entry as text (C2SP tlog-proof), to be verified offline with the log's verifier key.

c2sp.org/tlog-proof@v1
index <number of the entry>
<hash in base 64>            for each hash of the inclusion proof
                             an empty line
<signed checkpoint>
"""

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from audit.checkpoint import Checkpoint, open_checkpoint
from audit.errors import CheckpointError, NotInLogError, ProofError
from audit.note import VerifierKey, decode_base64
from audit.proof import verify_inclusion
from audit.tree import HASH_SIZE, leaf_hash

if TYPE_CHECKING:
    from sqlalchemy import Connection

__all__ = ["TlogProof", "tlog_proof", "verify_tlog_proof"]

HEADER = "c2sp.org/tlog-proof@v1"
MAX_HASHES = 63


@dataclass(frozen=True)
class TlogProof:
    """A proof taken apart; nothing of it verified."""

    index: int
    hashes: tuple[bytes, ...]
    """From the leaf's sibling up to the root's child, 32 bytes each."""
    note: str
    """The signed checkpoint."""
    extra: bytes | None = None
    """Data that the proof does not authenticate."""

    def __str__(self) -> str:
        lines = [HEADER]
        if self.extra is not None:
            lines.append(f"extra {base64.b64encode(self.extra).decode()}")
        lines.append(f"index {self.index}")
        lines += [base64.b64encode(part).decode() for part in self.hashes]
        return "\n".join(lines) + "\n\n" + self.note

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read the text of a proof.

        Raises:
            ProofError: it is malformed.
        """
        head, separator, note = text.partition("\n\n")
        lines = head.split("\n")
        if not separator or lines.pop(0) != HEADER:
            raise ProofError(f"A proof begins with the line {HEADER} and ends with a signed checkpoint.")
        try:
            extra = None
            if lines and lines[0].startswith("extra "):
                extra = decode_base64(lines.pop(0).removeprefix("extra "))
            if not lines:
                raise ValueError("the index is missing")
            index = _parse_index(lines.pop(0))
            if len(lines) > MAX_HASHES:
                raise ValueError(f"it has more than {MAX_HASHES} hashes")
            hashes = tuple(map(decode_base64, lines))
        except ValueError as error:
            raise ProofError(f"The proof is malformed: {error}.") from None
        if any(len(part) != HASH_SIZE for part in hashes):
            raise ProofError(f"Each hash of a proof has {HASH_SIZE} bytes.")
        return cls(index, hashes, note, extra)


def tlog_proof(connection: "Connection", index: int) -> str:
    """The proof that entry `index` is in the log as of its newest checkpoint.

    Raises:
        NotInLogError: there is no such entry.
        CheckpointError: the database holds no readable checkpoint.
    """
    from audit.hashes import inclusion_proof
    from audit.reads import latest_checkpoint

    latest = latest_checkpoint(connection)
    if latest is None:
        raise NotInLogError(f"The log is empty and has no entry {index}.")
    return str(TlogProof(index, inclusion_proof(connection, index, latest.checkpoint.size), latest.note))


def verify_tlog_proof(text: str, leaf: bytes, verifier_key: VerifierKey) -> Checkpoint:
    """Check that `leaf` is in the log of `verifier_key`, at the index that the proof says; return that tree's head.

    Raises:
        ProofError: it is not shown to be.
    """
    proof = TlogProof.parse(text)
    try:
        checkpoint = open_checkpoint(proof.note, verifier_key)
    except CheckpointError as error:
        raise ProofError(str(error)) from None
    verify_inclusion(leaf_hash(leaf), proof.index, checkpoint.size, proof.hashes, checkpoint.root)
    return checkpoint


def _parse_index(line: str) -> int:
    keyword, _, number = line.partition(" ")
    if keyword != "index" or not (number.isascii() and number.isdecimal()) or len(number) > 19:
        raise ValueError("the line of the index does not read `index <number>`")
    if number != str(int(number)):
        raise ValueError("the index has leading zeroes")
    return int(number)
