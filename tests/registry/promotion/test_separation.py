"""Who may decide on what: the rules of separation beyond those of requests."""

from datetime import timedelta
from uuid import uuid4

import msgspec
import pytest

from registry.access.actor import Actor, ActorKind, Grant, Role
from registry.access.authentication import actor_of_token
from registry.access.delegations import delegate_role, end_delegation
from registry.access.service import create_token, grant_role, record_leaving, revoke_role
from registry.access.tables import GrantRow
from registry.catalog import service as catalog
from registry.documents.service import documents_of
from registry.errors import ConflictError, InvalidInputError, NotFoundError, RefusedError
from registry.policy.attestations import attest, withdraw_attestation
from registry.policy.errors import ConflictOfInterestError
from registry.policy.jobs import list_results
from registry.policy.references import Reference, ReferenceKind
from registry.policy.tables import Answer
from registry.promotion import service
from registry.promotion.cases import find_case
from registry.promotion.comments import comment, comments_on
from registry.promotion.errors import GateNotMetError, GrantedRoleError, IllegalTransitionError, SelfReviewError
from tests.registry.conftest import EVERYTHING, FACTS
from tests.registry.promotion.conftest import NAME


def answer(governance, actor, found, item, answer=Answer.YES, rests_on=()):
    with governance.units.writing() as unit:
        return attest(unit, actor, found, item, answer, "Seen.", None, rests_on)


def trained(governance, trainer):
    """A version that one registers and another one trained."""
    facts = msgspec.structs.replace(FACTS, trained_by=trainer.id)
    with governance.units.writing() as unit:
        number = catalog.register_version(unit, governance.people.developer, NAME, facts).number
        return catalog.find_version(unit, governance.people.developer, NAME, number)


def with_role_from(actor, role, granter):
    """The same actor, who holds the role from that person alone."""
    return Actor(actor.id, ActorKind.PERSON, None, (Grant(role, EVERYTHING, granter.id),))


def test_who_trained_a_version_has_the_same_stake_as_who_registered_it(governance, registered):
    people = governance.people
    found = trained(governance, people.ethics)
    with pytest.raises(ConflictOfInterestError):
        answer(governance, people.ethics, found, "lawful-basis")
    request_id = governance.request(trained(governance, people.validator))
    with pytest.raises(SelfReviewError):
        governance.review(request_id, people.validator, Role.VALIDATOR)


def test_version_is_not_trained_by_somebody_unknown(governance, registered):
    with pytest.raises(InvalidInputError, match="trained_by"), governance.units.writing() as unit:
        catalog.register_version(
            unit, governance.people.developer, NAME, msgspec.structs.replace(FACTS, trained_by=uuid4())
        )


def test_requester_answers_no_independent_item_in_whichever_order(governance, registered):
    people = governance.people
    both = governance.also(people.ethics, Role.DEVELOPER)
    request_id = governance.request(registered, by=both)
    with pytest.raises(ConflictOfInterestError, match="request 1"):
        answer(governance, both, registered, "lawful-basis")
    with governance.units.writing() as unit:
        service.withdraw(unit, both, request_id, "First the answer.")
    given = answer(governance, both, registered, "lawful-basis")
    with pytest.raises(ConflictOfInterestError, match="lawful-basis"):
        governance.request(registered, by=both)
    with governance.units.writing() as unit:
        withdraw_attestation(unit, both, registered, given.id, "Taken back.")
    governance.request(registered, by=both)


@pytest.mark.parametrize("interested", ["developer", "other_developer"])
def test_no_review_is_given_in_a_role_from_who_registered_the_version_or_asks(governance, registered, interested):
    people = governance.people
    request_id = governance.request(registered, by=people.other_developer)
    reviewer = with_role_from(people.validator, Role.VALIDATOR, getattr(people, interested))
    with pytest.raises(GrantedRoleError):
        governance.review(request_id, reviewer, Role.VALIDATOR)
    other = Grant(Role.VALIDATOR, EVERYTHING, people.administrator.id)
    twice = Actor(reviewer.id, ActorKind.PERSON, None, (*reviewer.grants, other))
    assert governance.review(request_id, twice, Role.VALIDATOR) == "open"


def test_nobody_executes_on_an_approval_in_a_role_that_they_granted(governance, registered):
    people = governance.people
    governance.complete(registered)
    request_id = governance.request(registered)
    governance.review(request_id, with_role_from(people.validator, Role.VALIDATOR, people.operations), Role.VALIDATOR)
    assert governance.review(request_id, people.risk, Role.RISK_OFFICER) == "approved"
    with pytest.raises(GateNotMetError) as refused, governance.units.writing() as unit:
        service.execute(unit, people.operations, request_id)
    [missing] = refused.value.unmet
    assert missing.id == "approval-validator"
    assert "granted by" in missing.reason
    assert governance.execute(request_id) == "executed"


def delegated(governance, person, delegate, role, days=10):
    """The delegate as they sign in afterwards, and the delegation."""
    with governance.units.writing() as unit:
        row = delegate_role(unit, person, delegate.id, role, EVERYTHING, unit.now + timedelta(days=days))
        unit.session.flush()
        return signed_in(unit, delegate), row.id


def signed_in(unit, actor):
    secret = create_token(unit, actor, actor.id, "test", 1).secret
    unit.session.flush()
    return actor_of_token(unit, secret)


def test_delegate_acts_with_both_names_and_counts_as_both(governance, registered):
    people = governance.people
    delegate, _ = delegated(governance, people.validator, people.stranger, Role.VALIDATOR)
    request_id = governance.request(registered)
    assert governance.review(request_id, delegate, Role.VALIDATOR) == "open"
    entry = governance.entries()[-1]
    assert (entry.actor, entry.changes["on_behalf_of"]) == (str(delegate.id), str(people.validator.id))
    for again in (people.validator, governance.also(people.stranger, Role.VALIDATOR)):
        with pytest.raises(ConflictError, match="counts once"):
            governance.review(request_id, again, Role.VALIDATOR)


def test_delegate_of_the_requester_or_of_the_maker_decides_nothing_on_it(governance, registered):
    people = governance.people
    both = governance.also(people.other_developer, Role.VALIDATOR)
    delegate, _ = delegated(governance, both, people.stranger, Role.VALIDATOR)
    request_id = governance.request(registered, by=people.other_developer)
    with pytest.raises(SelfReviewError):
        governance.review(request_id, delegate, Role.VALIDATOR)
    maker = governance.also(people.developer, Role.ETHICS_REVIEWER)
    delegate, _ = delegated(governance, maker, people.auditor, Role.ETHICS_REVIEWER)
    with pytest.raises(ConflictOfInterestError):
        answer(governance, delegate, registered, "lawful-basis")


def test_delegation_ends_with_its_time_by_its_giver_with_the_role_and_with_the_giver(governance, registered):
    people = governance.people
    delegate, row_id = delegated(governance, people.validator, people.stranger, Role.VALIDATOR)
    assert delegate.delegated
    with governance.units.writing() as unit:
        with pytest.raises(NotFoundError):
            end_delegation(unit, people.risk, row_id)
        end_delegation(unit, people.validator, row_id)
        assert signed_in(unit, people.stranger).reach == ()
    delegated(governance, people.validator, people.stranger, Role.VALIDATOR)
    with governance.units.writing() as unit:
        [grant] = [row for row in unit.session.query(GrantRow) if row.actor_id == people.validator.id]
        revoke_role(unit, people.administrator, grant.id)
        assert signed_in(unit, people.stranger).reach == ()
        delegate_role(unit, people.risk, people.stranger.id, Role.RISK_OFFICER, EVERYTHING, unit.now + timedelta(1))
        record_leaving(unit, people.administrator, people.risk.id)
        assert signed_in(unit, people.stranger).reach == ()
    delegate, _ = delegated(governance, people.ethics, people.stranger, Role.ETHICS_REVIEWER)
    with governance.units.writing() as unit:
        unit.now += timedelta(hours=23)
        secret = create_token(unit, people.stranger, people.stranger.id, "test", 30).secret
        unit.session.flush()
        unit.now += timedelta(days=10)
        assert actor_of_token(unit, secret).reach == ()


def test_only_an_own_role_is_delegated_and_only_to_another_person(governance, registered):
    people = governance.people
    delegate, _ = delegated(governance, people.validator, people.stranger, Role.VALIDATOR)
    machine = governance.machine_of(people.risk, Role.VALIDATOR)
    for giver, receiver, role in (
        (delegate, people.auditor, Role.VALIDATOR),
        (people.validator, people.auditor, Role.RISK_OFFICER),
        (machine, people.auditor, Role.VALIDATOR),
    ):
        with pytest.raises(RefusedError):
            delegated(governance, giver, receiver, role)
    for receiver in (people.validator, machine):
        with pytest.raises(InvalidInputError):
            delegated(governance, people.validator, receiver, Role.VALIDATOR)
    with pytest.raises(InvalidInputError, match="after now"):
        delegated(governance, people.validator, people.auditor, Role.VALIDATOR, days=-1)
    with pytest.raises(InvalidInputError, match="administration"):
        delegated(governance, people.administrator, people.auditor, Role.ADMINISTRATOR)
    with pytest.raises(ConflictError):
        delegated(governance, people.validator, people.stranger, Role.VALIDATOR)
    with governance.units.writing() as unit:
        grant_role(unit, people.administrator, people.stranger.id, Role.VALIDATOR, EVERYTHING)


def test_answer_names_only_evidence_of_its_version(governance, registered):
    governance.complete(registered)
    with governance.units.reading() as unit:
        found = catalog.version_by_id(unit, governance.people.auditor, registered.version.id)
        document, result = documents_of(unit, found.version.id)[0], list_results(unit, found.version.id)[0]
    rests_on = [Reference(ReferenceKind.DOCUMENT, document.id), Reference(ReferenceKind.CHECK_RESULT, result.id)]
    row = answer(governance, governance.people.ethics, registered, "lawful-basis", rests_on=rests_on)
    assert row.rests_on == [{"kind": one.kind.value, "id": str(one.id)} for one in rests_on]
    second = governance.register()
    for wrong in (rests_on[0], rests_on[1], Reference(ReferenceKind.ASSESSMENT, document.id)):
        with pytest.raises(InvalidInputError, match=r"rests_on\[0\]"):
            answer(governance, governance.people.ethics, second, "lawful-basis", rests_on=[wrong])


def test_answer_is_taken_back_by_its_giver_or_a_risk_officer_and_opens_its_item(governance, registered):
    people = governance.people
    governance.complete(registered)
    given = answer(governance, people.ethics, registered, "lawful-basis", Answer.NO)
    assert "lawful-basis" in governance.unmet(registered)
    with pytest.raises(RefusedError), governance.units.writing() as unit:
        withdraw_attestation(unit, people.security, registered, given.id, "Not mine.")
    with governance.units.writing() as unit:
        withdraw_attestation(unit, people.ethics, registered, given.id, "Wrong version.")
    assert "lawful-basis" not in governance.unmet(registered)
    with pytest.raises(ConflictError), governance.units.writing() as unit:
        withdraw_attestation(unit, people.risk, registered, given.id, "Again.")
    other = governance.register()
    with pytest.raises(NotFoundError), governance.units.writing() as unit:
        withdraw_attestation(unit, people.risk, other, given.id, "Other version.")


def test_replaced_or_withdrawn_evidence_makes_an_approved_request_stale_and_first_evidence_does_not(
    governance, registered
):
    people = governance.people
    request_id = governance.request(registered)
    governance.approve(request_id)
    governance.complete(registered)
    assert state_of(governance, request_id) == "approved"
    with governance.units.writing() as unit:
        service.withdraw(unit, people.developer, request_id, "Again.")
    request_id = governance.request(registered)
    governance.approve(request_id)
    answer(governance, people.ethics, registered, "lawful-basis")
    assert state_of(governance, request_id) == "stale"
    assert governance.entries()[-1].changes["items"] == ["lawful-basis"]
    with pytest.raises(IllegalTransitionError):
        governance.execute(request_id)
    request_id = governance.request(registered)
    governance.run_checks(registered)
    governance.approve(request_id)
    governance.run_checks(registered)
    assert state_of(governance, request_id) == "approved", "the same answer to the same inputs is the same evidence"


def state_of(governance, request_id):
    with governance.units.reading() as unit:
        return find_case(unit, governance.people.auditor, request_id).request.state


def test_who_takes_part_comments_and_an_auditor_only_reads(governance, registered):
    people = governance.people
    request_id = governance.request(registered)
    with governance.units.writing() as unit:
        comment(unit, people.risk, request_id, "Which groups?")
    with governance.units.writing() as unit:
        comment(unit, people.developer, request_id, "All of them.")
        with pytest.raises(NotFoundError):
            comment(unit, people.stranger, request_id, "Hello.")
        with pytest.raises(InvalidInputError):
            comment(unit, people.risk, request_id, " ")
        with pytest.raises(RefusedError):
            comment(unit, people.auditor, request_id, "I would not.")
    with governance.units.reading() as unit:
        assert [row.text for row in comments_on(unit, request_id)] == ["Which groups?", "All of them."]
    assert b"Which groups?" not in b"".join(entry.leaf for entry in governance.entries())
