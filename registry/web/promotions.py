"""Pages of promotion requests: the list, and one case with its gate, reviews and timeline."""

from typing import Annotated
from urllib.parse import urlencode
from uuid import UUID

from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter
from litestar.response import Template

from registry.access.actor import Actor
from registry.access.service import names_of
from registry.http.guards import signed_in
from registry.http.transactions import reads
from registry.policy.service import find_policy_for, policy_of
from registry.promotion.cases import CaseFilter, find_case, list_cases
from registry.promotion.comments import comments_on
from registry.promotion.service import gate_of_case
from registry.promotion.states import LIVE
from registry.promotion.tables import RequestState
from registry.promotion.views import CommentView, PromotionSummary, PromotionView
from registry.unit import Unit
from registry.web.frame import page
from registry.web.gates import GateSubject, evidence_in, people_in, shown_gate
from registry.web.history import history_of
from registry.web.subjects import version_href

PAGE_ROWS = 50


class PromotionPages(Controller):
    """Promotion requests, for people."""

    path = "/promotions"
    include_in_schema = False

    @get("/", guards=[signed_in])
    @reads
    def search(
        self,
        unit: NamedDependency[Unit],
        actor: NamedDependency[Actor],
        request_state: Annotated[RequestState | None, QueryParameter(name="state")] = None,
        before: Annotated[int | None, QueryParameter(ge=1)] = None,
    ) -> Template:
        """Requests, newest first."""
        cases = list_cases(unit, actor, CaseFilter(state=request_state), before, PAGE_ROWS + 1)
        shown = [PromotionSummary.of(case) for case in cases[:PAGE_ROWS]]
        older = None
        if len(cases) > PAGE_ROWS:
            query = {"before": str(shown[-1].number)} | ({"state": request_state.value} if request_state else {})
            older = f"/promotions?{urlencode(query)}"
        return page(
            unit,
            actor,
            "promotions.html",
            requests=shown,
            hrefs={one.id: version_href(one.model, one.version) for one in shown},
            names=names_of(unit, {one.requested_by for one in shown}),
            states=[state.value for state in RequestState],
            state=None if request_state is None else request_state.value,
            older=older,
            newest=None if before is None else "/promotions",
        )

    @get("/{request_id:uuid}", guards=[signed_in])
    @reads
    def show(self, request_id: FromPath[UUID], unit: NamedDependency[Unit], actor: NamedDependency[Actor]) -> Template:
        """One request."""
        case = find_case(unit, actor, request_id)
        view = gate_of_case(unit, case)
        policy = policy_of(unit, case.request.policy_id).policy
        titles = {item.id: item.title for item in policy.items.values()}
        evidence = evidence_in(view) if view else set()
        history = history_of(unit, [request_id, *evidence], titles)
        found = PromotionView.of(case, None)
        comments = [CommentView.of(row) for row in comments_on(unit, request_id)]
        people = people_in(view) if view else set()
        people |= {one.written_by for one in comments}
        people |= {review.on_behalf_of for review in found.reviews if review.on_behalf_of}
        people |= {found.request.requested_by, *(review.reviewed_by for review in found.reviews)}
        people |= {found.request.executed_by} if found.request.executed_by else set()
        names = names_of(unit, people)
        gate = None
        if view is not None:
            executed = history.entry_of(request_id, "promotion.executed")
            gate = shown_gate(
                view, policy, GateSubject(found.request.model, found.request.version), names, history, executed
            )
        return page(
            unit,
            actor,
            "promotion.html",
            asked=found.request,
            reviews=found.reviews,
            comments=comments,
            href=version_href(found.request.model, found.request.version),
            is_live=case.state in LIVE,
            gate=gate,
            policy=policy,
            governing=find_policy_for(unit, case.found.place),
            names=names,
            history=history,
        )
