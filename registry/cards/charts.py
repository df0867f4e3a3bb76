"""The charts of an assessment as a card prints them: drawn by `fairness`, handed to `reports` ready."""

from fairness.assessment import Assessment
from fairness.charts import ChartRow, Theme, chart_table
from fairness.metrics import METRICS
from fairness.thresholds import Verdict
from reports import charts as card

_STATES = {
    Verdict.PASS: card.GroupState.PASSED,
    Verdict.FAIL: card.GroupState.FAILED,
    Verdict.INCONCLUSIVE: card.GroupState.INCONCLUSIVE,
    Verdict.TOO_FEW: card.GroupState.TOO_FEW,
    None: card.GroupState.NOT_JUDGED,
}


def card_charts(assessment: Assessment) -> tuple[card.ChartTable, ...]:
    """One table for each metric with a limit, over the features by themselves."""
    return tuple(_table(assessment, metric) for metric in assessment.thresholds if metric in METRICS)


def _table(assessment: Assessment, metric: str) -> card.ChartTable:
    drawn = chart_table(assessment, metric, theme=Theme.PRINT)
    return card.ChartTable(
        caption=drawn.caption,
        base_label=drawn.base_title,
        rate_label="Rate",
        bands=tuple(
            card.Band(title=band.title, limit_text=band.limit_text, rows=tuple(_row(row) for row in band.rows))
            for band in drawn.bands
        ),
        head_svg=drawn.head_svg,
        axis_svg=drawn.axis_svg,
    )


def _row(row: ChartRow) -> card.ChartRow:
    return card.ChartRow(
        label=row.label,
        base=row.base_text,
        rate=row.rate_text,
        interval=row.interval_text,
        state=_STATES[row.verdict],
        svg=row.svg,
    )
