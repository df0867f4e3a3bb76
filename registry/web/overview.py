"""The first page: what is in production, what waits for somebody, what expires, and the newest checkpoint."""

from collections.abc import Sequence
from dataclasses import dataclass

from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.response import Template

from audit.reads import latest_checkpoint
from registry.access.actor import Actor
from registry.http.guards import signed_in
from registry.http.transactions import reads
from registry.policy.policy import Policy
from registry.policy.service import policies_in_force
from registry.promotion.rollback import rollbacks_owing_review, sentence
from registry.unit import Unit
from registry.web.frame import page
from registry.web.history import history_of, item_titles
from registry.web.inventory import in_force, production, waiting
from registry.web.presentation import counted, joined, opened
from registry.web.subjects import version_href


@dataclass(frozen=True)
class OwedReview:
    """A version that an emergency rollback brought into production, whose review is owed."""

    title: str
    href: str
    sentence: str


class OverviewPage(Controller):
    """What is in production."""

    path = "/"
    include_in_schema = False

    @get("/", guards=[signed_in])
    @reads
    def show(self, unit: NamedDependency[Unit], actor: NamedDependency[Actor]) -> Template:
        """What is in production, of what the actor may see."""
        policies = policies_in_force(unit)
        tiers = production(unit, actor, known_tiers([active.policy for active in policies]))
        requests, more_requests = waiting(unit, actor)
        waivers = in_force(unit, actor, item_titles(unit))
        versions = [version for tier in tiers for version in tier.versions]
        subjects = [one.cause_id for one in versions if one.cause_id] + [waiver.id for waiver in waivers]
        total = sum(tier.count for tier in tiers)
        checkpoint = latest_checkpoint(unit.session.connection())
        return page(
            unit,
            actor,
            "overview.html",
            tiers=tiers,
            total=total,
            shown=len(versions),
            serve=opened(counted(total, "version serves", "versions serve")),
            by_tier=joined(counted(tier.count, f"{tier.name} risk", f"{tier.name} risk") for tier in tiers),
            requests=requests,
            more_requests=more_requests,
            waivers=waivers,
            rollbacks=[
                OwedReview(
                    f"{one.model.name} {one.to_number}",
                    version_href(one.model.name, one.to_number),
                    sentence(one, unit.now),
                )
                for one in rollbacks_owing_review(unit, actor)
            ],
            history=history_of(unit, subjects),
            note=None if checkpoint is None else checkpoint.note,
            sees_everything=actor.reads_everything,
        )


def known_tiers(policies: Sequence[Policy]) -> list[str]:
    """The risk tiers of several policies, each once, from the lowest to the highest as far as they agree."""
    return list(dict.fromkeys(tier for policy in policies for tier in policy.risk.tiers))
