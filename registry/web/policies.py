"""Pages of policies: the one that governs, and those before it, readable."""

from uuid import UUID

from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Template

from registry.access.actor import Actor
from registry.http.guards import signed_in
from registry.http.transactions import reads
from registry.policy.policy import AttestationNeeded, CheckNeeded, DocumentNeeded, Item, Policy
from registry.policy.service import active_policy, get_policy, list_policies, policy_of
from registry.policy.views import PolicyView
from registry.unit import Unit
from registry.web.frame import page
from registry.web.history import history_of
from registry.web.presentation import joined, with_article


class PolicyPages(Controller):
    """Policies, for people."""

    path = "/policies"
    include_in_schema = False

    @get("/", guards=[signed_in])
    @reads
    def active(self, unit: NamedDependency[Unit], actor: NamedDependency[Actor]) -> Template:
        """The policy that governs now."""
        return _policy_page(unit, actor, active_policy(unit).row_id)

    @get("/{policy_id:uuid}", guards=[signed_in])
    @reads
    def show(self, policy_id: FromPath[UUID], unit: NamedDependency[Unit], actor: NamedDependency[Actor]) -> Template:
        """A policy that was activated."""
        return _policy_page(unit, actor, policy_id)


def _policy_page(unit: Unit, actor: Actor, policy_id: UUID) -> Template:
    policy: Policy = policy_of(unit, policy_id).policy
    every = [PolicyView.of(row) for row in list_policies(unit)]
    return page(
        unit,
        actor,
        "policy.html",
        row=PolicyView.of(get_policy(unit, policy_id)),
        policy=policy,
        governs=every[0].id == policy_id,
        others=[row for row in every if row.id != policy_id],
        shown={item.id: how_shown(policy, item) for item in policy.items.values()},
        gates_of={item.id: asked_for_at(policy, item) for item in policy.items.values()},
        history=history_of(unit, [policy_id]),
    )


def how_shown(policy: Policy, item: Item) -> str:
    """How an item is shown, in words."""
    match item.shown:
        case AttestationNeeded(roles=roles, independent=independent, max_age_days=days):
            who = joined([role.value for role in roles], "or")
            apart = ", who had no part in the version" if independent else ""
            return f"Attestation by {with_article(who)}{apart}{_age(days)}"
        case DocumentNeeded(kind=kind, max_age_days=days):
            return f"Document: {policy.document_kinds[kind].title}, signed off{_age(days)}"
        case CheckNeeded(check=check, parameters=parameters):
            given = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in parameters.items())
            return f"Automatic check {check}{f' ({given})' if given else ''}"


def asked_for_at(policy: Policy, item: Item) -> str:
    """The stages, with their risk tiers, whose gates ask for an item."""
    tiers: dict[str, list[str]] = {}
    for gate in policy.gates:
        if item.id in gate.items:
            tiers.setdefault(gate.target_stage.value, []).extend(gate.tiers)
    return "; ".join(f"{stage} ({', '.join(names)})" for stage, names in tiers.items())


def _age(days: int | None) -> str:
    return "" if days is None else f", not older than {days} days"
