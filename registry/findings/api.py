"""Routes of findings, and of waivers that except one."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from registry.access.actor import PARTICIPANTS, REVIEWERS, Actor, Role
from registry.catalog.service import find_version
from registry.errors import InvalidInputError
from registry.findings import service
from registry.findings.service import CLOSING, OPENING, FindingFilter, FoundFinding, NewFinding, get_finding
from registry.findings.tables import FindingRow, FindingState
from registry.findings.views import FindingView
from registry.http.guards import requires, signed_in
from registry.http.paging import Cursor, Limit, Page, decode_cursor, page_of
from registry.http.transactions import reads, writes
from registry.policy.policy import Severity
from registry.promotion.views import WaiverView
from registry.promotion.waivers import Excuse, waive_finding
from registry.unit import Unit

WAIVING = (Role.VALIDATOR, *REVIEWERS, Role.RISK_OFFICER)
"""The roles that a policy may name for waivers."""


class FindingToOpen(msgspec.Struct, forbid_unknown_fields=True):
    """What is wrong with a version."""

    severity: Severity
    title: str
    description: str
    owner_id: UUID | None = None
    """The person who has it mended; None for the model's owner."""
    due_at: datetime | None = None
    """By when; None for what the policy says."""


class Remediation(msgspec.Struct, forbid_unknown_fields=True):
    """What was done about a finding, and where that is seen."""

    remediation: str
    evidence: str


class Closing(msgspec.Struct, forbid_unknown_fields=True):
    """Why a finding counts as mended."""

    reason: str


class Reopening(msgspec.Struct, forbid_unknown_fields=True):
    """Why a finding is not mended after all."""

    reason: str
    due_at: datetime | None = None


class NewOwner(msgspec.Struct, forbid_unknown_fields=True):
    """Who has a finding mended from now on. `due_at`: by when; None leaves it as it is."""

    owner_id: UUID
    reason: str
    due_at: datetime | None = None


class NewSeverity(msgspec.Struct, forbid_unknown_fields=True):
    """How grave a finding is after all, and why."""

    severity: Severity
    reason: str


class FindingWaiver(msgspec.Struct, forbid_unknown_fields=True):
    """A dated, reasoned exception to one finding."""

    reason: str
    compensating_measure: str
    expires_at: datetime


class FindingController(Controller):
    """Findings."""

    path = "/api/v1"
    tags = ["findings"]

    @post("/models/{name:str}/versions/{number:int}/findings", guards=[requires(*OPENING)])
    @writes
    def open(
        self,
        name: FromPath[str],
        number: FromPath[int],
        data: JSONBody[FindingToOpen],
        unit: NamedDependency[Unit],
        actor: NamedDependency[Actor],
    ) -> FindingView:
        """State what is wrong with a version."""
        found = find_version(unit, actor, name, number)
        new = NewFinding(data.severity, data.title, data.description, data.owner_id, data.due_at)
        return FindingView.of(FoundFinding(service.open_finding(unit, actor, found, new), found), unit.now)

    @get("/findings", guards=[signed_in])
    @reads
    def search(
        self,
        unit: NamedDependency[Unit],
        actor: NamedDependency[Actor],
        model: FromQuery[str | None] = None,
        finding_state: Annotated[FindingState | None, QueryParameter(name="state")] = None,
        severity: FromQuery[Severity | None] = None,
        owner_id: FromQuery[UUID | None] = None,
        limit: Limit = 100,
        cursor: Cursor = None,
    ) -> Page[FindingView]:
        """Findings, the first due first."""
        wanted = FindingFilter(model, finding_state, severity, owner_id)
        rows = service.list_findings(unit, actor, wanted, _after(cursor), limit + 1)
        return page_of(rows, limit, lambda one: FindingView.of(one, unit.now), _key)

    @get("/findings/{finding_id:uuid}", guards=[signed_in])
    @reads
    def show(
        self, finding_id: FromPath[UUID], unit: NamedDependency[Unit], actor: NamedDependency[Actor]
    ) -> FindingView:
        """A finding."""
        return FindingView.of(get_finding(unit, actor, finding_id), unit.now)

    @post("/findings/{finding_id:uuid}/remediation", guards=[requires(*PARTICIPANTS)], status_code=200)
    @writes
    def remediate(
        self,
        finding_id: FromPath[UUID],
        data: JSONBody[Remediation],
        unit: NamedDependency[Unit],
        actor: NamedDependency[Actor],
    ) -> FindingView:
        """Say what was done about it."""
        return _present(unit, actor, service.remediate(unit, actor, finding_id, data.remediation, data.evidence))

    @post("/findings/{finding_id:uuid}/closing", guards=[requires(*CLOSING)], status_code=200)
    @writes
    def close(
        self,
        finding_id: FromPath[UUID],
        data: JSONBody[Closing],
        unit: NamedDependency[Unit],
        actor: NamedDependency[Actor],
    ) -> FindingView:
        """Agree that it is mended, as somebody who neither owns nor remediated it."""
        return _present(unit, actor, service.close(unit, actor, finding_id, data.reason))

    @post("/findings/{finding_id:uuid}/reopening", guards=[requires(*CLOSING)], status_code=200)
    @writes
    def reopen(
        self,
        finding_id: FromPath[UUID],
        data: JSONBody[Reopening],
        unit: NamedDependency[Unit],
        actor: NamedDependency[Actor],
    ) -> FindingView:
        """Say that it is not mended after all."""
        return _present(unit, actor, service.reopen(unit, actor, finding_id, data.reason, data.due_at))

    @post("/findings/{finding_id:uuid}/owner", guards=[requires(*PARTICIPANTS)], status_code=200)
    @writes
    def reassign(
        self,
        finding_id: FromPath[UUID],
        data: JSONBody[NewOwner],
        unit: NamedDependency[Unit],
        actor: NamedDependency[Actor],
    ) -> FindingView:
        """Give it to another owner."""
        row = service.reassign(unit, actor, finding_id, data.owner_id, data.reason, data.due_at)
        return _present(unit, actor, row)

    @post("/findings/{finding_id:uuid}/severity", guards=[requires(Role.RISK_OFFICER)], status_code=200)
    @writes
    def change_severity(
        self,
        finding_id: FromPath[UUID],
        data: JSONBody[NewSeverity],
        unit: NamedDependency[Unit],
        actor: NamedDependency[Actor],
    ) -> FindingView:
        """Say that it is graver, or less grave."""
        return _present(unit, actor, service.change_severity(unit, actor, finding_id, data.severity, data.reason))

    @post("/findings/{finding_id:uuid}/waivers", guards=[requires(*WAIVING)])
    @writes
    def waive(
        self,
        finding_id: FromPath[UUID],
        data: JSONBody[FindingWaiver],
        unit: NamedDependency[Unit],
        actor: NamedDependency[Actor],
    ) -> WaiverView:
        """Except it for a while: until then it holds no gate."""
        excuse = Excuse(data.reason, data.compensating_measure, data.expires_at)
        return WaiverView.of(waive_finding(unit, actor, finding_id, excuse))


def _present(unit: Unit, actor: Actor, row: FindingRow) -> FindingView:
    return FindingView.of(get_finding(unit, actor, row.id), unit.now)


def _key(one: FoundFinding) -> str:
    return f"{one.row.due_at.isoformat()} {one.row.id}"


def _after(cursor: str | None) -> tuple[datetime, UUID] | None:
    key = decode_cursor(cursor)
    if key is None:
        return None
    due_at, _, identity = key.partition(" ")
    try:
        return datetime.fromisoformat(due_at), UUID(identity)
    except ValueError:
        raise InvalidInputError("cursor", cursor, "use the next_cursor of the page before, unchanged") from None
