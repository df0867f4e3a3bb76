from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from registry.assessments.tables import Verdict
from registry.catalog.facts import DatasetRole, DigestState, EdgeKind
from registry.policy.checks import Assessed, CheckFacts, Edge, Files, bind, inputs_digest
from registry.policy.checks.assessment import AssessmentPassed
from registry.policy.checks.isolation import examine
from registry.policy.checks.lineage import DigestVerified, LineageComplete
from registry.policy.tables import Outcome

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
TEST_SET = bytes([7]) * 32
EDGES = (
    Edge(EdgeKind.DATASET, DatasetRole.TRAINING, "training", bytes([1]) * 32, None),
    Edge(EdgeKind.DATASET, DatasetRole.TEST, "holdout", TEST_SET, None),
    Edge(EdgeKind.CODE, None, "risk/credit", None, "6f2c1e9"),
    Edge(EdgeKind.RUN, None, "run", None, "5b0f22"),
    Edge(EdgeKind.ENVIRONMENT, None, "environment.lock", bytes([5]) * 32, None),
)
ASSESSED = Assessed(
    id=UUID(int=1),
    verdict=Verdict.PASS,
    rows=6000,
    declared_digest=TEST_SET,
    result_digest=bytes([9]) * 32,
    origin="uploaded",
    summary=None,
    finished_at=NOW - timedelta(days=3),
)
GOOD = CheckFacts(bytes([2]) * 32, DigestState.VERIFIED, NOW - timedelta(days=3), EDGES, ASSESSED)
CHECKS = (LineageComplete(), DigestVerified(), AssessmentPassed())


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
def test_good_version_passes_every_check(check):
    finding = check.examine(GOOD, NOW, Files())
    assert finding.outcome is Outcome.PASSED
    assert finding.evidence


@pytest.mark.parametrize("position", range(5))
def test_lineage_without_any_one_part_fails_and_names_it(position):
    edges = EDGES[:position] + EDGES[position + 1 :]
    finding = LineageComplete().examine(replace(GOOD, edges=edges), NOW, Files())
    part = ["training data", "test data", "commit", "run", "lock file"][position]
    assert finding.outcome is Outcome.FAILED
    assert part in finding.reason


def test_lineage_that_tests_on_training_data_fails():
    leaked = replace(EDGES[1], digest=EDGES[0].digest)
    finding = LineageComplete().examine(replace(GOOD, edges=(EDGES[0], leaked, *EDGES[2:])), NOW, Files())
    assert finding.outcome is Outcome.FAILED
    assert "holdout" in finding.reason


@pytest.mark.parametrize(
    "state, outcome", [(DigestState.STATED, Outcome.INCONCLUSIVE), (DigestState.MISMATCH, Outcome.FAILED)]
)
def test_digest_that_was_not_found_in_the_bytes_does_not_pass(state, outcome):
    assert DigestVerified().examine(replace(GOOD, digest_state=state), NOW, Files()).outcome is outcome


@pytest.mark.parametrize(
    "change, outcome, words",
    [
        ({"verdict": Verdict.FAIL, "summary": "Women are refused more often."}, Outcome.FAILED, "Women"),
        ({"verdict": Verdict.INCONCLUSIVE}, Outcome.INCONCLUSIVE, "decide"),
        ({"declared_digest": None}, Outcome.FAILED, "declared"),
        ({"declared_digest": bytes([8]) * 32}, Outcome.FAILED, "declared"),
        ({"declared_digest": EDGES[0].digest}, Outcome.FAILED, "declared"),
        ({"rows": 999}, Outcome.INCONCLUSIVE, "999"),
        ({"finished_at": NOW - timedelta(days=180, seconds=1)}, Outcome.FAILED, "180 days"),
    ],
)
def test_assessment_with_one_defect_does_not_pass(change, outcome, words):
    finding = AssessmentPassed().examine(replace(GOOD, assessed=replace(ASSESSED, **change)), NOW, Files())
    assert finding.outcome is outcome
    assert words in finding.reason


def test_assessment_exactly_at_the_limits_passes_and_none_is_inconclusive():
    edge = replace(ASSESSED, rows=1000, finished_at=NOW - timedelta(days=180))
    assert AssessmentPassed().examine(replace(GOOD, assessed=edge), NOW, Files()).outcome is Outcome.PASSED
    assert AssessmentPassed().examine(replace(GOOD, assessed=None), NOW, Files()).outcome is Outcome.INCONCLUSIVE


def test_inputs_digest_changes_with_whatever_the_finding_rests_on():
    check = AssessmentPassed()
    base = inputs_digest(check, GOOD, NOW)
    assert inputs_digest(check, GOOD, NOW + timedelta(days=1)) == base
    others = {
        inputs_digest(check, GOOD, NOW + timedelta(days=178)),
        inputs_digest(AssessmentPassed(max_age_days=90), GOOD, NOW),
        inputs_digest(check, replace(GOOD, assessed=None), NOW),
        inputs_digest(check, replace(GOOD, assessed=replace(ASSESSED, id=UUID(int=2))), NOW),
        inputs_digest(check, replace(GOOD, assessed=replace(ASSESSED, verdict=Verdict.FAIL)), NOW),
        inputs_digest(check, replace(GOOD, edges=EDGES[:1]), NOW),
        inputs_digest(DigestVerified(), GOOD, NOW),
        inputs_digest(DigestVerified(), replace(GOOD, digest_state=DigestState.MISMATCH), NOW),
        inputs_digest(LineageComplete(), GOOD, NOW),
        inputs_digest(LineageComplete(), replace(GOOD, edges=EDGES[:4]), NOW),
    }
    assert base not in others
    assert len(others) == 10


def test_change_of_declared_data_makes_an_assessment_stale():
    moved = replace(GOOD, assessed=replace(ASSESSED, declared_digest=bytes([8]) * 32))
    assert inputs_digest(AssessmentPassed(), moved, NOW) != inputs_digest(AssessmentPassed(), GOOD, NOW)


def test_check_that_raises_is_an_error_and_never_passed():
    class Broken(LineageComplete):
        def examine(self, facts, now, files):
            raise ZeroDivisionError("by design")

    finding = examine(Broken(), GOOD, NOW, Files())
    assert finding.outcome is Outcome.ERROR
    assert "by design" in finding.reason


def test_policy_sets_parameters_within_their_limits():
    assert bind("assessment-passed", {"max_age_days": 30}) == AssessmentPassed(max_age_days=30)
    with pytest.raises(ValueError, match="max_age_days"):
        bind("assessment-passed", {"max_age_days": 0})
