"""Facts from folders, and the small rules of reading runs; whole runs are read in the tests of the training."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.mlflow.runs import RunUnreadableError, _plain_uri, decimal_string, read_folder, without_credentials


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_decimal_string_reads_back_as_the_same_float(value):
    text = decimal_string(value)
    assert float(text) == value
    assert "e" not in text.lower()


def test_a_decimal_string_is_the_shortest():
    assert [decimal_string(value) for value in (0.1 + 0.2, 1e-07, 5.0)] == ["0.30000000000000004", "0.0000001", "5.0"]
    assert Decimal(decimal_string(float("nan"))).is_nan()
    assert decimal_string(float("-inf")) == "-Infinity"


def test_any_folder_is_a_model_of_unknown_framework(tmp_path):
    (tmp_path / "weights.bin").write_bytes(b"12345")
    facts = read_folder(tmp_path)
    assert (facts.framework, facts.framework_version, facts.signature_json) == ("unknown", None, None)
    assert facts.size_bytes == 5
    assert facts.source_uri == tmp_path.as_uri()
    assert facts.environment is None


def test_a_model_with_only_a_python_function_says_so(tmp_path):
    (tmp_path / "MLmodel").write_text("flavors:\n  python_function:\n    loader_module: mine\n")
    assert read_folder(tmp_path).framework == "python_function"


def test_the_framework_is_the_flavor_that_is_not_python_function(tmp_path):
    (tmp_path / "MLmodel").write_text(
        "flavors:\n  python_function: {}\n  xgboost:\n    xgboost_version: 3.1.0\n"
        'signature:\n  inputs: \'[{"name": "a", "type": "double"}]\'\n  outputs: null\n'
    )
    facts = read_folder(tmp_path)
    assert (facts.framework, facts.framework_version) == ("xgboost", "3.1.0")
    assert facts.signature_json == '{"inputs": [{"name": "a", "type": "double"}]}'


@pytest.mark.parametrize("text", ["{", "[]", "flavors: 3", "signature: {inputs: '{'}"])
def test_a_broken_mlmodel_file_is_named(tmp_path, text):
    (tmp_path / "MLmodel").write_text(text)
    with pytest.raises(RunUnreadableError, match="MLmodel"):
        read_folder(tmp_path)


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(RunUnreadableError, match="nowhere"):
        read_folder(tmp_path / "nowhere")


def test_files_behind_a_tracking_server_get_a_remedy():
    with pytest.raises(RunUnreadableError, match="mlflow artifacts download"):
        _plain_uri("mlflow-artifacts:/1/models/m-1/artifacts")


def test_plain_locations_become_uris():
    assert _plain_uri("/data/my model") == "file:///data/my%20model"
    assert _plain_uri("s3://bucket/model/") == "s3://bucket/model"


@pytest.mark.parametrize(
    "uri, kept",
    [
        ("postgresql://acta:secret@db:5432/mlflow", "postgresql://db:5432/mlflow"),
        ("https://token@example.org/team/code.git", "https://example.org/team/code.git"),
        ("ssh://git@example.org/team/code.git", "ssh://git@example.org/team/code.git"),
        ("git@example.org:team/code.git", "git@example.org:team/code.git"),
        ("sqlite:////data/mlflow.db", "sqlite:////data/mlflow.db"),
    ],
)
def test_no_secret_in_a_uri_is_kept(uri, kept):
    assert without_credentials(uri) == kept
