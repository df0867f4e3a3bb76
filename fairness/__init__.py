"""Bias assessments with Fairlearn's numbers, over data of any size. Knows nothing of any registry.

    from fairness import CREDIT, assess

    result = assess("holdout.parquet", outcome="defaulted", prediction="predicted", sensitive=["sex", "age"],
                    bands={"age": [30, 40, 50, 60]}, thresholds=CREDIT.thresholds, wording=CREDIT.wording)
    result.verdict, result.findings[0].sentence

Importing this package loads neither Fairlearn nor DuckDB; `assess` does.
"""

from fairness.assessment import Assessment, from_json
from fairness.charts import ChartTable, Theme, chart_table
from fairness.errors import FairnessError
from fairness.presets import CREDIT, PRESETS, Preset
from fairness.procedure import assess
from fairness.roles import ColumnRoles
from fairness.thresholds import Comparison, Harm, Threshold, Verdict
from fairness.wording import Wording

__all__ = [
    "CREDIT",
    "PRESETS",
    "Assessment",
    "ChartTable",
    "ColumnRoles",
    "Comparison",
    "FairnessError",
    "Harm",
    "Preset",
    "Theme",
    "Threshold",
    "Verdict",
    "Wording",
    "assess",
    "chart_table",
    "from_json",
]
