from datetime import UTC, datetime, timedelta

import pytest

from registry.access.actor import Role
from registry.cards.facts import LoadedResult, ResultChangedError, gather, newest_result
from registry.catalog.service import version_by_id
from registry.findings.service import NewFinding, open_finding
from registry.lapses.jobs import look
from registry.policy.policy import Severity
from registry.promotion.tables import Decision
from registry.promotion.waivers import Excuse, waive_finding
from registry.storage import Storage
from reports.completeness import completeness
from reports.facts import CardFacts, GateVerdict, ItemState


def facts_of(units, settings, people, found) -> CardFacts:
    with units.reading() as unit:
        fresh = version_by_id(unit, people.auditor, found.version.id)
        digest = newest_result(unit, found.version.id)
        result = None if digest is None else LoadedResult(digest, Storage(settings.storage).get(digest))
        return gather(unit, fresh, result, settings)


def states(facts: CardFacts) -> dict[str, ItemState]:
    return {item.id: item.state for checklist in facts.checklists for item in checklist.items}


def test_a_version_that_nobody_asked_to_promote_has_items_and_no_gate(units, settings, people, registered):
    facts = facts_of(units, settings, people, registered)
    assert (facts.gate, facts.approvals, facts.waivers, facts.assessment) == (None, (), (), None)
    assert [checklist.title for checklist in facts.checklists] == [
        "Ethics",
        "Documentation",
        "Security",
        "Monitoring",
    ]
    assert states(facts)["bias-assessed"] is ItemState.OPEN
    assert facts.identity.digest_state.value == "stated"
    assert facts.identity.framework == "sklearn 1.9.1"
    assert facts.risk.tier == "high"
    assert "Annex III" in facts.risk.reasons[0]
    assert {"bias assessment", "documents", "decision"} <= set(completeness(facts).missing)


def test_an_open_and_a_rejected_request_are_told_apart(governance, units, settings, people, assessed):
    request_id = governance.request(assessed)
    pending = facts_of(units, settings, people, assessed)
    assert (pending.gate.verdict, pending.gate.headline) == (GateVerdict.PENDING, "Not decided yet")
    assert pending.gate.decided_at is None
    assert "Missing: Bias assessment passed on the declared test set." in pending.gate.sentence
    assert states(pending)["bias-assessed"] is ItemState.FAILED

    governance.review(request_id, people.validator, Role.VALIDATOR, Decision.REJECT)
    rejected = facts_of(units, settings, people, assessed)
    assert (rejected.gate.verdict, rejected.gate.headline) == (GateVerdict.REFUSED, "Rejected")
    assert rejected.gate.decided_at is not None
    assert [approval.decision for approval in rejected.approvals] == ["rejected"]


def test_a_waived_finding_is_named_with_its_measure_and_an_open_one_holds_the_gate(
    governance, units, settings, people, assessed
):
    governance.request(assessed)
    new = NewFinding(Severity.HIGH, "Leaks the age", "A proxy.")
    with units.writing() as unit:
        finding_id = open_finding(unit, people.validator, assessed, new).id
    assert "Held by one finding: Leaks the age." in facts_of(units, settings, people, assessed).gate.sentence
    with units.writing() as unit:
        excuse = Excuse("It is small.", "Each refusal is read.", unit.now + timedelta(days=9))
        waive_finding(unit, people.risk, finding_id, excuse)
    facts = facts_of(units, settings, people, assessed)
    [waiver] = facts.waivers
    assert (waiver.item, waiver.compensating_measure) == ("Finding: Leaks the age", "Each refusal is read.")
    assert "Held by" not in facts.gate.sentence


def test_a_card_says_that_the_review_of_its_version_is_due_and_why(governance, units, settings, people, waived):
    request_id = governance.request(waived)
    governance.approve(request_id)
    governance.execute(request_id)
    facts = facts_of(units, settings, people, waived)
    assert facts.gate.headline == "Approved, on one waiver"
    at = datetime.now(UTC) + timedelta(days=31)
    look(units, lambda: at)
    lapsed = facts_of(units, settings, people, waived)
    assert lapsed.gate.headline == "Approved, on one waiver, review due"
    assert "Its review is due since" in lapsed.gate.sentence
    assert "Bias assessment passed on the declared test set" in lapsed.gate.sentence


def test_a_result_that_is_not_the_newest_is_refused(units, settings, people, assessed):
    with units.reading() as unit:
        fresh = version_by_id(unit, people.auditor, assessed.version.id)
        for stale in (None, LoadedResult(bytes(32), b"{}")):
            with pytest.raises(ResultChangedError):
                gather(unit, fresh, stale, settings)
