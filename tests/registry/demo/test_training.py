"""The tour's training: what it writes, logs and promises."""

import hashlib
import sqlite3
import subprocess
import sys
from pathlib import Path

import pandas
import pytest

from registry.catalog.digest import content_digest, manifest_of_folder, manifest_of_uri
from registry.demo import dataset
from registry.demo.dataset import LABEL, MODEL_INPUTS, SENSITIVE_FEATURES
from registry.demo.run_log import code_identity, environment_lock
from registry.demo.training import tracking_uri_in, train
from registry.mlflow.runs import RunUnreadableError, read_folder, read_run

pytestmark = pytest.mark.timeout(300)


def test_the_data_are_the_ones_the_readme_describes():
    readme = (dataset.SOURCE.parent / "README.md").read_text()
    facts = dataset.describe(dataset.read(None))
    assert facts.source_sha256 in readme
    assert (facts.rows, facts.missing_values, facts.duplicate_identifiers, facts.duplicate_rows) == (30_000, 0, 0, 35)
    assert {(one.feature, one.group): one.rows for one in facts.groups}["education", "other"] == 468
    assert {(one.feature, one.group): one.rows for one in facts.groups}["marriage", "other"] == 377


def test_no_sensitive_feature_is_a_model_input(outcome):
    assert not set(MODEL_INPUTS) & {*SENSITIVE_FEATURES, "age", dataset.IDENTIFIER, LABEL}
    facts = read_run(outcome.logged.run_id, outcome.logged.tracking_uri)
    assert not any(f'"{name}"' in facts.signature_json for name in (*SENSITIVE_FEATURES, "age", LABEL))


def test_the_parts_share_no_client_and_lose_none(outcome):
    training, holdout = (pandas.read_parquet(part.path) for part in (outcome.training, outcome.holdout))
    assert not set(training["id"]) & set(holdout["id"])
    assert (len(training), len(holdout)) == (2100, 900)
    assert abs(training[LABEL].mean() - holdout[LABEL].mean()) < 0.01


def test_the_same_rows_are_the_same_bytes(outcome, tmp_path):
    training, holdout = dataset.divide(dataset.read(3000))
    assert dataset.write_part(training, tmp_path / "a").sha256 == outcome.training.sha256
    assert dataset.write_part(holdout, tmp_path / "b").sha256 == outcome.holdout.sha256
    assert dataset.write_part(holdout.iloc[1:], tmp_path / "c").sha256 != outcome.holdout.sha256


def test_predictions_follow_from_scores_and_threshold(outcome):
    predicted = pandas.read_parquet(outcome.predictions)
    assert hashlib.sha256(outcome.predictions.read_bytes()).hexdigest() == outcome.predictions_sha256
    assert ((predicted["score"] >= outcome.threshold) == (predicted["prediction"] == 1)).all()
    assert {*SENSITIVE_FEATURES, LABEL} <= set(predicted.columns)
    decided, true = predicted["prediction"] == 1, predicted[LABEL] == 1
    assert outcome.evaluation.confusion.true_positives == (decided & true).sum()
    assert outcome.evaluation.recall == pytest.approx((decided & true).sum() / true.sum())
    assert outcome.evaluation.precision == pytest.approx((decided & true).sum() / decided.sum())
    assert outcome.evaluation.accuracy == pytest.approx((decided == true).mean())
    assert outcome.evaluation.brier == pytest.approx(((predicted["score"] - predicted[LABEL]) ** 2).mean())


def test_the_logged_model_takes_the_same_decisions(outcome):
    import skops.io

    from registry.demo.run_log import TRUSTED_TYPES

    file = next(path for path in _artifacts(outcome).iterdir() if path.name == "model.skops")
    assert set(skops.io.get_untrusted_types(file=file)) <= set(TRUSTED_TYPES)
    model = skops.io.load(file, trusted=TRUSTED_TYPES)
    predicted = pandas.read_parquet(outcome.predictions)
    assert (model.predict(predicted[list(MODEL_INPUTS)].astype("float64")) == predicted["prediction"]).all()


def test_the_best_candidate_is_chosen_and_beats_the_prior(outcome):
    assert [one.name for one in outcome.candidates] == ["prior", "logistic-regression", "gradient-boosting"]
    assert outcome.chosen.roc_auc_mean == max(one.roc_auc_mean for one in outcome.candidates) > 0.7
    assert outcome.repeatable


def test_each_step_is_reported_and_nothing_printed(outcome, steps):
    assert len(steps) == 6
    assert steps[0].startswith("Reading")
    assert "MLflow" in steps[-1]


def test_mlflow_knows_all_that_lineage_needs(outcome):
    facts = read_run(outcome.logged.run_id, outcome.logged.tracking_uri)
    assert facts == read_run(f"runs:/{outcome.logged.run_id}/credit-default", outcome.logged.tracking_uri)
    assert facts == read_run(outcome.logged.model_uri, outcome.logged.tracking_uri)
    assert facts.framework == "sklearn"
    assert facts.framework_version
    assert [(one.context, one.sha256) for one in facts.datasets] == [
        ("training", outcome.training.sha256),
        ("test", outcome.holdout.sha256),
    ]
    assert [one.uri for one in facts.datasets] == [outcome.training.path.as_uri(), outcome.holdout.path.as_uri()]
    assert facts.environment.sha256 == outcome.logged.environment_sha256
    assert facts.code.revision == outcome.logged.code_revision == code_identity().revision
    assert dict(facts.parameters)["threshold"] == str(outcome.threshold)
    assert float(dict(facts.metrics)["holdout_roc_auc"]) == outcome.evaluation.roc_auc
    assert facts.started_at < facts.ended_at
    assert facts.size_bytes == sum(path.stat().st_size for path in _artifacts(outcome).iterdir())


def test_the_model_location_can_be_digested_below_its_root(outcome, directory):
    facts = read_run(outcome.logged.run_id, outcome.logged.tracking_uri)
    digest = content_digest(manifest_of_uri(facts.source_uri, [str(directory)]))
    assert digest == content_digest(manifest_of_folder(_artifacts(outcome)))


def test_a_model_folder_tells_the_same_as_its_run(outcome):
    folder, run = read_folder(_artifacts(outcome)), read_run(outcome.logged.run_id, outcome.logged.tracking_uri)
    for name in ("source_uri", "framework", "framework_version", "signature_json", "size_bytes", "run_id", "model_id"):
        assert getattr(folder, name) == getattr(run, name), name
    assert folder.metrics == ()
    assert folder.environment.name == "requirements.txt"


def test_the_tracking_store_names_no_person(outcome):
    import getpass

    with sqlite3.connect(outcome.logged.tracking_uri.removeprefix("sqlite:///")) as database:
        tags = dict(database.execute("SELECT key, value FROM tags"))
    assert "mlflow.user" not in tags
    assert getpass.getuser() not in tags.values()


@pytest.mark.parametrize(
    "name, says",
    [
        ("0" * 32, "0000"),
        ("models:/m-unknown", "m-unknown"),
        ("models:/credit/3", "registered model"),
        ("runs:/{run}/other", "credit-default"),
    ],
)
def test_a_run_that_cannot_be_read_is_named_with_a_remedy(outcome, name, says):
    with pytest.raises(RunUnreadableError, match=says):
        read_run(name.format(run=outcome.logged.run_id), outcome.logged.tracking_uri)


def test_a_run_without_a_model_says_so(outcome):
    from registry.mlflow.tracking import tracking

    with tracking(outcome.logged.tracking_uri) as client:
        run = client.create_run("0")
    with pytest.raises(RunUnreadableError, match="0 models instead of one"):
        read_run(run.info.run_id, outcome.logged.tracking_uri)


def test_the_environment_lock_is_sorted_and_names_each_distribution_once():
    lines = environment_lock().splitlines()
    assert lines == sorted(set(lines))
    assert any(line.startswith("mlflow==") for line in lines)
    assert any(line.startswith("python==") for line in lines)


def test_importing_the_training_loads_nothing_heavy():
    heavy = "mlflow", "pandas", "numpy", "sklearn", "pyarrow", "skops"
    program = f"import sys, registry.demo.training, registry.demo.documents; print(*set({heavy}) & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


@pytest.mark.slow
def test_the_whole_data_give_the_same_model_twice(tmp_path):
    first, second = (
        train(tmp_path / name, tracking_uri_in(tmp_path / name), "credit default", lambda step: None)
        for name in ("first", "second")
    )
    assert first.training.rows == 21_000
    assert (first.evaluation, first.threshold, first.candidates) == (
        second.evaluation,
        second.threshold,
        second.candidates,
    )
    assert first.predictions_sha256 == second.predictions_sha256


def _artifacts(outcome) -> Path:
    from urllib.parse import unquote, urlsplit

    return Path(unquote(urlsplit(outcome.logged.artifact_uri).path))
