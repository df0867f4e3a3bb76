"""Checks a card offline, without trusting whoever sent it.

The steps, each marked below where it is taken:

1. The file reads as PDF and carries one signature, in the seal's field, that certifies the file.
2. The signed bytes are unaltered and the signature over them is right.
3. The signature covers the whole file: nothing was appended.
4. It forbids every later change (DocMDP 1), and there is none.
5. The certificate chain holds at the given time, and ends in a root that the caller trusts, or in
   a self-made root that travels in the file.
6. One attachment `facts.json` holds facts, as canonical JSON; its digest is theirs.
7. At most one attachment `facts.tlog-proof` holds a log proof. It is handed back: whether it proves
   an entry of the facts' digest is for whoever holds the log's key to check.

A seal says who sealed and that nothing changed since. It does not say that the facts are true.
"""

from __future__ import annotations

import hashlib
import io
import logging
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from reports.errors import CardContentError
from reports.facts import CardFacts, facts_json, parse_facts
from reports.pdf import SEAL_FIELD
from reports.proof import read_proof

if TYPE_CHECKING:
    from asn1crypto.x509 import Certificate  # type: ignore[import-untyped]  # ships no types
    from pyhanko.pdf_utils.generic import DictionaryObject
    from pyhanko.pdf_utils.reader import PdfFileReader
    from pyhanko.sign.validation import EmbeddedPdfSignature
    from pyhanko.sign.validation.status import PdfSignatureStatus

FACTS_NAME = "facts.json"
PROOF_NAME = "facts.tlog-proof"

_SILENT = logging.NullHandler()


class Trust(StrEnum):
    """Where the seal's certificate chain ends."""

    TRUSTED = "trusted root"
    SELF_MADE = "self-made root, not trusted by anybody else"
    NONE = "no valid chain"


@dataclass(frozen=True)
class Step:
    """One check: what it asks, whether it holds, and why not."""

    name: str
    holds: bool
    reason: str = ""


@dataclass(frozen=True)
class CardVerification:
    """What was found. `steps` holds every check that could be taken, in order.

    `unsigned_digest`: SHA-256 of the file before the seal, the digest that the log records.
    """

    steps: tuple[Step, ...]
    trust: Trust
    signer: str | None = None
    sealed_at: datetime | None = None
    facts: CardFacts | None = None
    facts_digest: bytes | None = None
    proof: str | None = None
    unsigned_digest: bytes | None = None

    @property
    def intact(self) -> bool:
        """Every step holds: this is what was sealed, whoever sealed it."""
        return self.facts is not None and all(step.holds for step in self.steps)

    @property
    def verified(self) -> bool:
        """Intact, and sealed under a root that the caller trusts."""
        return self.intact and self.trust is Trust.TRUSTED

    @property
    def conclusion(self) -> str:
        """One sentence for a reader."""
        failed = [step for step in self.steps if not step.holds]
        if failed:
            return f"Not verified: {failed[0].reason}"
        if self.trust is Trust.SELF_MADE:
            return f"Intact since it was sealed by {self.signer}, under a {self.trust.value}."
        return f"Verified: sealed by {self.signer}, under a trusted root; unchanged since."


def verify_card(pdf: bytes, trusted_roots: Sequence[bytes], now: datetime) -> CardVerification:
    """Take the steps above. Never raises for what a file holds: that is a step that fails.

    `trusted_roots`: certificates as PEM, from anywhere but the card. `now`: the instant at which
    the certificates have to be valid.
    """
    from pyhanko.pdf_utils.reader import PdfFileReader

    # Step 1, first half.
    try:
        reader = PdfFileReader(io.BytesIO(pdf))
        signatures = list(reader.embedded_signatures)
    except Exception as error:  # noqa: BLE001 -- whatever a hostile file provokes in the parser is a failed check
        return _refused(f"not a readable PDF ({error})")
    if len(signatures) != 1 or signatures[0].field_name != SEAL_FIELD:
        return _refused(f"{len(signatures)} signatures where one in the field {SEAL_FIELD} has to be")
    signature = signatures[0]
    try:
        signature_steps, trust = _signature_steps(signature, trusted_roots, now)
        unsigned = _unsigned_digest(pdf, reader)
        embedded = list(_attachments(reader))
    except Exception as error:  # noqa: BLE001 -- as above
        return _refused(f"malformed ({type(error).__name__}: {error})")
    fact_step, facts = _facts_step(embedded)
    proof_step, proof = _proof_step(embedded)
    return CardVerification(
        steps=(*signature_steps, fact_step, proof_step),
        trust=trust,
        signer=signature.signer_cert.subject.native.get("organization_name"),
        sealed_at=signature.self_reported_timestamp,
        facts=facts,
        facts_digest=hashlib.sha256(facts_json(facts)).digest() if facts else None,
        proof=proof,
        unsigned_digest=unsigned,
    )


def _refused(reason: str) -> CardVerification:
    return CardVerification((Step("one seal", holds=False, reason=reason),), Trust.NONE)


def _signature_steps(
    signature: EmbeddedPdfSignature, trusted_roots: Sequence[bytes], now: datetime
) -> tuple[tuple[Step, ...], Trust]:
    from pyhanko.keys.pemder import load_certs_from_pemder_data
    from pyhanko.sign.fields import MDPPerm
    from pyhanko.sign.validation import validate_pdf_signature
    from pyhanko.sign.validation.errors import SignatureValidationError
    from pyhanko.sign.validation.settings import KeyUsageConstraints
    from pyhanko.sign.validation.status import SignatureCoverageLevel
    from pyhanko_certvalidator import ValidationContext

    roots = [certificate for pem in trusted_roots for certificate in load_certs_from_pemder_data(pem)]
    carried = [certificate for certificate in signature.other_embedded_certs if certificate.self_issued]
    usage = KeyUsageConstraints(key_usage={"non_repudiation"})

    context = ValidationContext(trust_roots=roots + carried, allow_fetching=False, moment=now, best_signature_time=now)
    # The verdict is in the status: without a handler of its own pyHanko would print a traceback as well.
    logging.getLogger("pyhanko.sign.validation").addHandler(_SILENT)
    try:
        # Without the comparison of revisions: a seal allows none (steps 3 and 4), and comparing takes a minute.
        status = validate_pdf_signature(signature, context, key_usage_settings=usage, skip_diff=True)
    except SignatureValidationError as error:
        reason = f"the signature is malformed ({error.failure_message})"
        return (Step("one seal", holds=False, reason=reason),), Trust.NONE
    trust = _trust(status, roots)
    permitted = signature.docmdp_level
    covered = status.coverage == SignatureCoverageLevel.ENTIRE_FILE
    return (
        # Step 1, second half.
        _step("one seal", holds=permitted is not None, otherwise="the signature does not certify the file"),
        # Step 2.
        _step("bytes unaltered", holds=status.intact, otherwise="signed bytes were altered"),
        _step("signature right", holds=status.valid, otherwise="the signature does not fit the certificate’s key"),
        # Step 3.
        _step(
            "whole file covered",
            holds=covered,
            otherwise="the file holds bytes that the seal does not cover",
        ),
        # Step 4.
        _step(
            "no change allowed or made",
            holds=permitted == MDPPerm.NO_CHANGES and covered,
            otherwise="the file was changed after it was sealed, or the seal allows it",
        ),
        # Step 5.
        _step(
            "certificate chain",
            holds=trust is not Trust.NONE,
            otherwise="no chain from the seal to a root is valid at this time",
        ),
    ), trust


def _step(name: str, *, holds: bool, otherwise: str) -> Step:
    return Step(name, holds, "" if holds else otherwise)


def _trust(status: PdfSignatureStatus, roots: Sequence[Certificate]) -> Trust:
    from pyhanko_certvalidator.authority import CertTrustAnchor

    path = status.validation_path
    if not status.trusted or path is None:
        return Trust.NONE
    # Intact under a root that came with the file is worth saying, and no more than that.
    anchor = path.trust_anchor
    trusted = {root.dump() for root in roots}
    if isinstance(anchor, CertTrustAnchor) and anchor.certificate.dump() in trusted:
        return Trust.TRUSTED
    return Trust.SELF_MADE


def _facts_step(embedded: list[tuple[str, bytes]]) -> tuple[Step, CardFacts | None]:
    # Step 6.
    found = [data for name, data in embedded if name == FACTS_NAME]
    if len(found) != 1:
        return Step("facts", holds=False, reason=f"{len(found)} attachments {FACTS_NAME}; there has to be one"), None
    try:
        facts = parse_facts(found[0])
        canonical = facts_json(facts)
    except CardContentError as error:
        return Step("facts", holds=False, reason=str(error)), None
    if canonical != found[0]:
        return Step("facts", holds=False, reason=f"{FACTS_NAME} is not in canonical form"), None
    return Step("facts", holds=True), facts


def _proof_step(embedded: list[tuple[str, bytes]]) -> tuple[Step, str | None]:
    # Step 7.
    found = [data for name, data in embedded if name == PROOF_NAME]
    if not found:
        return Step("log proof readable", holds=True, reason="the card carries none"), None
    if len(found) > 1:
        return Step("log proof readable", holds=False, reason=f"{len(found)} attachments {PROOF_NAME}"), None
    try:
        text = found[0].decode()
        read_proof(text)
    except (UnicodeDecodeError, CardContentError) as error:
        return Step("log proof readable", holds=False, reason=str(error)), None
    return Step("log proof readable", holds=True), text


def _attachments(reader: PdfFileReader) -> Iterator[tuple[str, bytes]]:
    """Every embedded file of the catalogue's name tree and of /AF, by name; the same object counts once."""
    root = reader.root
    seen: set[object] = set()
    names = root.get("/Names", {})
    specifications = list(_tree_values(names["/EmbeddedFiles"])) if "/EmbeddedFiles" in names else []
    associated = root.get("/AF", ())
    specifications += [associated[index] for index in range(len(associated))]
    for specification in specifications:
        file = specification["/EF"].raw_get("/F")
        key = getattr(file, "reference", id(file))
        if key not in seen:
            seen.add(key)
            yield str(specification["/UF"]), file.get_object().data


def _tree_values(node: DictionaryObject) -> Iterator[DictionaryObject]:
    # By index: iterating a pyHanko array yields references, not what they refer to.
    kids, names = node.get("/Kids", ()), node.get("/Names", ())
    for index in range(len(kids)):
        yield from _tree_values(kids[index])
    for index in range(1, len(names), 2):
        yield names[index]


def _unsigned_digest(pdf: bytes, reader: PdfFileReader) -> bytes | None:
    """SHA-256 of the first revision: what `render_pdf` wrote, for a seal is appended."""
    start = reader.xrefs.get_startxref_for_revision(0)
    end = re.search(rb"startxref\s+%d\s+%%%%EOF\n?" % start, pdf)
    return hashlib.sha256(pdf[: end.end()]).digest() if end else None
