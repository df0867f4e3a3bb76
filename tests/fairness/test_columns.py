"""Roles, labels, bands and missing values."""

from decimal import Decimal

import pandas as pd
import pytest

from fairness import Comparison, Threshold
from fairness.errors import (
    BandsError,
    ColumnRoleError,
    ColumnTypeError,
    EmptyDataError,
    LabelTypeError,
    MissingColumnError,
    NullLabelsError,
    PositiveClassError,
    ScoreError,
    SettingError,
    SingleClassError,
    TooManyClassesError,
    TooManyGroupsError,
    WeightError,
)
from fairness.roles import band_labels


def frame(**columns):
    return pd.DataFrame({"y": [0, 1, 0, 1], "p": [0, 1, 1, 0], "g": ["a", "a", "b", "b"], **columns})


@pytest.mark.parametrize(
    "columns, settings, error, field",
    [
        ({}, {"sensitive": ["race"]}, MissingColumnError, "sensitive"),
        ({}, {"outcome": "Y"}, MissingColumnError, "outcome"),
        ({}, {"sensitive": []}, ColumnRoleError, "sensitive"),
        ({}, {"sensitive": ["y"]}, ColumnRoleError, "sensitive"),
        ({}, {"sensitive": ["g", "g"]}, ColumnRoleError, "sensitive"),
        ({"p": ["no", "yes", "yes", "no"]}, {}, LabelTypeError, "prediction"),
        ({"p": [0.2, 0.9, 0.8, 0.1]}, {}, LabelTypeError, "prediction"),
        ({"y": pd.to_datetime(["2020-01-01"] * 4)}, {}, LabelTypeError, "outcome"),
        ({"y": [0, 1, None, 1]}, {}, NullLabelsError, "outcome"),
        ({"p": [0, 1, float("nan"), 1]}, {}, NullLabelsError, "prediction"),
        ({"y": [1, 1, 1, 1]}, {}, SingleClassError, "outcome"),
        ({"p": [0, 1, 2, 1]}, {}, TooManyClassesError, "prediction"),
        ({}, {"positive": 7}, PositiveClassError, "positive"),
        ({}, {"positive": "yes"}, PositiveClassError, "positive"),
        ({"g": [[1], [2], [1], [2]]}, {}, ColumnTypeError, "sensitive"),
        ({}, {"bands": {"g": [1]}}, BandsError, "bands.g"),
        ({"g": [1, 2, 3, 4]}, {"bands": {"g": [3, 2]}}, BandsError, "bands.g"),
        ({"g": [1, 2, 3, 4]}, {"bands": {"g": []}}, BandsError, "bands.g"),
        ({"g": [1, 2, 3, 4]}, {"bands": {"age": [3]}}, BandsError, "bands.age"),
        ({"w": [1, None, 1, 1]}, {"weight": "w"}, WeightError, "weight"),
        ({"w": [1, -1, 1, 1]}, {"weight": "w"}, WeightError, "weight"),
        ({"w": [0, 0, 0, 0]}, {"weight": "w"}, WeightError, "weight"),
        ({"w": ["a", "b", "c", "d"]}, {"weight": "w"}, ColumnTypeError, "weight"),
        ({"s": [0.1, None, 0.3, 0.4]}, {"score": "s"}, ScoreError, "score"),
        ({"s": [0.1, float("inf"), 0.3, 0.4]}, {"score": "s"}, ScoreError, "score"),
        ({}, {"thresholds": {}}, SettingError, "thresholds"),
        ({}, {"thresholds": {"f2": Threshold(Comparison.RATIO, Decimal("0.8"))}}, SettingError, "thresholds"),
        ({}, {"confidence": 95}, SettingError, "confidence"),
        ({}, {"minimum_rows": 0}, SettingError, "minimum_rows"),
        ({}, {"intersections": 0}, SettingError, "intersections"),
    ],
)
def test_what_cannot_be_assessed_is_refused_with_field_and_remedy(columns, settings, error, field, assess_frame):
    with pytest.raises(error) as caught:
        assess_frame(frame(**columns), **settings)
    assert caught.value.field == field
    assert caught.value.remedy
    assert field in str(caught.value)


def test_data_without_rows_are_refused(assess_frame):
    with pytest.raises(EmptyDataError):
        assess_frame(pd.DataFrame({"y": pd.Series(dtype=int), "p": pd.Series(dtype=int), "g": pd.Series(dtype=str)}))


def test_a_missing_column_is_named_with_those_that_exist(assess_frame):
    with pytest.raises(MissingColumnError) as caught:
        assess_frame(frame(), sensitive=["race"])
    assert (caught.value.column, caught.value.existing) == ("race", ("y", "p", "g"))


def test_a_number_taken_for_a_group_asks_for_bands(assess_frame):
    size = 400
    data = pd.DataFrame({"y": [0, 1] * (size // 2), "p": 0, "g": range(size)})
    with pytest.raises(TooManyGroupsError, match="400 different values"):
        assess_frame(data)
    assert len(assess_frame(data, bands={"g": [100, 300]}).feature_sets[0].groups) == 3


def test_an_identifier_among_millions_of_cells_is_found_by_name(assess_frame, monkeypatch):
    monkeypatch.setattr("fairness.cells.MAXIMUM_CELLS", 50)
    data = pd.DataFrame({"y": [0, 1] * 200, "p": 0, "g": "a", "id": range(400)})
    with pytest.raises(TooManyGroupsError) as caught:
        assess_frame(data, sensitive=["g", "id"])
    assert (caught.value.field, caught.value.value) == ("sensitive", "id")


@pytest.mark.parametrize(
    "y, p, positive",
    [
        ([0, 1, 0, 1], [0, 1, 1, 1], 1),
        ([0, 1, 0, 1], [0, 1, 1, 1], "1"),
        ([0.0, 1.0, 0.0, 1.0], [0, 1, 1, 1], 1),
        ([False, True, False, True], [False, True, True, True], True),
        ([False, True, False, True], [0, 1, 1, 1], "true"),
        (["good", "bad", "good", "bad"], ["good", "bad", "bad", "bad"], "bad"),
        (pd.Categorical(["good", "bad", "good", "bad"]), ["good", "bad", "bad", "bad"], "bad"),
        (["0", "1", "0", "1"], ["0", "1", "1", "1"], 1),
    ],
)
def test_the_positive_class_is_found_however_labels_are_stored(y, p, positive, assess_frame):
    result = assess_frame(frame(y=y, p=p), positive=positive)
    assert result.overall["selection_rate"].rate == 0.75
    assert result.overall["false_positive_rate"].rate == 0.5


def test_a_prediction_that_is_always_the_same_is_assessed(assess_frame):
    result = assess_frame(frame(p=[0, 0, 0, 0]))
    assert result.overall["selection_rate"].rate == 0
    assert result.overall["precision"].rate is None
    (precision,) = (each for each in result.feature_sets[0].disparities if each.metric == "precision")
    assert precision.too_few == (("a",), ("b",))


def test_rows_without_a_sensitive_value_are_a_group(assess_frame):
    result = assess_frame(frame(g=["a", None, " ", "missing"]))
    assert [(group.name, group.rows) for group in result.feature_sets[0].groups] == [
        (("a",), 1),
        (("missing",), 1),
        (("missing (no value)",), 2),
    ]
    assert result.missing_rows == {"g": 2}


def test_bands_cut_at_their_lower_edge(assess_frame):
    result = assess_frame(frame(g=[29, 30, 39, 60]), bands={"g": [30, 40, 60]})
    assert [group.name for group in result.feature_sets[0].groups] == [("under 30",), ("30–39",), ("60 and over",)]
    assert [group.rows for group in result.feature_sets[0].groups] == [1, 2, 1]
    with_gaps = assess_frame(frame(g=[29.9, float("nan"), 30.0, 45.0]), bands={"g": [30, 40]})
    assert [group.name for group in with_gaps.feature_sets[0].groups] == [
        ("under 30",),
        ("30 to under 40",),
        ("40 and over",),
        ("missing",),
    ]


def test_bands_are_named_by_what_they_hold():
    assert band_labels((18, 19, 30), whole_numbers=True) == ("under 18", "18", "19–29", "30 and over")
    assert band_labels((0.5,), whole_numbers=False) == ("under 0.5", "0.5 and over")


def test_numbers_are_ordered_by_size(assess_frame):
    groups = assess_frame(frame(g=[10, 9, 100, 9])).feature_sets[0].groups
    assert [group.name[0] for group in groups] == ["9", "10", "100"]
