from datetime import timedelta

import msgspec
import pytest
from sqlalchemy import event, update
from sqlmodel import col

from registry.access.actor import Actor, ActorKind, Role
from registry.assessments.tables import Verdict
from registry.catalog import service as catalog
from registry.catalog.facts import RiskProfile, Stage
from registry.catalog.service import ModelTexts
from registry.catalog.tables import ModelVersion
from registry.errors import ConflictError, InvalidInputError, NotFoundError, RefusedError
from registry.policy.attestations import attest
from registry.policy.errors import ConflictOfInterestError
from registry.policy.service import gate_of
from registry.policy.tables import Answer, AttestationRow
from registry.policy.views import GateView
from registry.promotion import service
from registry.promotion.cases import CaseFilter, find_case, list_cases
from registry.promotion.errors import (
    ChangesAskedForError,
    GateNotMetError,
    IllegalTransitionError,
    SelfReviewError,
)
from registry.promotion.reviews import review
from registry.promotion.tables import Decision, PromotionRequest, RequestState
from tests.registry.conftest import PROFILE
from tests.registry.promotion.conftest import POLICY, assess


def test_request_too_early_is_refused_at_execution_with_every_unmet_item_and_who_can_meet_it(governance, registered):
    request_id = governance.request(registered)
    with pytest.raises(GateNotMetError) as refused:
        governance.execute(request_id)
    missing = {requirement.id: requirement for requirement in refused.value.unmet}
    asked = POLICY.gate(Stage.PRODUCTION, "high").items
    assert set(missing) == {*asked, "approval-validator", "approval-risk-officer"}
    assert missing["lawful-basis"].who == (Role.ETHICS_REVIEWER,)
    assert missing["approval-validator"].who == (Role.VALIDATOR,)
    assert msgspec.json.encode(refused.value.details())
    assert governance.stage(registered) == "none"
    assert "promotion.executed" not in governance.actions()


def test_version_whose_gate_is_met_enters_production_and_displaces_the_one_before(governance, registered):
    governance.promote(registered)
    assert governance.stage(registered) == "production"
    second = governance.register()
    request_id = governance.promote(second)
    assert governance.stage(second) == "production"
    assert governance.stage(registered) == "archived"
    executed, moved, displaced = governance.entries()[-3:]
    assert (executed.action, executed.subject_id) == ("promotion.executed", str(request_id))
    assert set(executed.changes["items"].values()) == {"passed"}
    assert (moved.subject_id, moved.changes["from"], moved.changes["to"]) == (
        str(second.version.id),
        "none",
        "production",
    )
    assert (displaced.action, displaced.subject_id) == ("version.stage-changed", str(registered.version.id))
    assert displaced.changes["to"] == "archived"
    with governance.units.reading() as unit:
        case = find_case(unit, governance.people.auditor, request_id)
        stored = service.gate_of_case(unit, case)
    assert stored is not None
    assert stored.met
    assert stored == msgspec.convert(case.request.gate, GateView)
    asked = POLICY.gate(Stage.PRODUCTION, "high").items
    assert len([item for checklist in stored.checklists for item in checklist.items]) == len(asked)


def test_nothing_of_reasons_and_justifications_stands_in_the_log_in_clear(governance, registered):
    request_id = governance.request(registered)
    governance.review(request_id, governance.people.validator, Role.VALIDATOR)
    leaves = b"".join(entry.leaf for entry in governance.entries())
    assert b"It is ready." not in leaves
    assert b"Considered." not in leaves


def test_evaluating_a_gate_takes_at_most_ten_statements(governance, registered):
    governance.complete(registered)
    governance.complete(registered)
    governance.request(registered)
    statements = []
    with governance.units.reading() as unit:
        found = catalog.find_version(unit, governance.people.auditor, "credit-default", 1)
        gate_of(unit, found, Stage.PRODUCTION)

        def listener(*arguments):
            statements.append(arguments[2])

        event.listen(unit.session.connection().engine, "before_cursor_execute", listener)
        gate = gate_of(unit, found, Stage.PRODUCTION)
        event.remove(unit.session.connection().engine, "before_cursor_execute", listener)
    assert gate.items_met
    assert 0 < len(statements) <= 10


def test_requester_never_reviews_nor_does_their_machine_nor_the_person_of_a_requesting_machine(governance, registered):
    people = governance.people
    both = governance.also(people.risk, Role.VALIDATOR, Role.DEVELOPER)
    machine = governance.machine_of(people.risk, Role.VALIDATOR, Role.DEVELOPER)
    own = governance.request(registered, by=both)
    for actor in (both, machine):
        with pytest.raises(SelfReviewError):
            governance.review(own, actor, Role.VALIDATOR)
    with governance.units.writing() as unit:
        service.withdraw(unit, both, own, "Made by the wrong one.")
    by_machine = governance.request(registered, by=machine)
    with pytest.raises(SelfReviewError):
        governance.review(by_machine, both, Role.VALIDATOR)


def test_whoever_registered_the_version_does_not_review_it(governance, registered):
    people = governance.people
    request_id = governance.request(registered, by=people.other_developer)
    with pytest.raises(SelfReviewError):
        governance.review(request_id, governance.also(people.developer, Role.VALIDATOR), Role.VALIDATOR)


def test_one_person_with_two_roles_or_with_a_machine_counts_once(governance, registered):
    people = governance.people
    request_id = governance.request(registered)
    both = governance.also(people.validator, Role.RISK_OFFICER)
    assert governance.review(request_id, both, Role.VALIDATOR) == "open"
    for actor in (both, governance.machine_of(people.validator, Role.RISK_OFFICER)):
        with pytest.raises(ConflictError, match="counts once"):
            governance.review(request_id, actor, Role.RISK_OFFICER)
    assert governance.review(request_id, people.risk, Role.RISK_OFFICER) == "approved"


def test_review_needs_the_role_at_the_place_and_one_that_the_policy_asks_for(governance, registered):
    people = governance.people
    request_id = governance.request(registered)
    with pytest.raises(RefusedError, match="validator"):
        governance.review(request_id, people.risk, Role.VALIDATOR)
    with pytest.raises(InvalidInputError, match="validator, risk officer"):
        governance.review(request_id, people.ethics, Role.ETHICS_REVIEWER)
    with pytest.raises(NotFoundError):
        governance.review(request_id, people.stranger, Role.VALIDATOR)
    with pytest.raises(InvalidInputError, match="reason"), governance.units.writing() as unit:
        review(unit, people.validator, request_id, Role.VALIDATOR, Decision.APPROVE, "  ")


def test_reviewer_who_asked_for_changes_holds_the_gate_until_they_approve(governance, registered):
    people = governance.people
    governance.complete(registered)
    request_id = governance.request(registered)
    assert governance.review(request_id, people.validator, Role.VALIDATOR, Decision.ASK_FOR_CHANGES) == "open"
    assert governance.review(request_id, people.risk, Role.RISK_OFFICER) == "open"
    with pytest.raises(GateNotMetError):
        governance.execute(request_id)
    other = Actor(people.ethics.id, ActorKind.PERSON, None, people.validator.grants)
    assert governance.review(request_id, other, Role.VALIDATOR) == "open"
    with pytest.raises(ChangesAskedForError):
        governance.execute(request_id)
    assert governance.review(request_id, people.validator, Role.VALIDATOR) == "approved"
    assert governance.execute(request_id) == "executed"


def test_rejected_withdrawn_and_executed_requests_go_nowhere_any_more(governance, registered):
    people = governance.people
    rejected = governance.request(registered)
    assert governance.review(rejected, people.risk, Role.RISK_OFFICER, Decision.REJECT) == "rejected"
    withdrawn = governance.request(registered)
    with pytest.raises(RefusedError), governance.units.writing() as unit:
        service.withdraw(unit, people.operations, withdrawn, "Not mine.")
    with governance.units.writing() as unit:
        assert service.withdraw(unit, people.developer, withdrawn, "Too early.").state is RequestState.WITHDRAWN
    executed = governance.promote(registered)
    for request_id in (rejected, withdrawn, executed):
        with pytest.raises(IllegalTransitionError):
            governance.execute(request_id)
        with pytest.raises(IllegalTransitionError):
            governance.review(request_id, people.validator, Role.VALIDATOR)
        with pytest.raises(IllegalTransitionError), governance.units.writing() as unit:
            service.withdraw(unit, people.developer, request_id, "Again.")


def test_second_live_request_for_the_same_is_refused_and_numbers_count_up(governance, registered):
    governance.request(registered)
    with pytest.raises(ConflictError, match="Request 1"):
        governance.request(registered)
    governance.request(registered, Stage.STAGING)
    with governance.units.reading() as unit:
        cases = list_cases(unit, governance.people.auditor, CaseFilter(), None, 10)
    assert [case.request.number for case in cases] == [2, 1]


def test_request_for_the_present_stage_or_by_an_auditor_is_refused(governance, registered):
    governance.promote(registered)
    with pytest.raises(ConflictError, match="production already"):
        governance.request(registered)
    with pytest.raises(RefusedError):
        governance.request(registered, Stage.STAGING, by=governance.people.auditor)
    with pytest.raises(ConflictError, match="into none"):
        governance.request(registered, Stage.NONE)


def test_development_takes_lineage_only_and_no_approval(governance, registered):
    governance.run_checks(registered)
    request_id = governance.request(registered, Stage.DEVELOPMENT)
    assert governance.execute(request_id) == "executed"
    assert governance.stage(registered) == "development"
    assert governance.unmet(registered) != []


def _expire(governance, request_id):
    with governance.units.writing() as unit:
        unit.session.execute(
            update(PromotionRequest)
            .where(col(PromotionRequest.id) == request_id)
            .values(expires_at=unit.now - timedelta(microseconds=1))
        )


def _state(governance, request_id):
    with governance.units.reading() as unit:
        case = find_case(unit, governance.people.auditor, request_id)
        listed = list_cases(unit, governance.people.auditor, CaseFilter(state=case.state), None, 10)
        everywhere = [
            state
            for state in RequestState
            if any(
                one.request.id == request_id
                for one in list_cases(unit, governance.people.auditor, CaseFilter(state=state), None, 10)
            )
        ]
    assert everywhere == [case.state]
    assert request_id in {one.request.id for one in listed}
    return case.state.value


def test_request_whose_time_has_passed_is_expired_and_makes_room_for_the_next(governance, registered):
    governance.complete(registered)
    request_id = governance.request(registered)
    governance.approve(request_id)
    assert _state(governance, request_id) == "approved"
    _expire(governance, request_id)
    assert _state(governance, request_id) == "expired"
    with pytest.raises(IllegalTransitionError, match="expired"):
        governance.execute(request_id)
    following = governance.request(registered)
    assert _state(governance, request_id) == "expired"
    assert _state(governance, following) == "open"
    assert "promotion.expired" in governance.actions()
    assert set(governance.unmet(registered)) == {"approval-validator", "approval-risk-officer"}


def test_request_made_for_another_digest_is_stale(governance, registered):
    governance.complete(registered)
    request_id = governance.request(registered)
    governance.approve(request_id)
    # Nothing in Acta changes a digest; somebody who edits the table does.
    with governance.units.writing() as unit:
        unit.session.execute(update(ModelVersion).values(content_digest=bytes([1]) * 32))
    assert _state(governance, request_id) == "stale"
    with pytest.raises(IllegalTransitionError, match="stale"):
        governance.execute(request_id)


def test_request_made_for_another_risk_tier_is_stale(governance, registered):
    governance.complete(registered)
    request_id = governance.request(registered)
    governance.approve(request_id)
    harmless = msgspec.structs.replace(PROFILE, affects_persons=False, financial_impact="none", legal_domain="none")
    with governance.units.writing() as unit:
        model = catalog.get_model(unit, governance.people.risk, "credit-default")
        catalog.edit_model(
            unit,
            governance.people.risk,
            "credit-default",
            model.revision,
            owner_id=model.owner_id,
            texts=ModelTexts(model.purpose),
            profile=msgspec.convert(msgspec.to_builtins(harmless), RiskProfile),
        )
    assert _state(governance, request_id) == "stale"
    with pytest.raises(IllegalTransitionError):
        governance.execute(request_id)
    assert governance.stage(registered) == "none"


def test_assessment_that_fails_after_approval_closes_the_gate_again(governance, registered):

    governance.complete(registered)
    request_id = governance.request(registered)
    governance.approve(request_id)
    with governance.units.writing() as unit:
        assess(unit, governance.people.developer, registered, Verdict.FAIL)
    with pytest.raises(GateNotMetError) as stale:
        governance.execute(request_id)
    assert [one.id for one in stale.value.unmet] == ["bias-assessed"]
    assert "stale" in stale.value.unmet[0].reason
    governance.run_checks(registered)
    assert _state(governance, request_id) == "stale"
    following = governance.request(registered)
    governance.approve(following)
    with pytest.raises(GateNotMetError) as failed:
        governance.execute(following)
    assert "The verdict is fail." in failed.value.unmet[0].reason


def test_maker_does_not_answer_ethics_and_security_items(governance, registered):

    people = governance.people
    maker = governance.also(people.developer, Role.ETHICS_REVIEWER, Role.SECURITY_REVIEWER, Role.OPERATIONS_REVIEWER)
    machine = governance.machine_of(people.developer, Role.ETHICS_REVIEWER, Role.SECURITY_REVIEWER)
    for item in ("lawful-basis", "access-reviewed"):
        for actor in (maker, machine):
            with pytest.raises(ConflictOfInterestError), governance.units.writing() as unit:
                attest(unit, actor, registered, item, Answer.YES, "Fine.", None)
    with governance.units.writing() as unit:
        attest(unit, maker, registered, "rollback-rehearsed", Answer.YES, "In ten minutes.", None)
    with pytest.raises(RefusedError, match="ethics reviewer"), governance.units.writing() as unit:
        attest(unit, people.security, registered, "lawful-basis", Answer.YES, "Fine.", None)
    for item, words in (("no-such", "no item"), ("digest-verified", "shown by a check")):
        with pytest.raises(InvalidInputError, match=words), governance.units.writing() as unit:
            attest(unit, people.ethics, registered, item, Answer.YES, "Fine.", None)


def test_newest_answer_counts_and_no_is_unmet(governance, registered):

    governance.complete(registered)
    assert "lawful-basis" not in governance.unmet(registered)
    with governance.units.writing() as unit:
        attest(unit, governance.people.ethics, registered, "lawful-basis", Answer.NO, "No basis.", None)
    assert "lawful-basis" in governance.unmet(registered)


def test_only_who_may_ask_for_a_promotion_executes_one(governance, registered):
    people = governance.people
    governance.complete(registered)
    request_id = governance.request(registered)
    governance.approve(request_id)
    for actor in (people.validator, people.ethics, people.security, people.auditor, people.administrator):
        with pytest.raises(RefusedError), governance.units.writing() as unit:
            service.execute(unit, actor, request_id)
    assert governance.stage(registered) == "none"
    assert governance.execute(request_id) == "executed"


def test_a_request_that_is_open_is_not_executed_whatever_its_reviews_say(governance, registered):
    governance.complete(registered)
    request_id = governance.request(registered)
    governance.approve(request_id)
    with governance.units.writing() as unit:
        unit.session.get_one(PromotionRequest, request_id).state = "open"
    with pytest.raises(IllegalTransitionError):
        governance.execute(request_id)
    assert governance.stage(registered) == "none"


def test_a_request_is_not_executed_on_other_evidence_than_its_reviewers_saw(governance, registered):
    governance.complete(registered)
    request_id = governance.request(registered)
    governance.approve(request_id)
    with governance.units.writing() as unit:
        given = unit.session.query(AttestationRow).filter_by(item="human-oversight").one()
        later = {column: getattr(given, column) for column in AttestationRow.model_fields if column != "id"}
        unit.session.add(AttestationRow(**later | {"reason": "Another one.", "attested_at": unit.now}))
    with pytest.raises(IllegalTransitionError, match="stale"):
        governance.execute(request_id)
    assert governance.stage(registered) == "none"
