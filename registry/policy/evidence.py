"""What a gate is evaluated on, as values: everything that rows say about one version. No I/O."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from registry.access.actor import Role
from registry.policy.checks import CheckFacts, bind, inputs_digest
from registry.policy.outcomes import Outcome
from registry.policy.policy import CheckNeeded, Severity
from registry.policy.tables import Answer


@dataclass(frozen=True)
class Attested:
    """The newest answer to an item."""

    id: UUID
    item: str
    answer: Answer
    reason: str
    evidence: str | None
    by: UUID
    at: datetime
    risk_revision: int = 1
    """The revision of the model's risk answers when it was given."""


@dataclass(frozen=True)
class Documented:
    """The newest document of a kind; `signed_off_by` is None as long as nobody signed it off."""

    id: UUID
    kind: str
    title: str
    digest: bytes
    uploaded_by: UUID
    uploaded_at: datetime
    signed_off_by: UUID | None
    signed_off_at: datetime | None


@dataclass(frozen=True)
class Checked:
    """The newest result of a check for one state of its inputs."""

    id: UUID
    check: str
    outcome: Outcome
    reason: str
    evidence: Mapping[str, str]
    inputs_digest: bytes
    at: datetime


@dataclass(frozen=True)
class Excepted:
    """A waiver of an item or a finding; it counts from `granted_at` until just before `expires_at`."""

    id: UUID
    subject: str
    """The item, or `finding-` with the finding's id."""
    reason: str
    by: UUID
    granted_at: datetime
    expires_at: datetime
    compensating_measure: str

    def excuses(self, now: datetime) -> bool:
        """Whether it counts at `now`."""
        return self.granted_at <= now < self.expires_at


@dataclass(frozen=True)
class Unclosed:
    """A finding that is not closed: open, or remediated and not yet agreed upon."""

    id: UUID
    severity: Severity
    title: str
    is_remediated: bool
    owner: UUID
    opened_at: datetime
    due_at: datetime

    @property
    def key(self) -> str:
        """How requirements and waivers call it."""
        return finding_key(self.id)


def finding_key(finding_id: UUID) -> str:
    """How requirements and waivers call a finding."""
    return f"finding-{finding_id}"


def waived_subject(item: str | None, finding_id: UUID | None) -> str:
    """What a waiver excuses: an item by its id, or a finding by its key."""
    if item is not None:
        return item
    assert finding_id is not None, "the table refuses a waiver of nothing"
    return finding_key(finding_id)


@dataclass(frozen=True)
class Reviewed:
    """A review of the live request."""

    role: Role
    approves: bool
    by: UUID
    persons: frozenset[UUID]
    """Who counts: for a machine the person responsible for it; with a delegate, both persons."""
    at: datetime
    role_granted_by: frozenset[UUID] | None = None
    """The persons who granted the role in which it was given; None where that was not kept."""


@dataclass(frozen=True)
class Evidence:
    """All that a gate looks at for one version."""

    facts: CheckFacts
    attested: Mapping[str, Attested]
    """By item."""
    documented: Mapping[str, Documented]
    """By kind."""
    checked: Mapping[tuple[str, bytes], Checked]
    """By check and inputs digest."""
    excepted: Mapping[str, Excepted]
    """By item, or by the key of a finding: the waiver that lasts longest."""
    reviewed: tuple[Reviewed, ...] = ()
    """In the order in which they were given."""
    interested: frozenset[UUID] = frozenset()
    """Who made the request or the version: their own reviews, and those in roles that they granted, do not count."""
    executing: frozenset[UUID] = frozenset()
    """Who would execute the request now: reviews in roles that they granted do not count."""
    unclosed: tuple[Unclosed, ...] = ()
    """Findings, the gravest first."""
    risk_revision: int = 1
    """The present revision of the model's risk answers."""

    def fresh_result(self, needed: CheckNeeded, now: datetime) -> Checked | None:
        """The result of a check for its inputs as they are now."""
        check = bind(needed.check, needed.parameters)
        return self.checked.get((needed.check, inputs_digest(check, self.facts, now)))

    def newest_result_of(self, check: str) -> Checked | None:
        """The newest result of a check, stale or not."""
        found = [result for (name, _), result in self.checked.items() if name == check]
        return max(found, key=lambda result: result.at, default=None)
