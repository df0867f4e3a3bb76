"""The facts that a model card states, and their digest.

A card is a function of these values: the same facts give the same page. They hold no address of
a database row and no clear name of a person; actors are pseudonyms. What is not known is `None`,
is printed as *not provided*, and counts against completeness; an empty tuple says *there is none*.

The digest is SHA-256 over RFC 8785 canonical JSON. It is what the log records, so the facts hold
neither their own entry nor its proof: these come beside them (`LogRecord`).
"""

from __future__ import annotations

import hashlib
from datetime import date, datetime
from enum import StrEnum
from typing import Literal

import msgspec
import rfc8785

from reports.errors import CardContentError


class DigestState(StrEnum):
    """Whether a digest was recomputed from the bytes, or only told."""

    VERIFIED = "verified"
    STATED = "stated"
    MISMATCH = "mismatch"
    """Recomputed, and found to be another."""


class ItemState(StrEnum):
    """State of one checklist item."""

    PASSED = "passed"
    FAILED = "failed"
    INCONCLUSIVE = "inconclusive"
    WAIVED = "waived"
    ERROR = "error"
    OPEN = "open"
    NOT_APPLICABLE = "not-applicable"


class GateVerdict(StrEnum):
    """What the gate said about this version."""

    APPROVED = "approved"
    REFUSED = "refused"
    PENDING = "pending"


class AssessmentVerdict(StrEnum):
    """Verdict of a bias assessment."""

    PASS = "pass"  # noqa: S105 -- a verdict, not a password
    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"


class _Facts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Base of all facts: immutable, unknown fields refused."""


class Identity(_Facts, frozen=True, kw_only=True):
    """Which version this is. `content_digest_hex`: SHA-256 over the list of its files."""

    name: str
    version: str
    content_digest_hex: str
    digest_state: DigestState
    stage: str
    framework: str | None = None
    signature: str | None = None
    source_uri: str | None = None
    previous_version: str | None = None
    change_since_previous: str | None = None


class Use(_Facts, frozen=True, kw_only=True):
    """What the model is for, in the owner's words."""

    purpose: str | None = None
    intended_users: str | None = None
    affected_persons: str | None = None
    out_of_scope: str | None = None
    owner: str | None = None
    contact: str | None = None


class Risk(_Facts, frozen=True, kw_only=True):
    """Risk tier and the rules of the profile from which it follows."""

    tier: str
    reasons: tuple[str, ...]


class Gate(_Facts, frozen=True, kw_only=True):
    """The gate that this card documents. `request`: number by which people cite the request."""

    policy: str
    policy_version: str
    target_stage: str
    request: str
    verdict: GateVerdict
    headline: str
    sentence: str
    scope: str | None = None
    decided_at: datetime | None = None
    executed_at: datetime | None = None
    review_due_on: date | None = None


class ChecklistItem(_Facts, frozen=True, kw_only=True):
    """One item: who or what answered it, on which evidence, under which log entry."""

    id: str
    title: str
    state: ItemState
    reason: str | None = None
    evidence: str | None = None
    answered_by: str | None = None
    entry: int | None = None


class Checklist(_Facts, frozen=True, kw_only=True):
    """A titled list of items, in the policy's order."""

    title: str
    items: tuple[ChecklistItem, ...]


class Waiver(_Facts, frozen=True, kw_only=True):
    """A dated exception to one item. From `until` on the item counts as unmet again."""

    item: str
    reason: str
    compensating_measure: str
    approver: str
    until: datetime
    entry: int


class Approval(_Facts, frozen=True, kw_only=True):
    """One review of the promotion request."""

    role: str
    actor: str
    decision: str
    at: datetime
    entry: int
    reason: str | None = None
    on_behalf_of: str | None = None
    """In whose role the actor decided as a delegate."""


class Dataset(_Facts, frozen=True, kw_only=True):
    """Data that the version came from. `role`: training, validation or test."""

    role: str
    name: str
    uri: str | None = None
    digest: str | None = None
    rows: int | None = None


class Origin(_Facts, frozen=True, kw_only=True):
    """Where the version came from, besides data."""

    code_repository: str | None = None
    code_commit: str | None = None
    environment_digest_hex: str | None = None
    run_id: str | None = None


class Document(_Facts, frozen=True, kw_only=True):
    """A document of the version, by content. `signed_off_by` is somebody else than the author."""

    kind: str
    title: str
    sha256_hex: str
    author: str
    entry: int
    signed_off_by: str | None = None
    signed_off_at: datetime | None = None


class Assessment(_Facts, frozen=True, kw_only=True):
    """The bias assessment in plain words.

    `result` is the assessment as `fairness` wrote it, under its own schema: carried so that the
    charts can be drawn again from the card's attachment, and never read here.
    """

    verdict: AssessmentVerdict
    summary: str
    findings: tuple[str, ...]
    origin: str
    assessed_at: datetime
    data_digest_hex: str | None = None
    rows: int | None = None
    entry: int | None = None
    result: dict[str, object] | None = None


class CardFacts(_Facts, frozen=True, kw_only=True):
    """Everything that a model card states. `issued_at` is the card's own date, in UTC."""

    schema: Literal["acta-card/1"] = "acta-card/1"
    organisation: str
    issued_at: datetime
    identity: Identity
    use: Use
    risk: Risk | None = None
    gate: Gate | None = None
    checklists: tuple[Checklist, ...] = ()
    waivers: tuple[Waiver, ...] = ()
    approvals: tuple[Approval, ...] = ()
    datasets: tuple[Dataset, ...] = ()
    origin: Origin
    documents: tuple[Document, ...] = ()
    metrics: dict[str, str] = {}
    """Metric name -> decimal string, as the run logged it."""
    parameters: dict[str, str] = {}
    assessment: Assessment | None = None
    monitoring_plan: str | None = None
    limits: str | None = None
    verification_url: str | None = None


class LogRecord(msgspec.Struct, frozen=True, kw_only=True):
    """The entry that holds the digest of the facts, and its proof (C2SP tlog-proof text)."""

    entry: int
    proof: str


def facts_json(facts: CardFacts) -> bytes:
    """RFC 8785 canonical JSON of `facts`: the bytes of the attachment `facts.json`.

    Raises:
        CardContentError: a value that canonical JSON cannot hold (an integer beyond 2^53, a lone
            surrogate), or a time without time zone.
    """
    for field, moment in _instants(facts):
        if moment is not None and moment.tzinfo is None:
            raise CardContentError(field, str(moment), "give the instant with its time zone, in UTC")
    try:
        return rfc8785.dumps(msgspec.json.decode(msgspec.json.encode(facts)))
    except (rfc8785.CanonicalizationError, UnicodeEncodeError) as error:
        raise CardContentError("facts", str(error), "use decimal strings and valid Unicode") from error


def parse_facts(data: bytes) -> CardFacts:
    """Facts from JSON.

    Raises:
        CardContentError: not JSON, or not this schema; names the path of the first mismatch.
    """
    try:
        return msgspec.json.decode(data, type=CardFacts)
    except msgspec.DecodeError as error:
        raise CardContentError("facts.json", str(error), "write it as reports/card.schema.json says") from error


def facts_digest(facts: CardFacts) -> bytes:
    """SHA-256 (32 bytes) of the facts' canonical JSON."""
    return hashlib.sha256(facts_json(facts)).digest()


def card_schema() -> bytes:
    """JSON Schema (2020-12) of `facts.json`, as published in `reports/card.schema.json`."""
    schema = msgspec.json.schema(CardFacts, schema_hook=_any_value)
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    return msgspec.json.format(msgspec.json.encode(schema, order="deterministic"), indent=2) + b"\n"


def _any_value(kind: type) -> dict[str, object]:
    """The assessment's own members have the schema of `fairness`."""
    if kind is not object:
        # How a hook of msgspec says that it does not know the type.
        raise NotImplementedError(kind)
    return {"description": "As fairness/assessment.schema.json says."}


def _instants(facts: CardFacts) -> list[tuple[str, datetime | None]]:
    instants: list[tuple[str, datetime | None]] = [("issued_at", facts.issued_at)]
    if facts.gate:
        instants += [("gate.decided_at", facts.gate.decided_at), ("gate.executed_at", facts.gate.executed_at)]
    if facts.assessment:
        instants.append(("assessment.assessed_at", facts.assessment.assessed_at))
    instants += [(f"waivers[{waiver.item}].until", waiver.until) for waiver in facts.waivers]
    instants += [(f"approvals[{approval.role}].at", approval.at) for approval in facts.approvals]
    instants += [(f"documents[{item.kind}].signed_off_at", item.signed_off_at) for item in facts.documents]
    return instants
