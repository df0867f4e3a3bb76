"""Pages of policies: those in force, those before them, and what waits for a second administrator."""

from uuid import UUID

from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Template

from registry.access.actor import Actor
from registry.access.service import names_of
from registry.http.guards import signed_in
from registry.http.transactions import reads
from registry.policy.activation import list_proposals
from registry.policy.comparison import differences
from registry.policy.policy import Policy, parse
from registry.policy.policy_views import PolicyView, ProposalView
from registry.policy.service import active_policy, get_policy, list_policies, policies_in_force, policy_of
from registry.policy.wording import asked_for_at, how_shown
from registry.unit import Unit
from registry.web.frame import page
from registry.web.history import history_of


class PolicyPages(Controller):
    """Policies, for people."""

    path = "/policies"
    include_in_schema = False

    @get("/", guards=[signed_in])
    @reads
    def active(self, unit: NamedDependency[Unit], actor: NamedDependency[Actor]) -> Template:
        """The policy that was activated last."""
        return _policy_page(unit, actor, active_policy(unit).row_id)

    @get("/{policy_id:uuid}", guards=[signed_in])
    @reads
    def show(self, policy_id: FromPath[UUID], unit: NamedDependency[Unit], actor: NamedDependency[Actor]) -> Template:
        """A policy that was activated."""
        return _policy_page(unit, actor, policy_id)


def _policy_page(unit: Unit, actor: Actor, policy_id: UUID) -> Template:
    policy: Policy = policy_of(unit, policy_id).policy
    every = [PolicyView.of(row) for row in list_policies(unit)]
    proposals = [ProposalView.of(row) for row in list_proposals(unit)]
    return page(
        unit,
        actor,
        "policy.html",
        row=PolicyView.of(get_policy(unit, policy_id)),
        policy=policy,
        others=[row for row in every if row.id != policy_id],
        shown={item.id: how_shown(policy, item) for item in policy.items.values()},
        gates_of={item.id: asked_for_at(policy, item) for item in policy.items.values()},
        proposals=proposals,
        changes={proposal.id: _changes(unit, proposal) for proposal in proposals},
        names=names_of(unit, {proposal.proposed_by for proposal in proposals}),
        history=history_of(unit, [policy_id, *(proposal.id for proposal in proposals)]),
    )


def _changes(unit: Unit, proposal: ProposalView) -> list[str]:
    """What a proposed policy changes, against the version of it that is in force."""
    if proposal.kind == "deactivate":
        return []
    before = [active.policy for active in policies_in_force(unit) if active.policy.name == proposal.name]
    return differences(before[0], parse(proposal.text)) if before else []
