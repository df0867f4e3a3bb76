"""Predictions on the real credit data, and a caller with limits that most tests do not care about."""

from decimal import Decimal
from pathlib import Path

import pandas as pd
import pytest

from fairness import Comparison, Threshold, assess

CREDIT_DATA = Path(__file__).resolve().parents[2] / "registry/demo/data/credit_default.parquet"

LIMITS = {"false_positive_rate": Threshold(Comparison.DIFFERENCE, Decimal("0.05"))}


@pytest.fixture(scope="session")
def credit() -> pd.DataFrame:
    """30,000 clients; predicted to default when the last payment was two months late or more."""
    data = pd.read_parquet(CREDIT_DATA)
    return data.assign(predicted=(data["pay_0"] >= 2).astype("int64"), score=(data["pay_0"] + 2) / 10)


@pytest.fixture(scope="session")
def credit_file(credit, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("credit") / "credit.parquet"
    credit.to_parquet(path)
    return path


@pytest.fixture(scope="session")
def credit_assessment(credit_file):
    return assess(
        credit_file,
        outcome="default_next_month",
        prediction="predicted",
        score="score",
        sensitive=["sex", "education", "marriage", "age"],
        bands={"age": [30, 40, 50, 60]},
        thresholds={**LIMITS, "equalized_odds": Threshold(Comparison.DIFFERENCE, Decimal("0.2"))},
        minimum_rows=200,
    )


@pytest.fixture
def assess_frame():
    """`assess` on a frame with columns y, p and g, every group compared."""

    def call(data, **changes):
        settings = {
            "outcome": "y",
            "prediction": "p",
            "sensitive": ["g"],
            "thresholds": LIMITS,
            "minimum_rows": 1,
        }
        return assess(data, **{**settings, **changes})

    return call
