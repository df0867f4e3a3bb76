from datetime import timedelta

import pytest
from sqlalchemy import update
from sqlmodel import col

from registry.access.actor import Role
from registry.assessments.tables import Verdict
from registry.errors import InvalidInputError, NotFoundError, RefusedError
from registry.policy.errors import ConflictOfInterestError
from registry.promotion import waivers
from registry.promotion.errors import GateNotMetError, WaiverEndedError
from registry.promotion.tables import Waiver
from tests.registry.promotion.conftest import assess


def grant(governance, found, *, item="bias-assessed", actor=None, days=30.0, moment=None):
    with governance.units.writing() as unit:
        row = waivers.grant_waiver(
            unit,
            actor or governance.people.risk,
            found,
            item,
            reason="The disparity is small and understood.",
            compensating_measure="Refusals of the group are read by a person.",
            expires_at=moment or unit.now + timedelta(days=days),
        )
        return row.id


def test_waiver_excuses_a_failed_assessment_until_it_is_revoked(governance, registered):
    governance.complete(registered)
    with governance.units.writing() as unit:
        assess(unit, governance.people.developer, registered, Verdict.FAIL)
    governance.run_checks(registered)
    request_id = governance.request(registered)
    governance.approve(request_id)
    waiver_id = grant(governance, registered)
    assert governance.unmet(registered) == []
    with governance.units.writing() as unit:
        waivers.revoke_waiver(unit, governance.people.risk, waiver_id, "The measure was not taken.")
    with pytest.raises(GateNotMetError, match="The verdict is fail"):
        governance.execute(request_id)
    with pytest.raises(WaiverEndedError), governance.units.writing() as unit:
        waivers.revoke_waiver(unit, governance.people.risk, waiver_id, "Again.")
    grant(governance, registered)
    assert governance.execute(request_id) == "executed"
    executed = next(entry for entry in governance.entries() if entry.action == "promotion.executed")
    assert executed.changes["items"]["bias-assessed"] == "waived"
    leaves = b"".join(entry.leaf for entry in governance.entries())
    assert b"disparity is small" not in leaves
    assert b"read by a person" not in leaves


def test_waiver_whose_time_has_passed_excuses_nothing(governance, registered):
    governance.complete(registered)
    with governance.units.writing() as unit:
        assess(unit, governance.people.developer, registered, Verdict.INCONCLUSIVE)
    governance.run_checks(registered)
    waiver_id = grant(governance, registered)
    assert "bias-assessed" not in governance.unmet(registered)
    with governance.units.writing() as unit:
        unit.session.execute(
            update(Waiver)
            .where(col(Waiver.id) == waiver_id)
            .values(granted_at=unit.now - timedelta(days=2), expires_at=unit.now)
        )
    assert "bias-assessed" in governance.unmet(registered)


def test_waiver_is_granted_only_by_an_outsider_with_the_role_within_the_time_that_the_policy_allows(
    governance, registered
):
    people = governance.people
    maker = governance.also(people.developer, Role.RISK_OFFICER)
    with pytest.raises(ConflictOfInterestError, match="registered"):
        grant(governance, registered, actor=maker)
    with pytest.raises(ConflictOfInterestError, match="registered"):
        grant(governance, registered, actor=governance.machine_of(people.developer, Role.RISK_OFFICER))
    with pytest.raises(RefusedError, match="risk officer"):
        grant(governance, registered, actor=people.ethics)
    governance.request(registered, by=people.risk)
    with pytest.raises(ConflictOfInterestError, match="made request 1"):
        grant(governance, registered)
    officer = governance.also(people.other_developer, Role.RISK_OFFICER)
    with pytest.raises(InvalidInputError, match="within 90 days"):
        grant(governance, registered, actor=officer, days=90.001)
    for days in (0, -1):
        with pytest.raises(InvalidInputError, match="ends after now"):
            grant(governance, registered, actor=officer, days=days)
    grant(governance, registered, actor=officer, days=90)
    with pytest.raises(InvalidInputError, match="nobody waive"):
        grant(governance, registered, item="digest-verified", actor=officer)
    with pytest.raises(InvalidInputError, match="no item"):
        grant(governance, registered, item="luck", actor=officer)
    with governance.units.reading() as unit:
        waiver_id = waivers.list_waivers(unit, registered.version.id)[0].id
    with pytest.raises(NotFoundError), governance.units.writing() as unit:
        waivers.revoke_waiver(unit, people.stranger, waiver_id, "No.")
    with pytest.raises(RefusedError), governance.units.writing() as unit:
        waivers.revoke_waiver(unit, people.validator, waiver_id, "No.")


def test_who_waived_an_item_asks_for_no_promotion_while_the_waiver_lasts(governance, registered):
    people = governance.people
    waiver_id = grant(governance, registered)
    with pytest.raises(ConflictOfInterestError, match="waived"):
        governance.request(registered, by=people.risk)
    with governance.units.writing() as unit:
        waivers.revoke_waiver(unit, people.risk, waiver_id, "Somebody else weighs it.")
    assert governance.request(registered, by=people.risk)
