from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.access.actor import Role
from registry.catalog.facts import Stage
from registry.policy.checks import bind, inputs_digest
from registry.policy.evidence import Attested, Checked, Documented, Evidence, Excepted, Reviewed
from registry.policy.gate import Met, State, Unmet, Waived, evaluate
from registry.policy.policy import AttestationNeeded, CheckNeeded, DocumentNeeded, parse
from registry.policy.tables import Answer, Outcome
from registry.resources import default_policy_path
from tests.registry.policy.checks.samples import GOOD, NOW

POLICY = parse(default_policy_path().read_text(encoding="utf-8"))
RULE = POLICY.gate(Stage.PRODUCTION, "high")
ITEMS = [POLICY.items[item] for item in RULE.items]
PERSONS = [UUID(int=number) for number in range(1, 6)]
REQUESTER = UUID(int=99)
DAY = timedelta(days=1)
MEETING = [Outcome.PASSED, Outcome.NOT_APPLICABLE]
UNMEETING = [Outcome.FAILED, Outcome.INCONCLUSIVE, Outcome.ERROR]


def result(check: str, parameters, outcome: Outcome, at: datetime = NOW) -> Checked:
    digest = inputs_digest(bind(check, parameters), GOOD, NOW)
    return Checked(uuid4(), check, outcome, "because", {}, digest, at)


def waiver(item: str, until: datetime, since: datetime = NOW - DAY) -> Excepted:
    return Excepted(uuid4(), item, "for now", PERSONS[0], since, until, "by hand")


def complete() -> Evidence:
    """Everything that the gate to production asks of high risk."""
    attested, documented, checked = {}, {}, {}
    for item in ITEMS:
        match item.shown:
            case AttestationNeeded():
                attested[item.id] = Attested(uuid4(), item.id, Answer.YES, "seen", None, PERSONS[0], NOW - DAY)
            case DocumentNeeded(kind=kind):
                documented[kind] = Documented(
                    uuid4(), kind, "Title", bytes(32), PERSONS[0], NOW - 2 * DAY, PERSONS[1], NOW - DAY
                )
            case CheckNeeded(check=check, parameters=parameters):
                one = result(check, parameters, Outcome.PASSED)
                checked[check, one.inputs_digest] = one
    reviewed = tuple(
        Reviewed(approval.role, True, PERSONS[place], frozenset({PERSONS[place]}), NOW)
        for place, approval in enumerate(RULE.approvals)
    )
    return Evidence(GOOD, attested, documented, checked, {}, reviewed, frozenset({REQUESTER}))


COMPLETE = complete()


def gate(evidence: Evidence, now: datetime = NOW):
    return evaluate(UUID(int=0), POLICY, RULE, "high", evidence, now)


def outcome(evidence: Evidence, item: str, now: datetime = NOW):
    return next(one for one in gate(evidence, now).items if one.item.id == item).outcome


def test_complete_evidence_meets_the_gate():
    assert gate(COMPLETE).met
    assert gate(COMPLETE).unmet == ()


def test_without_any_evidence_every_item_and_approval_is_unmet_and_says_who_can_meet_it():
    unmet = gate(Evidence(GOOD, {}, {}, {}, {})).unmet
    assert len(unmet) == len(ITEMS) + len(RULE.approvals)
    assert all(one.who and one.remedy and one.reason for one in unmet)


@given(st.data())
def test_gate_is_met_exactly_when_no_item_is_unmet_and_enough_persons_approve(data):
    """The oracle says by hand, item by item, what the whole evaluation must find."""
    unmet: set[str] = set()
    attested, documented, checked, excepted = {}, {}, {}, {}
    for item in ITEMS:
        good, waived = data.draw(st.booleans()), data.draw(st.booleans())
        match item.shown:
            case AttestationNeeded():
                given_answer = COMPLETE.attested[item.id]
                bad = data.draw(st.sampled_from(["absent", "no", "old"]))
                if good:
                    attested[item.id] = replace(
                        given_answer, answer=data.draw(st.sampled_from([Answer.YES, Answer.NOT_APPLICABLE]))
                    )
                elif bad == "no":
                    attested[item.id] = replace(given_answer, answer=Answer.NO)
                elif bad == "old":
                    attested[item.id] = replace(given_answer, at=NOW - 366 * DAY)
            case DocumentNeeded(kind=kind):
                given_document = COMPLETE.documented[kind]
                bad = data.draw(st.sampled_from(["absent", "unsigned", "old"]))
                if good:
                    documented[kind] = given_document
                elif bad == "unsigned":
                    documented[kind] = replace(given_document, signed_off_at=None, signed_off_by=None)
                elif bad == "old":
                    documented[kind] = replace(given_document, signed_off_at=NOW - 731 * DAY)
            case CheckNeeded(check=check, parameters=parameters):
                bad = data.draw(
                    st.sampled_from(["absent", "stale", *set(Outcome) - {Outcome.PASSED, Outcome.NOT_APPLICABLE}])
                )
                if good:
                    one = result(
                        check, parameters, data.draw(st.sampled_from([Outcome.PASSED, Outcome.NOT_APPLICABLE]))
                    )
                elif bad == "stale":
                    one = replace(result(check, parameters, Outcome.PASSED), inputs_digest=bytes(32))
                elif bad != "absent":
                    one = result(check, parameters, bad)
                if good or bad != "absent":
                    checked[check, one.inputs_digest] = one
        if waived:
            excepted[item.id] = waiver(item.id, NOW + DAY)
        if not good and not (waived and item.waiver is not None):
            unmet.add(item.id)
    reviewed = data.draw(
        st.lists(
            st.builds(
                lambda role, approves, person: Reviewed(role, approves, person, frozenset({person}), NOW),
                st.sampled_from([Role.VALIDATOR, Role.RISK_OFFICER, Role.SECURITY_REVIEWER]),
                st.booleans(),
                st.sampled_from([*PERSONS[:2], REQUESTER]),
            ),
            max_size=5,
        )
    )
    found = gate(Evidence(GOOD, attested, documented, checked, excepted, tuple(reviewed), frozenset({REQUESTER})))
    assert {one.item.id for one in found.items if not one.met} == unmet
    assert found.items_met is (not unmet)
    if found.met:
        assert not unmet
        persons = [one for approval in found.approvals for review in approval.given for one in review.persons]
        assert len(set(persons)) == len(persons) == 2
        assert REQUESTER not in persons
        assert all(review.approves for approval in found.approvals for review in approval.given)


def test_each_item_alone_holds_the_gate():
    for item in ITEMS:
        match item.shown:
            case AttestationNeeded():
                without = replace(COMPLETE, attested={k: v for k, v in COMPLETE.attested.items() if k != item.id})
            case DocumentNeeded(kind=kind):
                without = replace(COMPLETE, documented={k: v for k, v in COMPLETE.documented.items() if k != kind})
            case CheckNeeded(check=check):
                without = replace(COMPLETE, checked={k: v for k, v in COMPLETE.checked.items() if k[0] != check})
        assert not gate(without).met
        assert [one.id for one in gate(without).unmet] == [item.id]


@pytest.mark.parametrize(
    "since, until, counts",
    [
        (NOW, NOW + timedelta(microseconds=1), True),
        (NOW - DAY, NOW, False),
        (NOW - DAY, NOW - timedelta(microseconds=1), False),
        (NOW + timedelta(microseconds=1), NOW + DAY, False),
    ],
)
def test_waiver_counts_from_its_grant_until_just_before_it_expires(since, until, counts):
    attested = {item: answer for item, answer in COMPLETE.attested.items() if item != "human-oversight"}
    evidence = replace(
        COMPLETE, attested=attested, excepted={"human-oversight": waiver("human-oversight", until, since)}
    )
    assert isinstance(outcome(evidence, "human-oversight"), Waived if counts else Unmet)
    assert gate(evidence).met is counts


@pytest.mark.parametrize("age, counts", [(90 * DAY, True), (90 * DAY + timedelta(microseconds=1), False)])
def test_result_of_a_check_counts_on_its_last_day_and_not_after(age, counts):
    checked = {key: replace(result, at=NOW - age) for key, result in COMPLETE.checked.items()}
    evidence = replace(COMPLETE, checked=checked)
    found = outcome(evidence, "artifact-safe-to-load")
    assert isinstance(found, Met if counts else Unmet)
    assert gate(evidence).met is counts
    if isinstance(found, Unmet):
        assert found.reason == "The result is older than 90 days."


def test_item_that_the_policy_lets_nobody_waive_is_not_waived():
    evidence = replace(COMPLETE, checked={}, excepted={"digest-verified": waiver("digest-verified", NOW + DAY)})
    assert isinstance(outcome(evidence, "digest-verified"), Unmet)


def test_item_that_is_met_needs_no_waiver():
    evidence = replace(COMPLETE, excepted={"human-oversight": waiver("human-oversight", NOW + DAY)})
    assert outcome(evidence, "human-oversight").state is State.PASSED


def test_answer_and_document_count_to_the_last_instant_of_their_age():
    answer = COMPLETE.attested["human-oversight"]
    at_limit = replace(COMPLETE, attested={**COMPLETE.attested, answer.item: replace(answer, at=NOW - 365 * DAY)})
    assert gate(at_limit).met
    assert not gate(at_limit, NOW + timedelta(microseconds=1)).met
    report = replace(COMPLETE.documented["qa"], signed_off_at=NOW - 365 * DAY)
    at_limit = replace(COMPLETE, documented={**COMPLETE.documented, "qa": report})
    assert gate(at_limit).met
    assert not gate(at_limit, NOW + timedelta(microseconds=1)).met


def test_unsigned_document_asks_for_whoever_may_sign_it_off():
    report = replace(COMPLETE.documented["qa"], signed_off_by=None, signed_off_at=None)
    found = outcome(replace(COMPLETE, documented={**COMPLETE.documented, "qa": report}), "quality-assured")
    assert found.who == (Role.VALIDATOR,)
    assert "not signed off" in found.reason


def test_stale_result_is_open_and_asks_for_the_checks_to_run_again():
    one = replace(next(iter(COMPLETE.checked.values())), inputs_digest=bytes(32))
    found = outcome(replace(COMPLETE, checked={(one.check, bytes(32)): one}), "bias-assessed")
    assert found.state is State.OPEN
    assert "stale" in found.reason


def test_one_person_with_two_roles_counts_once():
    twice = tuple(
        Reviewed(approval.role, True, PERSONS[0], frozenset({PERSONS[0]}), NOW) for approval in RULE.approvals
    )
    found = gate(replace(COMPLETE, reviewed=twice))
    assert not found.met
    assert [approval.met for approval in found.approvals] == [True, False]


def test_machine_and_the_person_responsible_for_it_count_once():
    person, machine = PERSONS[0], UUID(int=50)
    both = (
        Reviewed(RULE.approvals[0].role, True, person, frozenset({person}), NOW),
        Reviewed(RULE.approvals[1].role, True, machine, frozenset({person}), NOW),
    )
    assert not gate(replace(COMPLETE, reviewed=both)).met


def test_approval_of_the_requester_counts_for_nothing():
    own = tuple(replace(review, persons=frozenset({REQUESTER})) for review in COMPLETE.reviewed[:1])
    assert not gate(replace(COMPLETE, reviewed=own + COMPLETE.reviewed[1:])).met


def test_gate_reports_time_policy_and_tier():
    found = gate(COMPLETE)
    assert (found.policy.name, found.policy.version, found.tier) == ("acta-default", "1.0", "high")
    assert found.evaluated_at == NOW
    assert NOW.tzinfo is UTC


@pytest.mark.parametrize("interest", ["interested", "executing"])
def test_approval_in_a_role_from_who_asks_or_executes_counts_for_nothing(interest):
    granter, other = UUID(int=60), UUID(int=61)
    first, *rest = COMPLETE.reviewed
    stake = {"interested": COMPLETE.interested, interest: frozenset({granter})}
    for granters, counts in (({granter}, False), ({granter, other}, True), ({other}, True)):
        reviewed = (replace(first, role_granted_by=frozenset(granters)), *rest)
        found = gate(replace(COMPLETE, reviewed=reviewed, **stake))
        assert found.met is counts
    [missing] = gate(
        replace(COMPLETE, reviewed=(replace(first, role_granted_by=frozenset({granter})), *rest), **stake)
    ).unmet
    assert "granted by" in missing.reason


def test_delegate_counts_as_both_persons():
    both = frozenset(PERSONS[:2])
    reviewed = tuple(replace(review, persons=both) for review in COMPLETE.reviewed)
    assert [len(approval.given) for approval in gate(replace(COMPLETE, reviewed=reviewed)).approvals] == [1, 0]
