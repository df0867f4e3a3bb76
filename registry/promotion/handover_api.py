"""Route by which a leaver's open work goes to somebody else."""

from uuid import UUID

import msgspec
from litestar import Controller, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from registry.access.actor import Actor, Role
from registry.http.guards import requires
from registry.http.transactions import writes
from registry.promotion.handover import hand_over
from registry.unit import Unit


class NewHandover(msgspec.Struct, forbid_unknown_fields=True):
    """To whom the work goes, and why to that person."""

    to: UUID
    reason: str


class HandoverView(msgspec.Struct, frozen=True):
    """How much was handed over."""

    models: int
    findings: int
    requests: int


class HandoverController(Controller):
    """Leavers' open work."""

    path = "/api/v1/actors"
    tags = ["access"]

    @post("/{actor_id:uuid}/handover", guards=[requires(Role.ADMINISTRATOR)], status_code=200)
    @writes
    def hand_over(
        self,
        actor_id: FromPath[UUID],
        data: JSONBody[NewHandover],
        unit: NamedDependency[Unit],
        actor: NamedDependency[Actor],
    ) -> HandoverView:
        """Give the models, findings and live requests of a person who has left to another one."""
        done = hand_over(unit, actor, actor_id, data.to, data.reason)
        return HandoverView(done.models, done.findings, done.requests)
