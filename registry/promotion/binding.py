"""What an approval rests on: the digest of the evidence of each item that was met. No I/O.

Replacing or withdrawing that evidence makes the request stale; evidence for an item that was still open does not.
"""

from collections.abc import Mapping
from hashlib import sha256

import msgspec

from registry.policy.evidence import Attested, Checked, Documented
from registry.policy.gate import Gate, ItemResult, Waived


def evidence_of(gate: Gate) -> dict[str, str]:
    """SHA-256 of the evidence of each item, by item, where there is any."""
    found = {result.item.id: _digest(result) for result in gate.items}
    return {item: digest for item, digest in found.items() if digest is not None}


def met_evidence_of(gate: Gate) -> dict[str, str]:
    """The same of the items that are met or waived."""
    met = {result.item.id for result in gate.items if result.met}
    return {item: digest for item, digest in evidence_of(gate).items() if item in met}


def replaced(bound: Mapping[str, str], gate: Gate) -> list[str]:
    """The items whose evidence is no longer the one that was bound."""
    present = evidence_of(gate)
    return sorted(item for item, digest in bound.items() if present.get(item) != digest)


def digest_of(evidence: Mapping[str, str]) -> str:
    """SHA-256 over the evidence of all items, for the log."""
    return sha256(msgspec.json.encode(evidence, order="deterministic")).hexdigest()


def _digest(result: ItemResult) -> str | None:
    parts: list[object] = []
    match result.basis:
        case Attested() as basis:
            parts += ["attestation", basis.id, basis.answer]
        case Documented() as basis:
            parts += ["document", basis.id, basis.digest.hex(), basis.signed_off_by]
        case Checked() as basis:
            # Not the row's id: the same answer to the same inputs is the same evidence, whenever it was given.
            parts += ["check", basis.check, basis.outcome, basis.inputs_digest.hex()]
        case None:
            pass
    if isinstance(result.outcome, Waived):
        parts += ["waiver", result.outcome.waiver.id]
    if not parts:
        return None
    return sha256(msgspec.json.encode(parts)).hexdigest()
