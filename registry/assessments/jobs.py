"""Does an assessment: reads the stored table with `fairness`, in a worker."""

from decimal import Decimal
from uuid import UUID

import msgspec

from fairness.assessment import Assessment
from fairness.errors import FairnessError
from fairness.presets import PRESETS
from fairness.procedure import assess
from fairness.thresholds import Verdict as FindingVerdict
from registry.access.actor import Place
from registry.assessments import service
from registry.assessments.columns import suffix_of
from registry.assessments.request import AssessmentRoles, unprocessable
from registry.assessments.service import Outcome
from registry.assessments.tables import AssessmentRow
from registry.assessments.verdicts import Verdict
from registry.catalog.tables import ModelVersion, RegisteredModel
from registry.jobs.service import hold
from registry.jobs.worker import Work
from registry.policy.policy import AssessmentRule
from registry.policy.service import policy_for
from registry.storage import Storage


def run_assessment(work: Work) -> None:
    """Assess the stored table by the limits of the policy that governs its model, and keep result and verdict.

    Raises:
        UnprocessableError: the data cannot be assessed; the assessment is marked as failed.
    """
    assessment_id = UUID(work.lease.arguments["assessment_id"])
    with work.units.reading() as unit:
        row = unit.session.get_one(AssessmentRow, assessment_id)
        data_digest, suffix = row.data_digest, suffix_of(row.data_name)
        roles = msgspec.convert(row.roles, AssessmentRoles)
        version = unit.session.get_one(ModelVersion, row.version_id)
        model = unit.session.get_one(RegisteredModel, version.model_id)
        rule = policy_for(unit, Place(model.name, model.team)).policy.assessment
    storage = Storage(work.settings.storage)
    work.report(0.1, "reading the data")
    try:
        with storage.local_path(data_digest, suffix) as path:
            result = _assess(str(path), roles, rule)
    except FairnessError as error:
        reason = unprocessable(error)
        with work.units.writing(f"job-{work.lease.job_id}") as unit:
            hold(unit, work.lease)
            service.fail(unit, assessment_id, str(reason))
        raise reason from error
    work.report(0.9, "storing the result")
    outcome = Outcome(
        verdict=Verdict(result.verdict.value),
        rows=result.source.rows,
        result_digest=storage.put(result.to_json().encode()),
        summary=summary_of(result),
        performance={name: decimal_text(value) for name, value in result.performance.items()},
        compared=[list(each.features) for each in result.feature_sets],
    )
    with work.outcome({"verdict": outcome.verdict.value, "result_sha256": outcome.result_digest.hex()}) as unit:
        service.finish(unit, assessment_id, outcome)


def _assess(path: str, roles: AssessmentRoles, rule: AssessmentRule) -> Assessment:
    return assess(
        path,
        outcome=roles.outcome,
        prediction=roles.prediction,
        sensitive=roles.sensitive,
        thresholds=rule.thresholds,
        score=roles.score,
        positive=roles.positive,
        bands=roles.bands,
        weight=roles.weight,
        confidence=float(rule.confidence),
        minimum_rows=rule.minimum_rows,
        intersections=rule.intersections,
        wording=PRESETS[roles.preset].wording if roles.preset else None,
    )


def summary_of(result: Assessment) -> str:
    """The sentence of the first finding that decided the verdict."""
    gravest = (FindingVerdict.FAIL, FindingVerdict.INCONCLUSIVE, FindingVerdict.TOO_FEW, FindingVerdict.PASS)
    return min(result.findings, key=lambda finding: gravest.index(finding.verdict)).sentence


def decimal_text(value: float) -> str:
    """A measured value as a decimal number, without an exponent."""
    return format(Decimal(repr(value)), "f")
