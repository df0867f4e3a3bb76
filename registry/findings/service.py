"""Findings: opened by people, remediated by whoever owns them, closed by somebody else.

A machine counts as the person responsible for it, in every rule of separation.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import and_, or_, select
from sqlmodel import col

from registry.access.actor import REVIEWERS, Actor, ActorKind, Place, Role, ScopeKind
from registry.access.service import visible
from registry.access.tables import ActorRow, GrantRow
from registry.catalog.service import FoundVersion, version_by_id
from registry.catalog.tables import ModelVersion, RegisteredModel
from registry.errors import InvalidInputError, NotFoundError
from registry.findings.errors import FindingStateError, SelfClosingError
from registry.findings.states import Step, after
from registry.findings.tables import FindingRow, FindingState
from registry.names import checked_label, checked_text
from registry.notifications.service import Event, Subject, notify
from registry.policy.policy import FindingRules, Severity
from registry.policy.separation import lock_version, person_of
from registry.policy.service import find_policy_for
from registry.unit import Committed, Unit

OPENING = (Role.VALIDATOR, *REVIEWERS, Role.RISK_OFFICER, Role.DEVELOPER)
"""The roles that open findings and say what was done about them."""
CLOSING = (Role.VALIDATOR, *REVIEWERS, Role.RISK_OFFICER)
"""The roles that close findings and open them again."""
REASSIGNING = (Role.VALIDATOR, Role.RISK_OFFICER)
"""The roles that give a finding to another owner; its owner may, too."""

LATEST_DUE = timedelta(days=3650)


@dataclass(frozen=True)
class FoundFinding:
    """A finding with its version."""

    row: FindingRow
    found: FoundVersion


@dataclass(frozen=True)
class NewFinding:
    """What somebody found. `owner_id`: None for the model's owner; `due_at`: None for what the policy says."""

    severity: Severity
    title: str
    description: str
    owner_id: UUID | None = None
    due_at: datetime | None = None


def open_finding(unit: Unit, actor: Actor, found: FoundVersion, new: NewFinding) -> FindingRow:
    """State what is wrong with a version, who has it mended, and by when.

    Raises:
        InvalidInputError: an empty text, an owner who is nobody of the team, or a time that has passed.
        RefusedError: the actor holds none of the roles that open findings there.
    """
    checked_label("title", new.title)
    checked_text("description", new.description)
    actor.require(*OPENING, place=found.place)
    owner_id = new.owner_id or person_of(unit, found.model.owner_id)
    _check_owner(unit, owner_id, found)
    lock_version(unit, found.version.id)
    row = FindingRow(
        version_id=found.version.id,
        severity=new.severity.value,
        title=new.title,
        description=new.description,
        owner_id=owner_id,
        due_at=_checked_due(unit, new.due_at) if new.due_at else _usual_due(unit, found.place, new.severity),
        opened_by=actor.id,
        opened_at=unit.now,
    )
    record_opened(unit, actor, row, found)
    return row


def record_opened(unit: Unit, actor: Actor | None, row: FindingRow, found: FoundVersion) -> None:
    """Keep a new finding, put it into the log, and tell its owner. `actor`: None where a check opened it."""
    unit.session.add(row)
    unit.record(
        actor,
        "finding.opened",
        row.id,
        {
            "version_id": row.version_id,
            "severity": row.severity,
            "title": Committed(row.title),
            "description": Committed(row.description),
            "owner_id": row.owner_id,
            "due_at": row.due_at,
            "check": row.check_name,
            "check_result_id": row.check_result_id,
            "state": row.state,
            "opened_at": row.opened_at,
        },
    )
    facts = {
        "model": found.model.name,
        "version": str(found.version.number),
        "severity": row.severity,
        "finding": row.title,
        "due": f"{row.due_at:%Y-%m-%d %H:%M} UTC",
    }
    subject = Subject("finding", row.id, row.title, f"/findings/{row.id}", found.place)
    notify(unit, Event.FINDING_OPENED, subject, {row.owner_id, found.model.owner_id}, facts)


def _usual_due(unit: Unit, place: Place, severity: Severity) -> datetime:
    active = find_policy_for(unit, place)
    rules = FindingRules() if active is None else active.policy.findings
    return unit.now + timedelta(days=rules.due_days.of(severity))


def _checked_due(unit: Unit, due_at: datetime) -> datetime:
    if due_at.tzinfo is None:
        raise InvalidInputError("due_at", str(due_at), "give the time zone, such as Z for UTC")
    if not unit.now < due_at <= unit.now + LATEST_DUE:
        raise InvalidInputError("due_at", due_at.isoformat(), "a finding is due after now, and within ten years")
    return due_at


def _check_owner(unit: Unit, owner_id: UUID, found: FoundVersion) -> None:
    """An owner is a person who is here, and who owns the model or holds a role that reaches it."""
    row = unit.session.get(ActorRow, owner_id)
    if row is None or row.kind != ActorKind.PERSON or row.left_at is not None:
        raise InvalidInputError("owner_id", str(owner_id), "the owner is a person who has not left: `acta actor list`")
    if owner_id == person_of(unit, found.model.owner_id) or _holds_a_role(unit, owner_id, found.place):
        return
    raise InvalidInputError(
        "owner_id", str(owner_id), f"the owner holds a role that reaches model {found.model.name!r}: `acta role grant`"
    )


def _holds_a_role(unit: Unit, actor_id: UUID, place: Place) -> bool:
    reaching = or_(
        col(GrantRow.scope_kind) == ScopeKind.ALL.value,
        and_(col(GrantRow.scope_kind) == ScopeKind.TEAM.value, col(GrantRow.scope_name) == place.team),
        and_(col(GrantRow.scope_kind) == ScopeKind.MODEL.value, col(GrantRow.scope_name) == place.model),
    )
    query = select(col(GrantRow.id)).where(
        col(GrantRow.actor_id) == actor_id, col(GrantRow.revoked_at).is_(None), reaching
    )
    return unit.session.execute(query.limit(1)).first() is not None


def remediate(unit: Unit, actor: Actor, finding_id: UUID, remediation: str, evidence: str) -> FindingRow:
    """Say what was done about a finding, and where that is seen.

    Raises:
        RefusedError: the actor neither owns it nor holds a role that opens findings there.
        FindingStateError: it is not open.
    """
    checked_text("remediation", remediation)
    checked_text("evidence", evidence)
    one = _locked(unit, actor, finding_id)
    row = one.row
    if actor.person_id != row.owner_id:
        actor.require(*OPENING, place=one.found.place)
    row.state = after(FindingState(row.state), Step.REMEDIATED).value
    row.remediation, row.remediation_evidence = remediation, evidence
    row.remediated_by, row.remediated_at = actor.id, unit.now
    unit.record(
        actor,
        "finding.remediated",
        row.id,
        {
            "version_id": row.version_id,
            "remediation": Committed(remediation),
            "evidence": Committed(evidence),
            "state": row.state,
            "remediated_at": row.remediated_at,
        },
    )
    return row


def close(unit: Unit, actor: Actor, finding_id: UUID, reason: str) -> FindingRow:
    """Agree that a finding is mended: it blocks nothing any more.

    Raises:
        RefusedError: the actor is no validator, reviewer or risk officer there.
        SelfClosingError: that person owns it or remediated it.
        FindingStateError: it is not remediated.
    """
    checked_text("reason", reason)
    one = _locked(unit, actor, finding_id)
    row = one.row
    actor.require(*CLOSING, place=one.found.place)
    following = after(FindingState(row.state), Step.CLOSED)
    interested = {row.owner_id} | ({person_of(unit, row.remediated_by)} if row.remediated_by else set())
    if actor.person_id in interested:
        raise SelfClosingError
    row.state = following.value
    row.closed_by, row.closed_at = actor.id, unit.now
    unit.record(
        actor,
        "finding.closed",
        row.id,
        {
            "version_id": row.version_id,
            "reason": Committed(reason),
            "state": row.state,
            "closed_at": row.closed_at,
        },
    )
    return row


def reopen(unit: Unit, actor: Actor, finding_id: UUID, reason: str, due_at: datetime | None = None) -> FindingRow:
    """Say that a finding is not mended after all. `due_at`: by when it is; None for what the policy says.

    Raises:
        RefusedError: the actor is no validator, reviewer or risk officer there.
        FindingStateError: it is open.
    """
    checked_text("reason", reason)
    one = _locked(unit, actor, finding_id)
    row = one.row
    actor.require(*CLOSING, place=one.found.place)
    row.state = after(FindingState(row.state), Step.REOPENED).value
    row.remediation = row.remediation_evidence = row.remediated_by = row.remediated_at = None
    row.closed_by = row.closed_at = row.escalated_at = None
    row.due_at = _checked_due(unit, due_at) if due_at else _usual_due(unit, one.found.place, Severity(row.severity))
    unit.record(
        actor,
        "finding.reopened",
        row.id,
        {"version_id": row.version_id, "reason": Committed(reason), "state": row.state, "due_at": row.due_at},
    )
    return row


def reassign(
    unit: Unit, actor: Actor, finding_id: UUID, owner_id: UUID, reason: str, due_at: datetime | None = None
) -> FindingRow:
    """Give an open finding to another owner. `due_at`: by when that one has it mended; None leaves it as it is.

    Raises:
        RefusedError: the actor neither owns it nor is validator or risk officer there.
        FindingStateError: it is not open: who mended what stays as it was said.
        InvalidInputError: an owner who is nobody of the team, or a time that has passed.
    """
    checked_text("reason", reason)
    one = _locked(unit, actor, finding_id)
    row = one.row
    if actor.person_id != row.owner_id:
        actor.require(*REASSIGNING, place=one.found.place)
    _require_open(row, "reassigned")
    _check_owner(unit, owner_id, one.found)
    if due_at is not None:
        # An owner who moves the date would never be late.
        actor.require(*REASSIGNING, place=one.found.place)
        row.due_at, row.escalated_at = _checked_due(unit, due_at), None
    row.owner_id = owner_id
    unit.record(
        actor,
        "finding.reassigned",
        row.id,
        {
            "version_id": row.version_id,
            "owner_id": row.owner_id,
            "due_at": row.due_at,
            "reason": Committed(reason),
        },
    )
    return row


def change_severity(unit: Unit, actor: Actor, finding_id: UUID, severity: Severity, reason: str) -> FindingRow:
    """Say that a finding is graver, or less grave, than it was said to be; its due time stays.

    Raises:
        RefusedError: the actor is no risk officer there.
        FindingStateError: it is closed.
        InvalidInputError: it has that severity already.
    """
    checked_text("reason", reason)
    one = _locked(unit, actor, finding_id)
    row = one.row
    actor.require(Role.RISK_OFFICER, place=one.found.place)
    if row.state == FindingState.CLOSED:
        _require_open(row, "given another severity")
    if row.severity == severity:
        raise InvalidInputError("severity", severity.value, "it has that severity already")
    before, row.severity = row.severity, severity.value
    unit.record(
        actor,
        "finding.severity-changed",
        row.id,
        {"version_id": row.version_id, "from": before, "to": row.severity, "reason": Committed(reason)},
    )
    return row


def _require_open(row: FindingRow, deed: str) -> None:
    if row.state != FindingState.OPEN:
        raise FindingStateError(row.state, deed)


def get_finding(unit: Unit, actor: Actor, finding_id: UUID) -> FoundFinding:
    """A finding with its version.

    Raises:
        NotFoundError: there is none, or the actor may not see its model.
    """
    row = unit.session.get(FindingRow, finding_id)
    if row is None:
        raise NotFoundError("finding", finding_id)
    try:
        return FoundFinding(row, version_by_id(unit, actor, row.version_id))
    except NotFoundError:
        raise NotFoundError("finding", finding_id) from None


def _locked(unit: Unit, actor: Actor, finding_id: UUID) -> FoundFinding:
    """A finding for a change: its version stays locked, since a gate may rest on it."""
    one = get_finding(unit, actor, finding_id)
    lock_version(unit, one.row.version_id)
    unit.session.refresh(one.row)
    return one


def findings_of(unit: Unit, version_id: UUID) -> list[FindingRow]:
    """All findings on a version, closed ones too, the first due first."""
    query = (
        select(FindingRow)
        .where(col(FindingRow.version_id) == version_id)
        .order_by(col(FindingRow.due_at), col(FindingRow.id))
    )
    return list(unit.session.execute(query).scalars())


@dataclass(frozen=True)
class FindingFilter:
    """What a search of findings may ask for; all conditions must hold."""

    model: str | None = None
    state: FindingState | None = None
    severity: Severity | None = None
    owner_id: UUID | None = None


def list_findings(
    unit: Unit, actor: Actor, wanted: FindingFilter, after_key: tuple[datetime, UUID] | None, limit: int
) -> list[FoundFinding]:
    """Findings that the actor may see, the first due first, from the one after `after_key` (due, id) on."""
    query = (
        select(FindingRow, RegisteredModel, ModelVersion)
        .join(ModelVersion, col(ModelVersion.id) == col(FindingRow.version_id))
        .join(RegisteredModel, col(RegisteredModel.id) == col(ModelVersion.model_id))
        .order_by(col(FindingRow.due_at), col(FindingRow.id))
        .limit(limit)
    )
    condition = visible(actor, col(RegisteredModel.name), col(RegisteredModel.team))
    if condition is not None:
        query = query.where(condition)
    if after_key is not None:
        due_at, identity = after_key
        query = query.where(
            or_(
                col(FindingRow.due_at) > due_at,
                and_(col(FindingRow.due_at) == due_at, col(FindingRow.id) > identity),
            )
        )
    if wanted.model is not None:
        query = query.where(col(RegisteredModel.name) == wanted.model)
    if wanted.state is not None:
        query = query.where(col(FindingRow.state) == wanted.state.value)
    if wanted.severity is not None:
        query = query.where(col(FindingRow.severity) == wanted.severity.value)
    if wanted.owner_id is not None:
        query = query.where(col(FindingRow.owner_id) == wanted.owner_id)
    return [FoundFinding(row[0], FoundVersion(row[1], row[2])) for row in unit.session.execute(query)]
