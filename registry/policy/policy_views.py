"""What the API says of policies, and of what is proposed about them."""

from datetime import datetime
from uuid import UUID

import msgspec

from registry.policy.activation import Change
from registry.policy.tables import PolicyProposalRow, PolicyRow


class PolicyView(msgspec.Struct, frozen=True):
    """An activated policy, word for word."""

    id: UUID
    name: str
    version: str
    digest: str
    text: str
    activated_at: datetime
    activated_by: UUID | None
    ended_at: datetime | None
    """From this instant on it governs no new request; None where it is in force."""

    @classmethod
    def of(cls, row: PolicyRow) -> "PolicyView":
        """The view of a row."""
        return cls(
            row.id,
            row.name,
            row.version,
            row.digest.hex(),
            row.text,
            row.activated_at,
            row.activated_by,
            row.ended_at,
        )


class ProposalView(msgspec.Struct, frozen=True):
    """What an administrator proposed, for a second one to confirm."""

    id: UUID
    kind: str
    """`activate` or `deactivate`."""
    state: str
    """`waiting`, `confirmed` or `withdrawn`."""
    name: str
    version: str
    digest: str
    text: str
    proposed_by: UUID
    proposed_at: datetime
    expires_at: datetime

    @classmethod
    def of(cls, row: PolicyProposalRow) -> "ProposalView":
        """The view of a row."""
        return cls(
            row.id,
            row.kind,
            row.state,
            row.name,
            row.version,
            row.digest.hex(),
            row.text,
            row.proposed_by,
            row.proposed_at,
            row.expires_at,
        )


class PolicyChangeView(msgspec.Struct, frozen=True):
    """What became of a wish to change policies: done, or waiting for a second administrator."""

    policy: PolicyView | None
    proposal: ProposalView | None

    @classmethod
    def of(cls, change: Change) -> "PolicyChangeView":
        """The view of a change."""
        return cls(
            None if change.policy is None else PolicyView.of(change.policy),
            None if change.proposal is None else ProposalView.of(change.proposal),
        )
