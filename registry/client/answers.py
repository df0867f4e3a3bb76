"""What the server answers, as far as clients use it. Members that a client does not know are passed over."""

from datetime import datetime
from typing import Generic, Literal, TypeVar
from uuid import UUID

import msgspec

from registry.catalog.facts import RiskProfile

Item = TypeVar("Item")

ReferenceWord = Literal["document", "assessment", "check result"]
AnswerWord = Literal["yes", "no", "not applicable"]
"""What a person answers to an attestation."""
DecisionWord = Literal["approve", "reject", "ask for changes"]
"""What a reviewer decides."""


class Page(msgspec.Struct, Generic[Item], frozen=True):
    """Some results, and where the next ones begin: None on the last page."""

    items: list[Item]
    next_cursor: str | None = None


class Actor(msgspec.Struct, frozen=True):
    """A person or a machine."""

    id: UUID
    kind: str
    name: str
    email: str | None
    responsible_id: UUID | None
    created_at: datetime
    left_at: datetime | None


class Grant(msgspec.Struct, frozen=True):
    """A role of an actor on a scope."""

    id: UUID
    actor_id: UUID
    role: str
    scope_kind: str
    scope_name: str | None
    granted_by: UUID | None
    granted_at: datetime
    revoked_at: datetime | None


class Me(msgspec.Struct, frozen=True):
    """Who asks, and what this actor may do."""

    actor: Actor
    grants: list[Grant]


class Token(msgspec.Struct, frozen=True):
    """An API token, without its secret."""

    id: UUID
    actor_id: UUID
    label: str
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None


class IssuedToken(msgspec.Struct, frozen=True):
    """A new API token; the secret is shown this once, and None where a repeated request got the first answer."""

    token: Token
    secret: str | None


class Model(msgspec.Struct, frozen=True):
    """A registered model."""

    id: UUID
    name: str
    team: str
    owner_id: UUID
    purpose: str
    intended_users: str | None
    out_of_scope: str | None
    limitations: str | None
    affected_persons: str | None
    risk_profile: RiskProfile
    risk_tier: str
    revision: int
    created_at: datetime
    notice: str | None = None
    """What is owed: the review of an emergency rollback."""


class Version(msgspec.Struct, frozen=True):
    """A model version."""

    id: UUID
    model: str
    number: int
    stage: str
    source_uri: str
    content_digest: str
    digest_state: str
    framework: str
    run_id: str | None
    metrics: dict[str, str]
    aliases: list[str]
    tags: dict[str, str]
    created_at: datetime


class Job(msgspec.Struct, frozen=True):
    """A job, and what became of it."""

    id: UUID
    kind: str
    subject_id: UUID | None
    state: str
    attempts: int
    progress: float
    """From 0 to 1."""
    progress_text: str | None
    error: str | None
    result: dict[str, str] | None
    created_at: datetime
    finished_at: datetime | None

    @property
    def ended(self) -> bool:
        """Whether nothing more will come of it."""
        return self.state in {"succeeded", "dead", "cancelled"}


class Entry(msgspec.Struct, frozen=True):
    """An entry of the audit log."""

    sequence: int
    time: datetime
    actor: str
    action: str
    subject_kind: str
    subject_id: str
    changes: dict[str, object]
    texts: dict[str, str]
    leaf_hash: str


class Proof(msgspec.Struct, frozen=True):
    """An entry and the proof that it is in the log."""

    entry: Entry
    leaf: str
    tree_size: int
    root: str
    checkpoint: str
    tlog_proof: str


class Document(msgspec.Struct, frozen=True):
    """A document of a version."""

    id: UUID
    version_id: UUID
    kind: str
    title: str
    file_name: str
    media_type: str
    sha256: str
    size_bytes: int
    uploaded_by: UUID
    uploaded_at: datetime
    signed_off_by: UUID | None
    signed_off_at: datetime | None
    superseded_by: UUID | None


class ColumnRoles(msgspec.Struct, frozen=True, omit_defaults=True):
    """Which columns of a file of predictions are what."""

    outcome: str
    prediction: str
    sensitive: list[str]
    positive: str | int = 1
    """The class whose prediction counts as selection."""
    score: str | None = None
    bands: dict[str, list[float]] = {}
    """Column -> the edges at which its numbers are cut into bands."""
    weight: str | None = None
    preset: str | None = None
    declared_digest: str | None = None
    """SHA-256 of the version's declared test set that the file holds predictions for."""


class Assessment(msgspec.Struct, frozen=True):
    """A bias assessment, and what it says once it is done."""

    id: UUID
    job_id: UUID | None
    state: str
    error: str | None
    """Why it failed."""
    verdict: str | None
    summary: str | None
    rows: int | None


class GateItem(msgspec.Struct, frozen=True):
    """One item of a checklist, and how it stands."""

    id: str
    title: str
    kind: str
    state: str
    met: bool
    """Whether it holds the gate no longer: met or waived."""
    reason: str
    remedy: str | None
    who: list[str]
    """Roles that can meet it; empty where it is met."""
    waivable_by: str | None
    waivable_days: int | None


class Checklist(msgspec.Struct, frozen=True):
    """Items that belong together."""

    id: str
    title: str
    items: list[GateItem]


class GivenApproval(msgspec.Struct, frozen=True):
    """One person's approval."""

    by: UUID
    at: datetime


class Approval(msgspec.Struct, frozen=True):
    """The approvals in one role."""

    role: str
    needed: int
    met: bool
    given: list[GivenApproval]


class UnmetItem(msgspec.Struct, frozen=True):
    """Something still missing, an item or an approval, and the roles that can meet it."""

    id: str
    title: str
    state: str
    reason: str
    remedy: str
    who: list[str]


class BlockingFinding(msgspec.Struct, frozen=True):
    """A finding of a severity that blocks the gate, until it is closed or waived."""

    id: UUID
    title: str
    severity: str
    state: str
    met: bool
    """Whether a waiver excuses it for now."""
    reason: str


class Gate(msgspec.Struct, frozen=True):
    """What a version must show for a stage, and how each item stands."""

    policy_name: str
    policy_version: str
    risk_tier: str
    target_stage: str
    met: bool
    checklists: list[Checklist]
    approvals: list[Approval]
    unmet: list[UnmetItem]
    findings: list[BlockingFinding] = []


class Reference(msgspec.Struct, frozen=True):
    """A document, assessment or check result of a version, by its id."""

    kind: ReferenceWord
    id: UUID


class Attestation(msgspec.Struct, frozen=True):
    """A person's answer to a checklist item."""

    id: UUID
    item: str
    answer: str
    reason: str
    evidence: str | None
    rests_on: list[Reference]
    attested_by: UUID
    attested_at: datetime
    withdrawn_at: datetime | None
    withdrawal_reason: str | None


class Waiver(msgspec.Struct, frozen=True):
    """A dated exception to one checklist item, or to one finding."""

    id: UUID
    item: str | None
    finding_id: UUID | None
    granted_by: UUID
    granted_at: datetime
    expires_at: datetime


class Promotion(msgspec.Struct, frozen=True):
    """A request to move a version to a stage."""

    id: UUID
    number: int
    model: str
    version: int
    target_stage: str
    state: str
    justification: str
    requested_by: UUID
    requested_at: datetime
    expires_at: datetime


class Review(msgspec.Struct, frozen=True):
    """One reviewer's decision in one role."""

    role: str
    decision: str
    reason: str
    reviewed_by: UUID
    reviewed_at: datetime


class PromotionCase(msgspec.Struct, frozen=True):
    """A request with its reviews and its gate: as it stands now while live, as it stood when executed."""

    request: Promotion
    reviews: list[Review]
    gate: Gate | None


class Card(msgspec.Struct, frozen=True):
    """A model card, and where it is in its making."""

    id: UUID
    model: str
    version: int
    job_id: UUID | None
    state: str
    error: str | None
    """Why there is no file."""
    facts_sha256: str | None
    facts_entry: int | None
    """Number of the log entry that has the digest of the facts."""
    pdf_sha256: str | None
    file_name: str
