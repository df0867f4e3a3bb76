"""What is drawn: well-formed, without styles for the web, and where the numbers say."""

import re
from decimal import Decimal
from xml.etree import ElementTree

import pandas as pd
import pytest

from fairness import Comparison, Harm, Theme, Threshold, chart_table
from fairness.errors import SettingError
from fairness.metrics import METRICS

HOSTILE = "<script>alert(1)</script> & \"'"


def drawings(table):
    return [table.head_svg, table.axis_svg, *(row.svg for band in table.bands for row in band.rows)]


@pytest.mark.parametrize("theme", list(Theme))
@pytest.mark.parametrize("metric", list(METRICS))
@pytest.mark.parametrize("order", [1, 2])
def test_drawings_are_well_formed_and_carry_no_style(credit_assessment, metric, order, theme):
    table = chart_table(credit_assessment, metric, order=order, theme=theme)
    assert sum(len(band.rows) for band in table.bands) == sum(
        len(each.groups) for each in credit_assessment.of_order(order)
    )
    for drawing in drawings(table):
        tree = ElementTree.fromstring(drawing)
        for element in tree.iter():
            assert element.tag.rpartition("}")[2] in {"svg", "line", "circle", "text"}
            assert "style" not in element.attrib
            colours = {"fill", "stroke"} & set(element.attrib)
            assert theme is Theme.PRINT or not colours
            assert all(re.fullmatch("#[0-9a-f]{6}", element.attrib[name]) for name in colours)
            for name in ("x", "x1", "x2", "cx"):
                place = float(element.attrib.get(name, "0").rstrip("%"))
                assert -3 <= place <= (100 if theme is Theme.WEB else 195)


def excess(assess_frame, harm, limit="0.04"):
    data = pd.DataFrame({"y": 0, "p": [1] * 10 + [0] * 90 + [1] * 20 + [0] * 80, "g": ["a"] * 100 + ["b"] * 100})
    data = pd.concat([data, pd.DataFrame({"y": [1], "p": [1], "g": ["a"]})])
    thresholds = {"false_positive_rate": Threshold(Comparison.EXCESS, Decimal(limit), harm)}
    return assess_frame(data, thresholds=thresholds, minimum_rows=50)


def test_point_interval_and_limit_stand_where_the_numbers_say(assess_frame):
    table = chart_table(excess(assess_frame, Harm.HIGHER), "false_positive_rate")
    last = float(re.findall(r">(\d+)\u202f%</text>", table.axis_svg)[0]) / 100
    row = table.bands[0].rows[1]
    assert (row.label, row.base, row.rate_text) == ("b", 100, "20.0\u202f%")
    drawn = {element.get("class"): element for element in ElementTree.fromstring(row.svg)}
    assert float(drawn["point"].get("cx").rstrip("%")) == pytest.approx(0.20 / last * 100, abs=0.01)
    assert float(drawn["limit"].get("x1").rstrip("%")) == pytest.approx(0.19 / last * 100, abs=0.01)
    assert float(drawn["ref"].get("x1").rstrip("%")) == pytest.approx(0.15 / last * 100, abs=0.01)
    assert float(drawn["interval"].get("x1").rstrip("%")) == pytest.approx(row.low / last * 100, abs=0.01)
    assert "all 15.0\u202f%" in table.head_svg
    assert "limit 19.0\u202f%" in table.head_svg


@pytest.mark.parametrize("harm, lines", [(Harm.HIGHER, 1), (Harm.LOWER, 1), (Harm.EITHER, 2)])
def test_a_limit_on_either_side_is_drawn_twice(assess_frame, harm, lines):
    table = chart_table(excess(assess_frame, harm), "false_positive_rate")
    assert table.bands[0].rows[0].svg.count('class="limit"') == lines
    assert ("limits" in table.caption) == (lines == 2)


def test_too_few_is_dashed_and_no_pass(credit_assessment):
    table = chart_table(credit_assessment, "false_positive_rate")
    (row,) = (row for band in table.bands for row in band.rows if band.title == "Marriage" and row.label == "other")
    assert row.verdict != "too few"  # 288 who repaid: enough for this rate
    table = chart_table(credit_assessment, "true_positive_rate")
    (row,) = (row for band in table.bands for row in band.rows if band.title == "Marriage" and row.label == "other")
    assert (row.verdict, row.state, row.base) == ("too few", "open", 89)
    assert "interval few" in row.svg


def test_a_group_without_a_base_has_neither_point_nor_interval(assess_frame):
    data = pd.DataFrame({"y": [0, 1, 1, 1], "p": [0, 1, 0, 1], "g": ["a", "a", "b", "b"]})
    row = chart_table(assess_frame(data), "false_positive_rate").bands[0].rows[1]
    assert (row.rate_text, row.interval_text, row.state) == ("–", "–", "open")
    assert "point" not in row.svg
    assert "interval" not in row.svg


def test_texts_of_the_data_stay_out_of_the_drawings_and_are_escaped_in_a_notebook(assess_frame):
    data = pd.DataFrame({"y": [0, 1, 0, 1], "p": [0, 1, 1, 0], HOSTILE: ["a", "a", HOSTILE, HOSTILE]})
    result = assess_frame(data, sensitive=[HOSTILE])
    for theme in Theme:
        assert not any("script" in drawing for drawing in drawings(chart_table(result, "accuracy", theme=theme)))
    page = result._repr_html_()
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    ElementTree.fromstring(page)


def test_a_metric_without_a_chart_is_refused_by_name(credit_assessment):
    with pytest.raises(SettingError, match="equalized_odds"):
        chart_table(credit_assessment, "equalized_odds")
