"""Reads what a card prints of its log proof: index, origin, tree size and root.

Only reading: whether the proof holds is checked by whoever has the log's key. Format: C2SP
tlog-proof (https://c2sp.org/tlog-proof) around a tlog-checkpoint (https://c2sp.org/tlog-checkpoint).
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass

from reports.errors import CardContentError

_HEADER = "c2sp.org/tlog-proof@v1"


@dataclass(frozen=True)
class PrintedProof:
    """The lines of a proof that a reader can compare with a checkpoint kept elsewhere."""

    index: int
    origin: str
    tree_size: int
    root_hash: bytes


def read_proof(text: str) -> PrintedProof:
    """Index and checkpoint of a tlog-proof.

    Raises:
        CardContentError: not that format.
    """
    head, _, checkpoint = text.partition("\n\n")
    lines = head.split("\n")
    if lines[0] != _HEADER:
        raise CardContentError("log proof", lines[0], f"the first line has to be {_HEADER}")
    index_lines = [line.removeprefix("index ") for line in lines[1:3] if line.startswith("index ")]
    body = checkpoint.split("\n")
    if len(index_lines) != 1 or len(body) < 3:
        raise CardContentError("log proof", text, "it needs one index line and a checkpoint of three lines or more")
    try:
        return PrintedProof(
            index=int(index_lines[0]),
            origin=body[0],
            tree_size=int(body[1]),
            root_hash=base64.b64decode(body[2], validate=True),
        )
    except (ValueError, binascii.Error) as error:
        raise CardContentError("log proof", str(error), "index and size are decimal, the root is base64") from error
