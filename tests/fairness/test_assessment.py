"""The result as a document: JSON, schema, frame; and what importing costs."""

import json
import subprocess
import sys
from importlib.resources import files

import pytest

from fairness import CREDIT, Verdict, from_json
from fairness.assessment import json_schema
from fairness.errors import SourceError


def test_json_reads_back_as_the_same_assessment(credit_assessment):
    text = credit_assessment.to_json()
    assert from_json(text) == credit_assessment
    assert from_json(text).to_json() == text


@pytest.mark.parametrize("change", [{"format": "other/1"}, {"verdict": "fine"}, {"invented": 1}, {"confidence": "x"}])
def test_json_of_another_shape_is_refused(credit_assessment, change):
    with pytest.raises(SourceError):
        from_json(json.dumps({**json.loads(credit_assessment.to_json()), **change}))
    with pytest.raises(SourceError):
        from_json("{")


def test_the_schema_beside_the_code_is_that_of_the_code():
    assert files("fairness").joinpath("assessment.schema.json").read_text() == json_schema()


def test_measured_numbers_have_twelve_digits(credit_assessment):
    def numbers(value):
        if isinstance(value, float):
            yield value
        elif isinstance(value, dict | list):
            for each in value.values() if isinstance(value, dict) else value:
                yield from numbers(each)

    found = list(numbers(json.loads(credit_assessment.to_json())))
    assert len(found) > 1_000
    assert all(number == float(f"{number:.12g}") for number in found)


def test_it_says_what_was_assessed_and_with_what(credit_assessment):
    assert credit_assessment.source.rows == 30_000
    assert set(credit_assessment.versions) == {"fairness", "fairlearn", "duckdb"}
    assert credit_assessment.bands == {"age": (30, 40, 50, 60)}
    assert credit_assessment.roles.sensitive == ("sex", "education", "marriage", "age")
    # The groups of age 60 and over, or of another education, are too few to judge in some metric.
    assert credit_assessment.verdict is not Verdict.PASS


def test_the_frame_has_a_row_for_each_rate(credit_assessment):
    frame = credit_assessment.to_frame()
    rates = sum(len(group.rates) for each in credit_assessment.feature_sets for group in each.groups)
    assert len(frame) == rates
    row = frame[(frame["group"] == "female × married") & (frame["metric"] == "accuracy")]
    assert row["features"].tolist() == ["sex × marriage"]


def test_a_preset_names_its_sources_and_leaves_intersections_unjudged():
    assert CREDIT.sources
    assert not any(threshold.judges(2) for threshold in CREDIT.thresholds.values())


def test_importing_the_package_loads_no_heavy_library():
    heavy = "{'numpy', 'pandas', 'pyarrow', 'duckdb', 'sklearn', 'fairlearn', 'scipy', 'registry'}"
    program = f"import sys, fairness; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
