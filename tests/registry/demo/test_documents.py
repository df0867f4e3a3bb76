"""The tour's documents hold the numbers of the training that they describe."""

from dataclasses import replace

import pytest
from markdown_it import MarkdownIt

from registry.demo.documents import data_preparation, model_selection, quality_assurance, write_documents

pytestmark = pytest.mark.timeout(300)


def test_three_documents_are_written(outcome, tmp_path):
    written = write_documents(outcome, tmp_path / "documents")
    assert sorted(path.name for path in (tmp_path / "documents").iterdir()) == [
        "data-preparation.md",
        "model-selection.md",
        "qa.md",
    ]
    assert written.qa.read_text() == quality_assurance(outcome)


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


@pytest.mark.parametrize("write", [data_preparation, model_selection, quality_assurance])
def test_every_table_is_a_table_to_a_reader_of_markdown(outcome, write):
    html = MarkdownIt("commonmark").enable("table").render(write(outcome))
    assert html.count("<table>") >= 1
    assert "| ---" not in html
