"""Raw Fairlearn, row by row, is the oracle of every number."""

import fairlearn.metrics as raw
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import (
    accuracy_score,
    balanced_accuracy_score,
    brier_score_loss,
    f1_score,
    precision_score,
    recall_score,
    roc_auc_score,
)

from fairness import assess, from_json
from tests.fairness.conftest import LIMITS

EXACT = pytest.approx
RAW_METRICS = {
    "selection_rate": raw.selection_rate,
    "accuracy": accuracy_score,
    "true_positive_rate": raw.true_positive_rate,
    "false_positive_rate": raw.false_positive_rate,
    "false_negative_rate": raw.false_negative_rate,
    "precision": lambda y, p, sample_weight=None: precision_score(y, p, sample_weight=sample_weight, zero_division=0),
}


def raw_frame(data, features, weight=None):
    parameters = {name: {"sample_weight": data[weight]} for name in RAW_METRICS} if weight else None
    return raw.MetricFrame(
        metrics=RAW_METRICS,
        y_true=data["y"],
        y_pred=data["p"],
        sensitive_features=data[features],
        sample_params=parameters,
    )


def assert_equals_raw(result, data, weight=None):
    """Rates of every group, and the disparities where all groups are compared."""
    for each in result.feature_sets:
        frame = raw_frame(data, list(each.features), weight)
        difference, ratio = frame.difference(), frame.ratio()
        for group in each.groups:
            key = group.name if len(group.name) > 1 else group.name[0]
            for metric, rate in group.rates.items():
                if rate.rate is None:  # Fairlearn says 0 where there is nothing to divide by
                    assert frame.by_group.loc[key, metric] == 0
                else:
                    assert rate.rate == pytest.approx(frame.by_group.loc[key, metric], abs=1e-12)
                    assert rate.low <= rate.rate <= rate.high
        for disparity in each.disparities:
            if disparity.metric in RAW_METRICS and not disparity.too_few and disparity.compared > 1:
                assert disparity.difference.value == pytest.approx(difference[disparity.metric], abs=1e-12)
                assert disparity.difference.low <= disparity.difference.value <= disparity.difference.high
                if disparity.ratio.value is not None:
                    assert disparity.ratio.value == pytest.approx(ratio[disparity.metric], abs=1e-12)
                    assert disparity.ratio.low <= disparity.ratio.value <= disparity.ratio.high
    whole = raw_frame(data, [result.roles.sensitive[0]], weight).overall
    for metric, rate in result.overall.items():
        assert (rate.rate or 0.0) == pytest.approx(whole[metric], abs=1e-12)


@st.composite
def rows(draw):
    size = draw(st.integers(2, 40))
    column = lambda values: draw(st.lists(values, min_size=size, max_size=size))  # noqa: E731  # one line a column
    data = pd.DataFrame(
        {
            "y": column(st.integers(0, 1)),
            "p": column(st.integers(0, 1)),
            "g": column(st.sampled_from(["a", "b", "c", None])),
            "h": column(st.sampled_from(["x", "y"])),
            "w": column(st.floats(0.01, 100)),
        }
    )
    data.loc[0, "y"], data.loc[1, "y"] = 0, 1
    return data


@settings(max_examples=12)
@given(rows())
def test_numbers_are_those_of_fairlearn_with_nulls_and_groups_of_one(data):
    result = assess(data, outcome="y", prediction="p", sensitive=["g", "h"], thresholds=LIMITS, minimum_rows=1)
    assert_equals_raw(result, data.assign(g=data["g"].fillna("missing")))
    assert from_json(result.to_json()) == result


@settings(max_examples=8)
@given(rows())
def test_weighted_numbers_are_those_of_fairlearn_with_sample_weight(data):
    result = assess(data, outcome="y", prediction="p", sensitive=["g"], weight="w", thresholds=LIMITS, minimum_rows=1)
    assert_equals_raw(result, data.assign(g=data["g"].fillna("missing")), weight="w")


def test_numbers_on_the_credit_data_are_those_of_fairlearn(credit, credit_assessment):
    bands = pd.cut(credit["age"], [0, 30, 40, 50, 60, 200], right=False)
    labels = ["under 30", "30–39", "40–49", "50–59", "60 and over"]
    data = credit.assign(y=credit["default_next_month"], p=credit["predicted"])
    data["age"] = bands.cat.rename_categories(labels).astype(str)
    assert credit_assessment.source.rows == 30_000
    assert len(credit_assessment.feature_sets) == 10
    assert_equals_raw(credit_assessment, data)


def test_equalized_odds_are_those_of_fairlearn(credit, credit_assessment):
    expected = raw.equalized_odds_difference(
        credit["default_next_month"], credit["predicted"], sensitive_features=credit["sex"]
    )
    expected_ratio = raw.equalized_odds_ratio(
        credit["default_next_month"], credit["predicted"], sensitive_features=credit["sex"]
    )
    (odds,) = (each for each in credit_assessment.feature_sets[0].disparities if each.metric == "equalized_odds")
    assert odds.difference.value == pytest.approx(expected, abs=1e-12)
    assert odds.ratio.value == pytest.approx(expected_ratio, abs=1e-12)


def test_performance_is_that_of_scikit_learn_ties_in_the_score_included(credit, credit_assessment):
    y, p, score = credit["default_next_month"], credit["predicted"], credit["score"]
    expected = {
        "accuracy": accuracy_score(y, p),
        "balanced_accuracy": balanced_accuracy_score(y, p),
        "precision": precision_score(y, p),
        "recall": recall_score(y, p),
        "f1": f1_score(y, p),
        "selection_rate": p.mean(),
        "base_rate": y.mean(),
        "roc_auc": roc_auc_score(y, score),
        "brier": brier_score_loss(y, score),
    }
    assert credit_assessment.performance == pytest.approx(expected, abs=1e-12)


def test_weighted_score_quality_is_that_of_scikit_learn(assess_frame):
    random = np.random.default_rng(7)
    data = pd.DataFrame({"y": random.integers(0, 2, 500), "g": "a", "w": random.random(500)})
    data["s"] = (random.random(500) + data["y"] * 0.3).round(1) / 2
    data["p"] = (data["s"] > 0.4).astype(int)
    performance = assess_frame(data, score="s", weight="w").performance
    assert performance["roc_auc"] == pytest.approx(roc_auc_score(data["y"], data["s"], sample_weight=data["w"]), 1e-12)


def test_a_file_and_its_frame_say_the_same(credit, credit_file, credit_assessment, tmp_path):
    columns = ["default_next_month", "predicted", "score", "sex", "education", "marriage", "age"]
    credit[columns].to_csv(tmp_path / "credit.csv", index=False)
    for data in (credit[columns], tmp_path / "credit.csv", f"file://{credit_file}"):
        other = assess(
            data,
            outcome="default_next_month",
            prediction="predicted",
            sensitive=["sex"],
            thresholds=LIMITS,
            minimum_rows=200,
        )
        assert other.overall == credit_assessment.overall
        pairs = zip(other.feature_sets[0].groups, credit_assessment.feature_sets[0].groups, strict=True)
        assert all(ours.rates["precision"].rate == theirs.rates["precision"].rate for ours, theirs in pairs)
