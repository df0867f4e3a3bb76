"""Emergency rollbacks, and the reviews that they owe."""

from datetime import timedelta

import pytest
from sqlalchemy import update
from sqlmodel import col

from registry.access.actor import Role
from registry.access.service import create_token, sign_in
from registry.cards.decisions import decided
from registry.catalog.service import find_version
from registry.catalog.tables import ModelVersion
from registry.errors import ConflictError, RefusedError
from registry.http.guards import SESSION_COOKIE
from registry.promotion.errors import NothingToRollBackError, SelfReviewError
from registry.promotion.rollback import owed_review_of, review_rollback, roll_back, rollbacks_owing_review, sentence
from registry.promotion.tables import RollbackFinding
from tests.registry.promotion.conftest import NAME


def called_back(governance, actor=None):
    with governance.units.writing() as unit:
        return roll_back(unit, actor or governance.people.operations, NAME, "It refuses everybody.")


def back(governance, actor=None):
    return called_back(governance, actor).row


def where_it_went(governance):
    found = called_back(governance)
    return found.from_number, found.to_number


def judge(governance, actor, row):
    with governance.units.writing() as unit:
        return review_rollback(unit, actor, row.id, RollbackFinding.JUSTIFIED, "It was right.")


def test_one_call_brings_the_version_before_back_and_owes_two_reviews_by_others(governance, registered):
    people = governance.people
    governance.promote(registered)
    second = governance.register()
    governance.promote(second)
    found = called_back(governance)
    row = found.row
    assert (governance.stage(registered), governance.stage(second)) == ("production", "archived")
    called, left, entered = governance.entries()[-3:]
    assert called.action == "rollback.called"
    assert (left.changes["to"], entered.changes["to"]) == ("archived", "production")
    assert left.changes["rollback_id"] == entered.changes["rollback_id"] == str(row.id)
    with governance.units.reading() as unit:
        assert [one.row.id for one in rollbacks_owing_review(unit, people.auditor)] == [row.id]
        assert "Version 1 was put back into production in the place of version 2" in sentence(found, unit.now)
        assert "is due on" in sentence(found, unit.now)
        assert "overdue" in sentence(found, unit.now + timedelta(days=8))
    for caller in (people.operations, governance.machine_of(people.operations, Role.VALIDATOR)):
        with pytest.raises(SelfReviewError):
            judge(governance, caller, row)
    with pytest.raises(RefusedError):
        judge(governance, people.ethics, row)
    assert judge(governance, people.validator, row).review_is_owed
    for again in (people.validator, governance.machine_of(people.validator, Role.RISK_OFFICER)):
        with pytest.raises(ConflictError, match="reviewed this rollback already"):
            judge(governance, again, row)
    assert not judge(governance, people.risk, row).review_is_owed
    with pytest.raises(ConflictError, match="reviewed already"):
        judge(governance, governance.also(people.ethics, Role.VALIDATOR), row)
    with governance.units.reading() as unit:
        assert owed_review_of(unit, row.model_id) is None


def test_rollback_never_leads_to_what_a_rollback_left(governance, registered):
    governance.promote(registered)
    governance.promote(governance.register())
    assert where_it_went(governance) == (2, 1)
    with pytest.raises(NothingToRollBackError, match="before version 1, or only such that a rollback left"):
        back(governance)
    governance.promote(governance.register())
    assert where_it_went(governance) == (3, 1)


def test_rollbacks_in_a_row_lead_further_back(governance, registered):
    governance.promote(registered)
    second = governance.register()
    governance.promote(second)
    governance.promote(governance.register())
    assert where_it_went(governance) == (3, 2)
    assert where_it_went(governance) == (2, 1)
    governance.promote(second)
    assert where_it_went(governance) == (2, 1)


def test_only_who_the_policy_names_rolls_back_and_only_where_there_is_something_to_go_back_to(governance, registered):
    people = governance.people
    with pytest.raises(NothingToRollBackError, match="in production by"):
        back(governance)
    governance.promote(registered)
    with pytest.raises(NothingToRollBackError, match="No other version"):
        back(governance)
    second = governance.register()
    governance.promote(second)
    with pytest.raises(RefusedError, match="operations reviewer"):
        back(governance, people.developer)
    with governance.units.writing() as unit:
        edited = update(ModelVersion).where(col(ModelVersion.id) == registered.version.id)
        unit.session.execute(edited.values(content_digest=bytes([9]) * 32))
    with pytest.raises(NothingToRollBackError, match="content digest"):
        back(governance)
    assert governance.stage(second) == "production"


def test_rollback_over_http_says_so_until_it_is_reviewed(governance, registered, client):
    people = governance.people
    governance.promote(registered)
    governance.promote(governance.register())
    headers = {name: client.as_(getattr(people, name)) for name in ("operations", "validator", "risk", "auditor")}
    called = client.http.post(f"/api/v1/models/{NAME}/rollback", headers=headers["operations"], json={"reason": "Now."})
    assert called.status_code == 201, called.text
    row = called.json()
    assert (row["from_version"], row["to_version"]) == (2, 1)
    assert "emergency rollback" in row["notice"]
    model = client.http.get(f"/api/v1/models/{NAME}", headers=headers["auditor"]).json()
    assert model["notice"] == row["notice"]
    for name in ("validator", "risk"):
        body = {"finding": "justified", "reason": "It failed."}
        answer = client.http.post(f"/api/v1/rollbacks/{row['id']}/reviews", headers=headers[name], json=body)
        assert answer.status_code == 201, answer.text
    assert answer.json()["notice"] is None
    assert client.http.get("/api/v1/rollbacks?owed=true", headers=headers["auditor"]).json() == []
    [told] = client.http.get(f"/api/v1/rollbacks?model={NAME}", headers=headers["auditor"]).json()
    assert [one["finding"] for one in told["reviews"]] == ["justified", "justified"]
    assert client.http.get(f"/api/v1/models/{NAME}", headers=headers["auditor"]).json()["notice"] is None


def test_pages_and_card_say_that_the_review_is_owed(governance, registered, client):
    people = governance.people
    governance.promote(registered)
    governance.promote(governance.register())
    row = back(governance)
    page = {"cookie": cookie_of(client, people.auditor)}
    paths = ("/", f"/models/{NAME}", f"/models/{NAME}/versions/1")
    for path in paths:
        assert "emergency rollback of" in client.http.get(path, headers=page).text, path
    overview, _, version = (client.http.get(path, headers=page).text for path in paths)
    called = next(entry for entry in governance.entries() if entry.action == "rollback.called")
    assert f'href="/audit/{called.sequence}"' in overview
    assert "by an emergency rollback" in overview
    assert ", back by an emergency rollback since " in version
    assert "from archived, by an emergency rollback." in version
    assert "rolled back in an emergency" in client.http.get(f"/models/{NAME}", headers=page).text
    with governance.units.reading() as unit:
        gate = decided(unit, find_version(unit, people.auditor, NAME, 1)).gate
    assert gate is not None
    assert "Version 1 was put back into production in the place of version 2 by an emergency" in gate.sentence
    for reviewer in (people.validator, people.risk):
        judge(governance, reviewer, row)
    for path in paths:
        assert "to be reviewed" not in client.http.get(path, headers=page).text, path


def cookie_of(client, actor):
    """The cookie of a browser in which somebody has signed in."""
    with client.units.writing() as unit:
        issued = create_token(unit, actor, actor.id, "test", 1).secret
        unit.session.flush()
        secret = sign_in(unit, issued, 1)
    return f"{SESSION_COOKIE}={secret}"
