"""The page of a finding: what is wrong, who has it mended by when, what was done, and what the log says of it."""

from uuid import UUID

from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Template

from registry.access.actor import Actor
from registry.access.service import names_of
from registry.findings.service import get_finding
from registry.findings.views import FindingView
from registry.http.guards import signed_in
from registry.http.transactions import reads
from registry.promotion.views import WaiverView
from registry.promotion.waivers import waivers_of_finding
from registry.unit import Unit
from registry.web.frame import page
from registry.web.history import history_of
from registry.web.subjects import version_href


class FindingPages(Controller):
    """Findings, for people."""

    path = "/findings"
    include_in_schema = False

    @get("/{finding_id:uuid}", guards=[signed_in])
    @reads
    def show(self, finding_id: FromPath[UUID], unit: NamedDependency[Unit], actor: NamedDependency[Actor]) -> Template:
        """One finding."""
        view = FindingView.of(get_finding(unit, actor, finding_id), unit.now)
        waivers = [WaiverView.of(row) for row in waivers_of_finding(unit, finding_id)]
        named = (view.owner_id, view.opened_by, view.remediated_by, view.closed_by)
        people = {one for one in (*named, *(waiver.granted_by for waiver in waivers)) if one is not None}
        return page(
            unit,
            actor,
            "finding.html",
            finding=view,
            href=version_href(view.model, view.version),
            waivers=waivers,
            names=names_of(unit, people),
            history=history_of(unit, [finding_id, *(waiver.id for waiver in waivers)]),
        )
