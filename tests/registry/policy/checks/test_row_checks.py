from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from registry.assessments.verdicts import Verdict
from registry.catalog.facts import DatasetRole, DigestState, EdgeKind
from registry.policy.checks import Edge, Files, InProduction, bind, inputs_digest
from registry.policy.checks.assessment import AssessmentPassed
from registry.policy.checks.isolation import examine
from registry.policy.checks.lineage import DigestVerified, FactsForReproduction, LineageComplete
from registry.policy.checks.performance import Better, MetricAtFloor, NoWorseThanProduction
from registry.policy.checks.statements import ImpactAssessed, IntendedUseStated, SignatureTyped, ValidatedIndependently
from registry.policy.outcomes import Outcome
from tests.registry.policy.checks.samples import (
    ASSESSED,
    EDGES,
    GOOD,
    MAKER,
    NOW,
    SIGNATURE,
    document,
)


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


def test_digest_that_was_read_long_ago_does_not_pass_any_more():
    check = DigestVerified(max_age_days=30)
    on_the_day = replace(GOOD, digest_checked_at=NOW - timedelta(days=30))
    after = replace(GOOD, digest_checked_at=NOW - timedelta(days=30, seconds=1))
    assert check.examine(on_the_day, NOW, Files()).outcome is Outcome.PASSED
    assert check.examine(after, NOW, Files()).outcome is Outcome.INCONCLUSIVE
    assert inputs_digest(check, on_the_day, NOW) != inputs_digest(check, after, NOW)


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
        ({"features": (("age",), ("age", "sex"))}, Outcome.FAILED, "sensitive: sex"),
        ({"features": (("age",), ("sex",))}, Outcome.FAILED, "age × sex"),
        ({"accuracy": "0.8224"}, Outcome.FAILED, "0.8213"),
        ({"accuracy": "0.8202"}, Outcome.FAILED, "not the predictions"),
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


def test_accuracy_within_the_tolerance_and_an_unlogged_one_pass():
    near = replace(GOOD, assessed=replace(ASSESSED, accuracy="0.8223"))
    assert AssessmentPassed().examine(near, NOW, Files()).outcome is Outcome.PASSED
    unlogged = replace(GOOD, metrics={}, assessed=replace(ASSESSED, accuracy="0.1"))
    assert AssessmentPassed().examine(unlogged, NOW, Files()).outcome is Outcome.PASSED
    undefined = replace(GOOD, metrics={"accuracy": "nan"})
    assert AssessmentPassed().examine(undefined, NOW, Files()).outcome is Outcome.FAILED


def test_version_that_declares_no_sensitive_feature_is_judged_by_what_was_compared():
    undeclared = replace(GOOD, parameters={}, assessed=replace(ASSESSED, features=(("age",),)))
    assert AssessmentPassed().examine(undeclared, NOW, Files()).outcome is Outcome.PASSED


@pytest.mark.parametrize(
    "changes, words",
    [
        ({"edges": EDGES[:4]}, "lock file"),
        ({"edges": EDGES[2:]}, "no data set"),
        ({"parameters": {"seed": ""}}, "seed"),
        ({"edges": (*EDGES[:2], Edge(EdgeKind.CODE, None, "risk", None, "6f2c1e9"), *EDGES[3:])}, "'6f2c1e9'"),
        ({"edges": (*EDGES, Edge(EdgeKind.DATASET, DatasetRole.VALIDATION, "tuning", None, None))}, "tuning"),
    ],
)
def test_version_that_cannot_be_made_again_exactly_fails_and_says_why(changes, words):
    finding = FactsForReproduction().examine(replace(GOOD, **changes), NOW, Files())
    assert finding.outcome is Outcome.FAILED
    assert words in finding.reason


@pytest.mark.parametrize(
    "value, better, floor, outcome",
    [
        ("0.78", Better.HIGHER, "0.78", Outcome.PASSED),
        ("0.7799999999999999", Better.HIGHER, "0.78", Outcome.FAILED),
        ("0.2", Better.LOWER, "0.2", Outcome.PASSED),
        ("0.2000001", Better.LOWER, "0.2", Outcome.FAILED),
        ("nan", Better.HIGHER, "0.1", Outcome.INCONCLUSIVE),
        ("inf", Better.HIGHER, "0.1", Outcome.INCONCLUSIVE),
        (None, Better.HIGHER, "0.1", Outcome.INCONCLUSIVE),
    ],
)
def test_metric_is_compared_exactly_and_only_where_it_is_a_number(value, better, floor, outcome):
    facts = replace(GOOD, metrics={} if value is None else {"loss": value})
    assert MetricAtFloor(metric="loss", floor=floor, better=better).examine(facts, NOW, Files()).outcome is outcome


@pytest.mark.parametrize(
    "ours, rival, outcome",
    [
        ("0.77", None, Outcome.NOT_APPLICABLE),
        ("0.77", InProduction(1, b"", {"roc_auc": "0.78"}), Outcome.PASSED),
        ("0.7699", InProduction(1, b"", {"roc_auc": "0.78"}), Outcome.FAILED),
        ("0.77", InProduction(1, b"", {}), Outcome.INCONCLUSIVE),
    ],
)
def test_version_may_be_worse_than_the_one_in_production_by_the_margin_and_no_more(ours, rival, outcome):
    check = NoWorseThanProduction(metric="roc_auc", margin="0.01")
    facts = replace(GOOD, metrics={"roc_auc": ours}, in_production=rival)
    assert check.examine(facts, NOW, Files()).outcome is outcome


def test_change_of_the_version_in_production_makes_the_comparison_stale():
    check = NoWorseThanProduction(metric="roc_auc")
    moved = replace(GOOD, in_production=InProduction(2, b"other", {"roc_auc": "0.771"}))
    assert inputs_digest(check, moved, NOW) != inputs_digest(check, GOOD, NOW)


@pytest.mark.parametrize("signature", [None, "{}", "[]", SIGNATURE.replace("double", "any"), '{"inputs": "[}"}'])
def test_signature_without_types_does_not_pass(signature):
    found = SignatureTyped().examine(replace(GOOD, signature=signature), NOW, Files())
    assert found.outcome in {Outcome.FAILED, Outcome.ERROR}


@pytest.mark.parametrize(
    "change",
    [{"uploaded_by": MAKER}, {"signed_off_by": MAKER}, {"signed_off_by": None}, {"kind": "other"}],
)
def test_report_that_is_not_independent_does_not_pass(change):
    report = replace(document("validation-report"), **change)
    assert ValidatedIndependently().examine(replace(GOOD, documents=(report,)), NOW, Files()).outcome is Outcome.FAILED


@pytest.mark.parametrize(
    "personal_data, domain, kinds, outcome",
    [
        ("none", "none", (), Outcome.NOT_APPLICABLE),
        ("personal", "none", (), Outcome.FAILED),
        ("special category", "none", ("data-protection-impact",), Outcome.PASSED),
        ("none", "creditworthiness", ("data-protection-impact",), Outcome.FAILED),
        ("none", "creditworthiness", ("fundamental-rights-impact",), Outcome.PASSED),
    ],
)
def test_impact_is_to_be_assessed_where_data_or_domain_ask_for_it(personal_data, domain, kinds, outcome):
    model = replace(GOOD.model, personal_data=personal_data, legal_domain=domain)
    facts = replace(GOOD, model=model, documents=tuple(document(kind) for kind in kinds))
    assert ImpactAssessed().examine(facts, NOW, Files()).outcome is outcome


@pytest.mark.parametrize("field", ["purpose", "intended_users", "out_of_scope", "limitations"])
def test_each_statement_of_use_is_needed(field):
    facts = replace(GOOD, model=replace(GOOD.model, **{field: "  tbd  "}))
    assert IntendedUseStated().examine(facts, NOW, Files()).outcome is Outcome.FAILED
