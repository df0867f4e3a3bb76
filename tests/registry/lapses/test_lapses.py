"""Versions in production whose evidence lapses, on real tables, by clocks that say what the test wants."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select, update
from sqlmodel import col

from registry.access.actor import Role
from registry.catalog.facts import Stage
from registry.catalog.tables import ModelVersion
from registry.errors import ConflictError, RefusedError
from registry.findings import service as findings
from registry.findings.service import NewFinding
from registry.jobs.tables import JobRow
from registry.jobs.worker import Worker
from registry.lapses import service
from registry.lapses.jobs import Tally, look
from registry.lapses.tables import LapseRow
from registry.notifications.tables import NotificationRow
from registry.policy.attestations import attest
from registry.policy.errors import ConflictOfInterestError
from registry.policy.policy import Severity
from registry.policy.tables import Answer, AttestationRow
from registry.promotion import waivers
from registry.promotion.moves import move
from registry.promotion.tables import PromotionRequest
from tests.registry.promotion.conftest import POLICY

DAY = timedelta(days=1)


def look_after(governance, days):
    """A look so many days from now."""
    at = datetime.now(UTC) + days * DAY
    return look(governance.units, lambda: at)


def lasting(governance, found):
    with governance.units.reading() as unit:
        return {row.requirement: row for row in service.lapses_of(unit, found.version.id) if row.ended_at is None}


def rows_and_entries(governance):
    with governance.units.reading() as unit:
        counts = [
            unit.session.execute(select(func.count()).select_from(table)).scalar_one()
            for table in (LapseRow, NotificationRow, JobRow)
        ]
    return counts, len(governance.entries())


def told(governance):
    with governance.units.reading() as unit:
        return [row.facts for row in unit.session.query(NotificationRow).filter_by(event="review.due")]


def answer(governance, found, item):
    roles = POLICY.items[item].shown.roles
    with governance.units.writing() as unit:
        attest(unit, governance.actor_with(roles[0]), found, item, Answer.YES, "Looked again.", None)


def test_a_quiet_day_writes_nothing(governance, in_production):
    before = rows_and_entries(governance)
    assert look_after(governance, 0) == Tally()
    assert look_after(governance, 1) == Tally()
    assert look_after(governance, -1) == Tally()
    assert rows_and_entries(governance) == before


def test_what_serves_is_checked_again_once_a_week_and_nothing_else(governance, in_production):
    worker = Worker(governance.units, governance.settings)
    worker.run_until_idle()
    other = governance.register()
    governance.run_checks(other)
    assert look_after(governance, 6.9) == Tally()
    assert look_after(governance, 7.1) == Tally(rechecked=1)
    assert look_after(governance, 7.1) == Tally()
    worker.run_until_idle()
    with governance.units.reading() as unit:
        [job] = unit.session.query(JobRow).filter_by(kind="run-checks", requested_by=None, state="queued")
    assert job.subject_id == in_production.version.id


def test_a_waiver_that_ends_flags_the_version_and_after_the_grace_moves_it(governance, slowly_ageing, registered):
    governance.complete(registered)
    with governance.units.writing() as unit:
        attest(unit, governance.people.ethics, registered, "human-oversight", Answer.NO, "Nobody can stop it.", None)
    with governance.units.writing() as unit:
        until = unit.now + 20 * DAY
        waivers.grant_waiver(
            unit,
            governance.people.risk,
            registered,
            "human-oversight",
            reason="It is being built.",
            compensating_measure="Each decision is read.",
            expires_at=until,
        )
    request_id = governance.request(registered)
    governance.approve(request_id)
    governance.execute(request_id)
    assert look_after(governance, 19) == Tally()
    assert look_after(governance, 21) == Tally(flagged=1)
    [flag] = lasting(governance, registered).values()
    assert (flag.requirement, flag.since, flag.then_stage) == ("human-oversight", until, "staging")
    assert flag.move_at - flag.flagged_at == 30 * DAY
    assert look_after(governance, 50) == Tally()
    assert governance.stage(registered) == "production"
    assert look_after(governance, 51.001) == Tally(moved=1)
    assert governance.stage(registered) == "staging"
    assert look_after(governance, 400) == Tally()
    moved = [entry for entry in governance.entries() if entry.action == "version.stage-changed"][-1]
    assert moved.actor == "acta"
    assert (moved.changes["rule"], moved.changes["to"]) == ("after_lapse", "staging")
    assert moved.changes["lapse_id"] == str(flag.id)
    assert len(told(governance)) == 1
    with governance.units.reading() as unit:
        [demoted] = unit.session.query(NotificationRow).filter_by(event="version.demoted")
    assert demoted.facts["moved to"] == "staging"


def test_an_answer_given_again_ends_the_flag_and_the_version_stays(governance, in_production):
    with governance.units.writing() as unit:
        given = unit.now - 400 * DAY
        unit.session.execute(
            update(AttestationRow).where(col(AttestationRow.item) == "human-oversight").values(attested_at=given)
        )
    assert look_after(governance, 0) == Tally(flagged=1)
    [flag] = lasting(governance, in_production).values()
    assert (flag.requirement, flag.since) == ("human-oversight", given + 365 * DAY)
    answer(governance, in_production, "human-oversight")
    assert look_after(governance, 0.001) == Tally(ended=1)
    assert look_after(governance, 31) == Tally()
    assert governance.stage(in_production) == "production"


def test_a_clock_that_jumps_a_day_forward_and_back_flags_once(governance, in_production):
    assert look_after(governance, 366).flagged > 0
    before = rows_and_entries(governance)
    for days in (365, 366, 364, 1, -1, 366):
        assert look_after(governance, days) == Tally()
    assert rows_and_entries(governance) == before


def test_a_version_in_production_with_a_blocking_finding_is_review_due_until_it_is_closed(governance, in_production):
    people = governance.people
    with governance.units.writing() as unit:
        new = NewFinding(Severity.CRITICAL, "Leaks the age", "A proxy.")
        finding_id = findings.open_finding(unit, people.validator, in_production, new).id
    assert look_after(governance, 0.001) == Tally(flagged=1)
    [flag] = lasting(governance, in_production).values()
    assert flag.requirement == f"finding-{finding_id}"
    with governance.units.writing() as unit:
        findings.remediate(unit, people.developer, finding_id, "Dropped it.", "commit 1")
    with governance.units.writing() as unit:
        findings.close(unit, people.risk, finding_id, "Seen.")
    assert look_after(governance, 0.002) == Tally(ended=1)


def test_flags_end_when_the_version_leaves_production_on_another_way(governance, in_production):
    look_after(governance, 366)
    with governance.units.writing() as unit:
        version = unit.session.get_one(ModelVersion, in_production.version.id)
        move(unit, governance.people.operations, version, Stage.ARCHIVED, {})
    tally = look_after(governance, 367)
    assert tally.ended > 0
    assert (tally.flagged, tally.moved) == (0, 0)
    assert lasting(governance, in_production) == {}


def test_the_model_owner_and_the_risk_officers_are_told_once_of_all_that_lapsed(governance, in_production):
    look_after(governance, 366)
    look_after(governance, 367)
    with governance.units.reading() as unit:
        [row] = unit.session.query(NotificationRow).filter_by(event="review.due")
    assert set(row.persons) == {str(in_production.model.owner_id), str(governance.people.risk.id)}
    assert POLICY.items["human-oversight"].title in row.facts


def test_a_review_in_production_gives_another_period(governance, in_production):
    people = governance.people
    with pytest.raises(ConflictOfInterestError), governance.units.writing() as unit:
        maker = governance.also(people.developer, Role.RISK_OFFICER)
        service.confirm_review(unit, maker, in_production, "All is well.")
    with pytest.raises(RefusedError), governance.units.writing() as unit:
        service.confirm_review(unit, people.auditor, in_production, "All is well.")
    with governance.units.writing() as unit:
        entered = unit.now - 400 * DAY
        unit.session.execute(update(PromotionRequest).values(ended_at=entered))
    assert look_after(governance, 0) == Tally(flagged=1)
    [flag] = lasting(governance, in_production).values()
    assert (flag.requirement, flag.since) == ("periodic-review", entered + 365 * DAY)
    with governance.units.writing() as unit:
        service.confirm_review(unit, people.validator, in_production, "All is well.")
    assert look_after(governance, 0.001) == Tally(ended=1)


def test_only_a_version_in_production_is_reviewed_again(governance, registered):
    with pytest.raises(ConflictError, match="production"), governance.units.writing() as unit:
        service.confirm_review(unit, governance.people.validator, registered, "All is well.")


def test_what_is_due_within_some_days_is_listed_with_its_instant(governance, in_production):
    answered = POLICY.items["human-oversight"].shown.max_age_days
    with governance.units.reading() as unit:
        assert service.due_within(unit, governance.people.auditor, 30) == []
        [due] = service.due_within(unit, governance.people.auditor, 366)
        assert service.due_within(unit, governance.people.stranger, 366) == []
        now = unit.now
    assert due.lasting == ()
    ahead = {one.requirement: one for one in due.coming}
    assert abs(ahead["human-oversight"].at - now - answered * DAY) < timedelta(minutes=5)
    assert abs(ahead["bias-assessed"].at - now - 180 * DAY) < timedelta(minutes=5)
    assert [one.at for one in due.coming] == sorted(one.at for one in due.coming)


def test_where_a_check_lapses_the_checks_are_run_again(governance, in_production):
    def runs():
        with governance.units.reading() as unit:
            query = select(func.count()).select_from(JobRow).where(col(JobRow.kind) == "run-checks")
            return unit.session.execute(query).scalar_one()

    before = runs()
    look_after(governance, 179)
    assert runs() == before
    look_after(governance, 181)
    assert "bias-assessed" in lasting(governance, in_production)
    assert runs() == before + 1
    look_after(governance, 182)
    assert runs() == before + 1


def test_two_looks_at_once_flag_once(governance, in_production):
    at = datetime.now(UTC) + 366 * DAY
    with governance.units.reading() as unit:
        unit.now = at
        decision = service.decision_on(unit, in_production.version.id)
    assert decision.raised
    look(governance.units, lambda: at)
    with pytest.raises(ConflictError), governance.units.writing() as unit:
        unit.now = at
        service.carry_out(unit, in_production.version.id, decision)
