"""What clients do about policies, and about the risk of models."""

from datetime import datetime
from typing import Literal
from urllib.parse import quote
from uuid import UUID

import msgspec

from registry.catalog.facts import RiskProfile
from registry.client.connection import Connection


class Policy(msgspec.Struct, frozen=True):
    """A policy that was activated, word for word."""

    id: UUID
    name: str
    version: str
    digest: str
    text: str
    activated_at: datetime
    activated_by: UUID | None
    ended_at: datetime | None
    """None where it is in force."""


class PolicyProposal(msgspec.Struct, frozen=True):
    """What an administrator proposed, for a second one to confirm."""

    id: UUID
    kind: Literal["activate", "deactivate"]
    state: str
    name: str
    version: str
    digest: str
    text: str
    proposed_by: UUID
    proposed_at: datetime
    expires_at: datetime


class PolicyChange(msgspec.Struct, frozen=True):
    """What became of a wish to change policies: done, or proposed."""

    policy: Policy | None
    proposal: PolicyProposal | None


class Risk(msgspec.Struct, frozen=True):
    """One state of a model's risk."""

    number: int
    answers: RiskProfile
    answers_revision: int
    tier: str
    reason: str
    policy_id: UUID | None
    assessed_at: datetime
    assessed_by: UUID | None


class PolicyCalls:
    """The methods of `Client` about policies and risk."""

    _connection: Connection

    def policies(self) -> list[Policy]:
        """All policies that were ever activated, those in force first."""
        return self._connection.get("/api/v1/policies", list[Policy])

    def policy_of(self, model: str) -> Policy:
        """The policy that governs a model now."""
        return self._connection.get("/api/v1/policies/active", Policy, {"model": model})

    def activate_policy(self, text: str) -> PolicyChange:
        """Activate a policy, or propose it to a second administrator where there is one."""
        return self._connection.post("/api/v1/policies", {"text": text}, PolicyChange)

    def deactivate_policy(self, policy_id: UUID) -> PolicyChange:
        """End a policy, or propose that to a second administrator where there is one."""
        return self._connection.post(f"/api/v1/policies/{policy_id}/deactivation", {}, PolicyChange)

    def policy_proposals(self) -> list[PolicyProposal]:
        """What waits for a second administrator."""
        return self._connection.get("/api/v1/policies/proposals", list[PolicyProposal])

    def confirm_policy(self, proposal_id: UUID) -> Policy:
        """Do what another administrator proposed."""
        return self._connection.post(f"/api/v1/policies/proposals/{proposal_id}/confirmation", {}, Policy)

    def withdraw_policy(self, proposal_id: UUID) -> PolicyProposal:
        """Take a proposal back, or refuse to confirm it."""
        return self._connection.post(f"/api/v1/policies/proposals/{proposal_id}/withdrawal", {}, PolicyProposal)

    def risk(self, model: str) -> list[Risk]:
        """All states of a model's risk, the present one first."""
        return self._connection.get(f"/api/v1/models/{quote(model, safe='')}/risk", list[Risk])
