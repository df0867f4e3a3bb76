"""A bias assessment as pages show it: the verdict, its findings as sentences, and tables that are the charts."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from fairness.assessment import Assessment, from_json
from fairness.charts import ChartTable, Theme, chart_table
from fairness.errors import FairnessError
from fairness.metrics import METRICS
from registry.assessments.service import FoundAssessment
from registry.assessments.tables import AssessmentState
from registry.errors import UnavailableError
from registry.storage import Storage

_WORST_FIRST = {"fail": 0, "inconclusive": 1, "too few": 2, "pass": 3}


@dataclass(frozen=True)
class ShownFinding:
    """What one limit says about one set of features."""

    verdict: str
    sentence: str


@dataclass(frozen=True)
class ShownAssessment:
    """One assessment. Without `findings` there is no result yet, or it could not be read: `problem` says why."""

    id: UUID
    state: str
    verdict: str | None
    origin: str
    requested_by: UUID
    requested_at: datetime
    finished_at: datetime | None
    rows: int | None
    data_name: str
    data_sha256: str
    declared_sha256: str | None
    result_digest: bytes | None
    problem: str | None
    findings: tuple[ShownFinding, ...] = ()
    charts: tuple[ChartTable, ...] = ()
    """One per metric with a limit, the one with the worst finding first; then intersections of two features."""

    @classmethod
    def of(cls, found: FoundAssessment) -> "ShownAssessment":
        """What the database knows of it."""
        row = found.row
        return cls(
            id=row.id,
            state=found.state.value,
            verdict=row.verdict,
            origin=row.origin,
            requested_by=row.requested_by,
            requested_at=row.requested_at,
            finished_at=row.finished_at,
            rows=row.rows,
            data_name=row.data_name,
            data_sha256=row.data_digest.hex(),
            declared_sha256=None if row.declared_digest is None else row.declared_digest.hex(),
            result_digest=row.result_digest,
            problem=found.error,
        )


def latest(found: Sequence[FoundAssessment]) -> ShownAssessment | None:
    """The newest assessment with a result; without any, the newest one."""
    done = [one for one in found if one.state is AssessmentState.DONE]
    return ShownAssessment.of((done or list(found))[0]) if found else None


def with_result(assessment: ShownAssessment, storage: Storage) -> ShownAssessment:
    """The assessment with findings and charts from its stored result: reads a file, so call it outside of the loop."""
    if assessment.result_digest is None:
        return assessment
    try:
        result = from_json(storage.get(assessment.result_digest))
    except (UnavailableError, FairnessError) as error:
        return replace(assessment, problem=f"The result of this assessment cannot be read: {error}")
    return replace(assessment, findings=_findings(result), charts=_charts(result))


def _findings(result: Assessment) -> tuple[ShownFinding, ...]:
    found = sorted(result.findings, key=lambda finding: _WORST_FIRST[finding.verdict.value])
    return tuple(ShownFinding(finding.verdict.value, finding.sentence) for finding in found)


def _charts(result: Assessment) -> tuple[ChartTable, ...]:
    worst: dict[str, int] = {}
    for finding in result.findings:
        weight = _WORST_FIRST[finding.verdict.value]
        worst[finding.metric] = min(worst.get(finding.metric, 3), weight)
    metrics = sorted((name for name in result.thresholds if name in METRICS), key=lambda name: worst.get(name, 3))
    charts = [chart_table(result, metric, order=1, theme=Theme.WEB) for metric in metrics]
    if metrics and result.of_order(2):
        charts.append(chart_table(result, metrics[0], order=2, theme=Theme.WEB))
    return tuple(charts)
