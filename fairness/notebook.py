"""An assessment as one piece of HTML that needs no stylesheet, for notebooks."""

from html import escape

from fairness.assessment import Assessment
from fairness.charts import ChartTable, chart_table
from fairness.drawing import Theme


def page(assessment: Assessment) -> str:
    """Verdict, findings, and a chart of every metric that a limit judges; all texts of the data escaped."""
    findings = "".join(
        f"<li><b>{escape(finding.verdict.value)}</b>, {escape(' × '.join(finding.features))}: "
        f"{escape(finding.sentence)}</li>"
        for finding in assessment.findings
    )
    charts = "".join(
        _table(chart_table(assessment, metric, theme=Theme.PRINT))
        for metric in assessment.overall
        if metric in assessment.thresholds
    )
    rows = f"{assessment.source.rows:,} rows"
    return f"<div><p><b>Bias assessment: {assessment.verdict.value}</b> ({rows})</p><ul>{findings}</ul>{charts}</div>"


def _table(chart: ChartTable) -> str:
    body = "".join(
        f'<tr><th colspan="6" scope="rowgroup">{escape(band.title)} {escape(band.limit_text or "")}</th></tr>'
        + "".join(
            f'<tr><th scope="row">{escape(row.label)}</th><td>{row.base_text}</td><td>{row.svg}</td>'
            f"<td>{row.rate_text}</td><td>{row.interval_text}</td>"
            f"<td>{row.verdict.value if row.verdict else ''}</td></tr>"
            for row in band.rows
        )
        for band in chart.bands
    )
    return (
        f"<table><caption>{escape(chart.caption)}</caption><thead><tr><th>Group</th>"
        f"<th>{escape(chart.base_title)}</th><th>{chart.head_svg}</th><th>Rate</th><th>Interval</th><th>Verdict</th>"
        f"</tr></thead><tbody>{body}<tr><td></td><td></td><td>{chart.axis_svg}</td></tr></tbody></table>"
    )
