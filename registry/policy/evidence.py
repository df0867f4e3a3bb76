"""What a gate is evaluated on, as values: everything that rows say about one version. No I/O."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from registry.access.actor import Role
from registry.policy.checks import CheckFacts
from registry.policy.tables import Answer, Outcome


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
    """A waiver of an item; it counts from `granted_at` until just before `expires_at`."""

    id: UUID
    item: str
    reason: str
    by: UUID
    granted_at: datetime
    expires_at: datetime

    def excuses(self, now: datetime) -> bool:
        """Whether it counts at `now`."""
        return self.granted_at <= now < self.expires_at


@dataclass(frozen=True)
class Reviewed:
    """A review of the live request. `person`: who counts, for a machine the person responsible for it."""

    role: Role
    approves: bool
    by: UUID
    person: UUID
    at: datetime


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
    """By item: the waiver that lasts longest."""
    reviewed: tuple[Reviewed, ...] = ()
    """In the order in which they were given."""
    requested_by_person: UUID | None = None
    """Whose own reviews count for nothing."""

    def newest_result_of(self, check: str) -> Checked | None:
        """The newest result of a check, stale or not."""
        found = [result for (name, _), result in self.checked.items() if name == check]
        return max(found, key=lambda result: result.at, default=None)
