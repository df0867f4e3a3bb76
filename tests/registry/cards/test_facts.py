import pytest

from registry.access.actor import Role
from registry.cards.facts import LoadedResult, ResultChangedError, gather, newest_result
from registry.catalog.service import version_by_id
from registry.promotion.tables import Decision
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


def test_a_result_that_is_not_the_newest_is_refused(units, settings, people, assessed):
    with units.reading() as unit:
        fresh = version_by_id(unit, people.auditor, assessed.version.id)
        for stale in (None, LoadedResult(bytes(32), b"{}")):
            with pytest.raises(ResultChangedError):
                gather(unit, fresh, stale, settings)
