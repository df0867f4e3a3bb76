"""The tour's documents hold the numbers of the training that they describe."""

from dataclasses import replace

import pandas
import pytest
from markdown_it import MarkdownIt

from registry.access.actor import Role
from registry.demo.documents import data_preparation, model_selection, quality_assurance
from registry.demo.review_documents import fundamental_rights_impact, validation_report
from registry.demo.validation import validate
from registry.demo.writing import documents_of
from registry.policy.policy import DocumentNeeded, parse
from registry.resources import default_policy_path

pytestmark = pytest.mark.timeout(300)

DEFAULT = parse(default_policy_path().read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def validation(outcome):
    return validate(outcome)


def test_every_kind_that_the_default_policy_asks_for_is_written_and_signed_off_by_one_who_may(outcome):
    written = {one.kind: one for one in documents_of(outcome)}
    asked = {need.kind for item in DEFAULT.items.values() if isinstance(need := item.shown, DocumentNeeded)}
    assert asked | {"validation-report", "data-protection-impact", "fundamental-rights-impact"} == set(written)
    for one in written.values():
        assert one.signer in DEFAULT.document_kinds[one.kind].signed_off_by
        assert one.signer is not one.author


def test_the_validation_report_is_by_a_validator_who_computed_each_figure_again(outcome, validation):
    report = next(one for one in documents_of(outcome) if one.kind == "validation-report")
    assert report.author is Role.VALIDATOR
    assert validation.confirmed
    assert validation.rows == 900
    for figure in validation.figures:
        assert f"| {figure.name} | {figure.logged:.6f} | {figure.found:.6f} | passed |" in report.text


def test_the_validation_finds_a_figure_that_is_not_that_of_the_files(outcome):
    embellished = replace(outcome, evaluation=replace(outcome.evaluation, roc_auc=outcome.evaluation.roc_auc + 1e-6))
    found = validate(embellished)
    assert [figure.name for figure in found.figures if not figure.same] == ["roc_auc"]
    assert "does **not** confirm" in validation_report(embellished, found)


def test_the_validation_finds_a_client_in_both_parts_and_another_file(outcome):
    leaking = replace(outcome, training=replace(outcome.training, path=outcome.holdout.path))
    found = validate(leaking)
    assert (found.clients_in_both, found.digests_match, found.confirmed) == (900, False, False)


def test_the_validation_finds_predictions_of_other_rows(outcome, tmp_path):
    other = tmp_path / "predictions.parquet"
    frame = pandas.read_parquet(outcome.predictions)
    frame.loc[frame.index[:3], "limit_bal"] += 1
    frame.drop(index=frame.index[-1]).to_parquet(other)
    assert validate(replace(outcome, predictions=other)).changed_rows == 4


def test_the_impact_assessment_counts_each_group_of_affected_persons(outcome):
    text = fundamental_rights_impact(outcome)
    for group in outcome.data.groups:
        assert f"| {group.feature} | {group.group} | {group.rows:,} |" in text


def test_data_preparation_states_counts_balance_and_division(outcome):
    text = data_preparation(outcome)
    for stated in ("3,000 rows", "Missing values: 0", "| training | 2,100 |", "| hold-out | 900 |", "CC BY 4.0"):
        assert stated in text
    assert f"{100 * outcome.data.default_rate:.1f} % of the clients" in text
    assert outcome.holdout.sha256 in text


def test_model_selection_states_each_candidate_and_the_threshold(outcome):
    text = model_selection(outcome)
    for candidate in outcome.candidates:
        assert f"{candidate.roc_auc_mean:.4f} ± {candidate.roc_auc_deviation:.4f}" in text
    assert f"**{outcome.threshold}**" in text
    assert outcome.logged.run_id in text


def test_qa_states_metrics_and_passes_its_checks(outcome):
    text = quality_assurance(outcome)
    assert f"| holdout_roc_auc | {outcome.evaluation.roc_auc:.4f} |" in text
    assert f"{outcome.evaluation.confusion.false_negatives:,}" in text
    assert text.count("| passed |") == 8
    assert "failed" not in text


def test_qa_shows_a_leak_and_a_fit_that_cannot_be_repeated(outcome):
    leaking = replace(outcome, split=replace(outcome.split, shared_identifiers=7), repeatable=False)
    text = quality_assurance(leaking)
    assert "| No client is in both parts | 7 shared identifiers | **failed** |" in text
    assert text.count("**failed**") == 2


def test_every_table_is_a_table_to_a_reader_of_markdown(outcome):
    tables = {}
    for one in documents_of(outcome):
        html = MarkdownIt("commonmark").enable("table").render(one.text)
        tables[one.kind] = html.count("<table>")
        assert "| ---" not in html
    assert sum(tables.values()) == 11
