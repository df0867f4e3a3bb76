"""Routes of policies: those in force and those before them, and how an administrator changes them."""

from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody

from registry.access.actor import Actor, Place, Role
from registry.catalog.service import get_model
from registry.http.guards import requires, signed_in
from registry.http.transactions import reads, writes
from registry.policy import activation, service
from registry.policy.policy_views import PolicyChangeView, PolicyView, ProposalView
from registry.unit import Unit


class PolicyText(msgspec.Struct, forbid_unknown_fields=True):
    """A policy, word for word."""

    text: Annotated[str, msgspec.Meta(min_length=1)]
    """YAML: docs/policy.schema.json describes it."""


class PolicyController(Controller):
    """Policies."""

    path = "/api/v1/policies"
    tags = ("policies",)

    @get("/", guards=[signed_in])
    @reads
    def search(self, unit: NamedDependency[Unit]) -> list[PolicyView]:
        """All policies that were ever activated: those in force first."""
        return [PolicyView.of(row) for row in service.list_policies(unit)]

    @get("/active", guards=[signed_in])
    @reads
    def active(
        self, unit: NamedDependency[Unit], actor: NamedDependency[Actor], model: FromQuery[str | None] = None
    ) -> PolicyView:
        """The policy that governs a model now; without a model, the one activated last."""
        if model is None:
            return PolicyView.of(service.get_policy(unit, service.active_policy(unit).row_id))
        row = get_model(unit, actor, model)
        governing = service.policy_for(unit, Place(row.name, row.team))
        return PolicyView.of(service.get_policy(unit, governing.row_id))

    @get("/proposals", guards=[signed_in])
    @reads
    def proposals(self, unit: NamedDependency[Unit]) -> list[ProposalView]:
        """What waits for a second administrator, the oldest first."""
        return [ProposalView.of(row) for row in activation.list_proposals(unit)]

    @get("/{policy_id:uuid}", guards=[signed_in])
    @reads
    def show(self, policy_id: FromPath[UUID], unit: NamedDependency[Unit]) -> PolicyView:
        """A policy, word for word."""
        return PolicyView.of(service.get_policy(unit, policy_id))

    @post("/", guards=[requires(Role.ADMINISTRATOR)])
    @writes
    def activate(
        self, data: JSONBody[PolicyText], unit: NamedDependency[Unit], actor: NamedDependency[Actor]
    ) -> PolicyChangeView:
        """Activate a policy; where there are two administrators, propose it to another one."""
        return PolicyChangeView.of(activation.activate(unit, actor, data.text))

    @post("/{policy_id:uuid}/deactivation", guards=[requires(Role.ADMINISTRATOR)])
    @writes
    def deactivate(
        self, policy_id: FromPath[UUID], unit: NamedDependency[Unit], actor: NamedDependency[Actor]
    ) -> PolicyChangeView:
        """End a policy; where there are two administrators, propose it to another one."""
        return PolicyChangeView.of(activation.deactivate(unit, actor, policy_id))

    @post("/proposals/{proposal_id:uuid}/confirmation", guards=[requires(Role.ADMINISTRATOR)])
    @writes
    def confirm(
        self, proposal_id: FromPath[UUID], unit: NamedDependency[Unit], actor: NamedDependency[Actor]
    ) -> PolicyView:
        """Do what another administrator proposed."""
        return PolicyView.of(activation.confirm(unit, actor, proposal_id))

    @post("/proposals/{proposal_id:uuid}/withdrawal", guards=[requires(Role.ADMINISTRATOR)])
    @writes
    def withdraw(
        self, proposal_id: FromPath[UUID], unit: NamedDependency[Unit], actor: NamedDependency[Actor]
    ) -> ProposalView:
        """Take a proposal back, or refuse to confirm it."""
        return ProposalView.of(activation.withdraw(unit, actor, proposal_id))
