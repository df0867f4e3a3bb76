"""Versions in production whose evidence has lapsed: found, flagged, told, and moved once the grace is over.

A version is judged by the policy under which it entered production: a policy that is activated later asks nothing of
what serves already, until its next review.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlmodel import col

from registry.access.actor import REVIEWERS, Actor, Role
from registry.access.service import visible
from registry.catalog.facts import Stage
from registry.catalog.service import FoundVersion
from registry.catalog.tables import ModelVersion, RegisteredModel
from registry.errors import ConflictError
from registry.lapses.evidence import Coming, Standing, coming, lacking
from registry.lapses.rules import Decision, Lasting, NewFlag, as_of, decide
from registry.lapses.tables import Ending, LapseRow, StageReviewRow
from registry.names import checked_text
from registry.notifications.service import Event, Subject, holders_of, notify
from registry.policy.evidence import waived_subject
from registry.policy.gate import evaluate
from registry.policy.gathering import gather
from registry.policy.jobs import request_checks
from registry.policy.policy import GateRule, Lapsed
from registry.policy.separation import lock_version, person_of, refuse_creator
from registry.policy.service import ActivePolicy, find_policy_for, policy_of, tier_under
from registry.promotion.moves import move
from registry.promotion.tables import PromotionRequest, RequestState, Waiver
from registry.unit import Committed, Unit, Value

REVIEWING = (Role.VALIDATOR, *REVIEWERS, Role.RISK_OFFICER)
"""The roles that let a version stay in production for another period."""

MOST_VERSIONS = 500
"""Versions in production of one list of what is due."""


@dataclass(frozen=True)
class Judged:
    """A version in production, the rule by which it stands there, and how it stands."""

    active: ActivePolicy
    rule: GateRule
    standing: Standing


def candidates(unit: Unit) -> list[UUID]:
    """The versions to look at: all in production, and those with a flag that has not ended."""
    flagged = select(col(LapseRow.version_id)).where(col(LapseRow.ended_at).is_(None))
    query = (
        select(col(ModelVersion.id))
        .where(or_(col(ModelVersion.stage) == Stage.PRODUCTION.value, col(ModelVersion.id).in_(flagged)))
        .order_by(col(ModelVersion.created_at), col(ModelVersion.id))
    )
    return list(unit.session.execute(query).scalars())


def decision_on(unit: Unit, version_id: UUID) -> Decision:
    """What is to be done about a version as of `unit.now`, which may be moved on to what was noted last of it."""
    found = _found(unit, version_id)
    lapses = lapses_of(unit, version_id)
    unit.now = as_of(unit.now, [instant for row in lapses for instant in (row.flagged_at, row.ended_at)])
    lasting = [_lasting(row) for row in lapses if row.ended_at is None]
    if found.version.stage != Stage.PRODUCTION:
        return decide(unit.now, None, lasting, None)
    judged = judge(unit, found)
    if judged is None:
        # No policy says what it must show: nothing can lapse, and nothing is met again.
        return Decision()
    return decide(unit.now, lacking(judged.standing, unit.now), lasting, judged.rule.after_lapse)


def _lasting(row: LapseRow) -> Lasting:
    then_stage = None if row.then_stage is None else Lapsed(row.then_stage)
    return Lasting(row.id, row.requirement, row.flagged_at, row.move_at, then_stage)


def _found(unit: Unit, version_id: UUID) -> FoundVersion:
    query = (
        select(RegisteredModel, ModelVersion)
        .join(ModelVersion, col(ModelVersion.model_id) == col(RegisteredModel.id))
        .where(col(ModelVersion.id) == version_id)
    )
    model, version = unit.session.execute(query).one()
    return FoundVersion(model, version)


def judge(unit: Unit, found: FoundVersion) -> Judged | None:
    """How a version in production stands; None where no policy says what it must show."""
    entry = _entry(unit, found.version.id)
    active = find_policy_for(unit, found.place) if entry is None else policy_of(unit, entry.policy_id)
    if active is None:
        return None
    tier = tier_under(active.policy, found.model)
    rule = active.policy.gate(Stage.PRODUCTION, tier)
    if rule is None:
        return None
    evidence = gather(unit, found, Stage.PRODUCTION)
    entered_at = None if entry is None else entry.ended_at
    standing = Standing(
        evidence=evidence,
        evaluate=lambda at: evaluate(active.row_id, active.policy, rule, tier, evidence, at),
        ended_waivers=_ended_waivers(unit, found.version.id, entered_at),
        review_due_at=_review_due_at(unit, found.version.id, entered_at, rule),
    )
    return Judged(active, rule, standing)


def _entry(unit: Unit, version_id: UUID) -> PromotionRequest | None:
    """The request by which the version entered production last."""
    query = (
        select(PromotionRequest)
        .where(
            col(PromotionRequest.version_id) == version_id,
            col(PromotionRequest.state) == RequestState.EXECUTED.value,
            col(PromotionRequest.target_stage) == Stage.PRODUCTION.value,
        )
        .order_by(col(PromotionRequest.number).desc())
        .limit(1)
    )
    return unit.session.execute(query).scalar()


def _ended_waivers(unit: Unit, version_id: UUID, entered_at: datetime | None) -> dict[str, datetime]:
    query = (
        select(col(Waiver.item), col(Waiver.finding_id), func.max(col(Waiver.expires_at)))
        .where(col(Waiver.version_id) == version_id, col(Waiver.expires_at) <= unit.now)
        .group_by(col(Waiver.item), col(Waiver.finding_id))
    )
    if entered_at is not None:
        query = query.where(col(Waiver.expires_at) > entered_at)
    rows = unit.session.execute(query)
    return {waived_subject(item, finding_id): ended for item, finding_id, ended in rows}


def _review_due_at(unit: Unit, version_id: UUID, entered_at: datetime | None, rule: GateRule) -> datetime | None:
    if rule.review_days is None:
        return None
    query = select(col(StageReviewRow.reviewed_at)).where(col(StageReviewRow.version_id) == version_id)
    reviewed_at = unit.session.execute(query.order_by(col(StageReviewRow.reviewed_at).desc()).limit(1)).scalar()
    known = [instant for instant in (entered_at, reviewed_at) if instant is not None]
    return max(known) + timedelta(days=rule.review_days) if known else None


def carry_out(unit: Unit, version_id: UUID, decision: Decision) -> None:
    """Write what was decided about a version: flags raised and ended, who is told, and where the version goes.

    The version is locked, and the decision was made after that.
    """
    found = _found(unit, version_id)
    for flag in decision.met_again:
        _end(unit, flag, Ending.MET_AGAIN)
    for flag in decision.left:
        _end(unit, flag, Ending.LEFT_PRODUCTION)
    raised = [_raise(unit, found, flag) for flag in decision.raised]
    _check_again(unit, found, raised)
    if decision.overdue is not None:
        _move(unit, found, decision.overdue)
    elif raised:
        _tell(unit, found, {row.title: row.reason for row in raised})


def _check_again(unit: Unit, found: FoundVersion, raised: Sequence[LapseRow]) -> None:
    """Have the checks run where one lapsed: what it looks at may have been renewed, and the next look then ends it."""
    judged = judge(unit, found) if raised else None
    if judged is None:
        return
    items = judged.active.policy.items
    if any(row.requirement in items and items[row.requirement].kind == "check" for row in raised):
        request_checks(unit, None, found.version.id)


def _raise(unit: Unit, found: FoundVersion, flag: NewFlag) -> LapseRow:
    judged = judge(unit, found)
    assert judged is not None, "only a version that some policy judges is flagged"
    row = LapseRow(
        version_id=found.version.id,
        requirement=flag.requirement,
        title=flag.title,
        reason=flag.reason,
        policy_id=judged.active.row_id,
        since=flag.since,
        flagged_at=unit.now,
        move_at=flag.move_at,
        then_stage=None if flag.then_stage is None else flag.then_stage.value,
    )
    unit.session.add(row)
    unit.record(
        None,
        "lapse.flagged",
        row.id,
        {
            "version_id": row.version_id,
            "requirement": row.requirement,
            "title": Committed(row.title),
            "reason": Committed(row.reason),
            "policy_id": row.policy_id,
            "since": row.since,
            "flagged_at": row.flagged_at,
            "move_at": row.move_at,
            "then_stage": row.then_stage,
        },
    )
    return row


def _end(unit: Unit, flag: Lasting, ending: Ending) -> LapseRow:
    row = unit.session.get_one(LapseRow, flag.id)
    row.ended_at, row.ended_as = unit.now, ending.value
    unit.record(
        None,
        "lapse.ended",
        row.id,
        {"version_id": row.version_id, "ended_at": row.ended_at, "ended_as": row.ended_as},
    )
    return row


def _move(unit: Unit, found: FoundVersion, overdue: Lasting) -> None:
    """The grace of one flag is over: the version goes where the policy says, and with it all its flags end."""
    row = unit.session.get_one(LapseRow, overdue.id)
    assert overdue.then_stage is not None
    cause: dict[str, Value] = {
        "rule": "after_lapse",
        "lapse_id": row.id,
        "requirement": row.requirement,
        "policy_id": row.policy_id,
        "move_at": row.move_at,
    }
    move(unit, None, found.version, Stage(overdue.then_stage.value), cause)
    unit.session.flush()
    for one in lapses_of(unit, found.version.id):
        if one.ended_at is None:
            _end(unit, _lasting(one), Ending.MOVED)
    _tell(unit, found, {"moved to": overdue.then_stage.value, row.title: row.reason}, Event.VERSION_DEMOTED)


def _tell(unit: Unit, found: FoundVersion, facts: dict[str, str], event: Event = Event.REVIEW_DUE) -> None:
    """Tell the model's owner and its risk officers that the version's review is due, or that it was demoted."""
    version, model = found.version, found.model
    subject = Subject(
        "version",
        version.id,
        f"{model.name} {version.number}",
        f"/models/{model.name}/versions/{version.number}",
        found.place,
    )
    persons = {person_of(unit, model.owner_id)} | holders_of(unit, found.place, [Role.RISK_OFFICER])
    notify(unit, event, subject, persons, {"model": model.name, "version": str(version.number), **facts})


def confirm_review(unit: Unit, actor: Actor, found: FoundVersion, reason: str) -> StageReviewRow:
    """Let a version stay in production for another period of the policy, after looking at it again.

    Raises:
        RefusedError: the actor is no validator, reviewer or risk officer there.
        ConflictOfInterestError: the actor registered the version.
        ConflictError: the version is not in production.
    """
    checked_text("reason", reason)
    actor.require(*REVIEWING, place=found.place)
    refuse_creator(unit, actor, found.version, "reviews it in production")
    lock_version(unit, found.version.id)
    stage = unit.session.get_one(ModelVersion, found.version.id).stage
    if stage != Stage.PRODUCTION:
        raise ConflictError(f"This version is in {stage}: only one in production is reviewed again.")
    row = StageReviewRow(version_id=found.version.id, reason=reason, reviewed_by=actor.id, reviewed_at=unit.now)
    unit.session.add(row)
    unit.record(
        actor,
        "stage-review.given",
        row.id,
        {"version_id": row.version_id, "reason": Committed(reason), "reviewed_at": row.reviewed_at},
    )
    return row


def lapses_of(unit: Unit, version_id: UUID) -> list[LapseRow]:
    """All flags of a version, ended ones too, newest first."""
    query = (
        select(LapseRow)
        .where(col(LapseRow.version_id) == version_id)
        .order_by(col(LapseRow.flagged_at).desc(), col(LapseRow.requirement), col(LapseRow.id))
    )
    return list(unit.session.execute(query).scalars())


def lasting_lapses(unit: Unit, version_ids: Sequence[UUID]) -> dict[UUID, list[LapseRow]]:
    """The flags that last, by version, the oldest first: one statement."""
    query = (
        select(LapseRow)
        .where(col(LapseRow.version_id).in_(version_ids), col(LapseRow.ended_at).is_(None))
        .order_by(col(LapseRow.since), col(LapseRow.requirement))
    )
    found: dict[UUID, list[LapseRow]] = {}
    for row in unit.session.execute(query).scalars():
        found.setdefault(row.version_id, []).append(row)
    return found


@dataclass(frozen=True)
class Due:
    """A version in production with what has lapsed, and what will within the days asked for."""

    found: FoundVersion
    lasting: tuple[LapseRow, ...]
    coming: tuple[Coming, ...]


def due_within(unit: Unit, actor: Actor, days: int) -> list[Due]:
    """Of the versions in production that the actor may see, what has lapsed and what will; at most 500 versions."""
    query = (
        select(RegisteredModel, ModelVersion)
        .join(ModelVersion, col(ModelVersion.model_id) == col(RegisteredModel.id))
        .where(col(ModelVersion.stage) == Stage.PRODUCTION.value)
        .order_by(col(RegisteredModel.name), col(ModelVersion.number))
        .limit(MOST_VERSIONS)
    )
    condition = visible(actor, col(RegisteredModel.name), col(RegisteredModel.team))
    if condition is not None:
        query = query.where(condition)
    versions = [FoundVersion(row[0], row[1]) for row in unit.session.execute(query)]
    flagged = lasting_lapses(unit, [found.version.id for found in versions])
    until = unit.now + timedelta(days=days)
    dues = []
    for found in versions:
        judged = judge(unit, found)
        ahead = () if judged is None else tuple(coming(judged.standing, unit.now, until))
        lasting = tuple(flagged.get(found.version.id, ()))
        if lasting or ahead:
            dues.append(Due(found, lasting, ahead))
    return dues
