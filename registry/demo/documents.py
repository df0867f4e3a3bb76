"""What the developer of the tour writes, made from what the training counted and measured."""

from registry.demo.dataset import AGE_BANDS, HOLDOUT_SHARE, LABEL, MODEL_INPUTS, SENSITIVE_FEATURES, Part
from registry.demo.markdown import columns, passed, percent, table
from registry.demo.training import SELECTION_RULE, THRESHOLD_RULE, TrainingOutcome


def data_preparation(outcome: TrainingOutcome) -> str:
    """Source, contents, preparation and division of the data, as Markdown."""
    data = outcome.data
    groups = table(
        ("Feature", "Group", "Rows", "Share", "Defaulted"),
        [
            (one.feature, one.group, f"{one.rows:,}", percent(one.rows / data.rows), percent(one.default_rate))
            for one in data.groups
        ],
    )
    parts = table(
        ("Part", "Rows", "Defaulted", "SHA-256"),
        [_part_row("training", outcome.training), _part_row("hold-out", outcome.holdout)],
    )
    return f"""# Data preparation

## Source

*Default of Credit Card Clients*, I-Cheng Yeh, UCI Machine Learning Repository no. 350
(<https://doi.org/10.24432/C55S3H>), CC BY 4.0. Clients of one bank in Taiwan, April to September 2005. The file used
has the SHA-256 `{data.source_sha256}`.

{data.rows:,} rows are used, with {len(data.columns)} columns after preparation. The label is `{LABEL}`: 1 means that
the client defaulted in the following month.

## What was found

- Missing values: {data.missing_values:,}.
- Identifiers that occur twice: {data.duplicate_identifiers:,}.
- Rows that repeat another one in everything but the identifier: {data.duplicate_rows:,}. They are kept: clients with
  an unused card look alike.
- Rows with a repayment state of -2 or 0 in some month, which the source does not document:
  {data.undocumented_payment_codes:,}. They are kept as numbers below 1, the first month of delay.
- Class balance: {percent(data.default_rate)} of the clients defaulted.

## Groups

{groups}

Undocumented codes of education and marriage are the group `other`.

## What was done

1. `age_band` was derived from `age`: {", ".join(AGE_BANDS)}.
2. The model inputs were read as floating point: {len(MODEL_INPUTS)} columns ({columns(MODEL_INPUTS)}).
3. Left out of the inputs: the identifier, `age`, and the sensitive features {columns(SENSITIVE_FEATURES)}. A lender
   could not defend an answer that depends on them. They stay in the files, because unfairness by proxy can only be
   found with them.
4. No row was removed and no value imputed, capped or reweighted.

## Division

{percent(1 - HOLDOUT_SHARE)} training and {percent(HOLDOUT_SHARE)} hold-out rows, drawn at random with the same share
of defaults (seed {outcome.seed}).

{parts}

## Known limits

The data are from one bank, one country and six months of 2005, in a credit crisis. They hold only clients who had been
granted credit. Nothing in them tells how the model would do elsewhere or today.
"""


def model_selection(outcome: TrainingOutcome) -> str:
    """Candidates, the choice among them and the operating threshold, as Markdown."""
    candidates = table(
        ("Candidate", "Settings", "ROC AUC", "Average precision", "Brier score"),
        [
            (
                one.name,
                one.description,
                f"{one.roc_auc_mean:.4f} ± {one.roc_auc_deviation:.4f}",
                f"{one.average_precision_mean:.4f} ± {one.average_precision_deviation:.4f}",
                f"{one.brier_mean:.4f}",
            )
            for one in outcome.candidates
        ],
    )
    chosen = outcome.chosen
    others = [one for one in outcome.candidates if one is not chosen]
    runner_up = max(others, key=lambda one: one.roc_auc_mean)
    lead = chosen.roc_auc_mean - runner_up.roc_auc_mean
    return f"""# Model selection

## Candidates

Stratified cross-validation with {outcome.folds} folds on the {outcome.training.rows:,} training rows (seed
{outcome.seed}); mean and standard deviation over the folds. The hold-out rows had no part in it.

{candidates}

## Choice

Rule, set beforehand: {SELECTION_RULE}. Chosen: **{chosen.name}** ({chosen.description}), with a lead of {lead:.4f} over
{runner_up.name}, {_lead_in_words(lead, chosen.roc_auc_deviation)}

## Operating threshold

A default is predicted from a score of **{outcome.threshold}** on. Rule: {THRESHOLD_RULE}. It weighs a missed default
and a false alarm by their shares of the two classes; a lender that knows the cost of each should set another. The
threshold is part of the logged model, so that whoever loads it takes the same decisions.

## Format

Logged to MLflow as `{outcome.logged.model_uri}` (run `{outcome.logged.run_id}`) in the skops format, which loads
only types that the reader trusts. Environment: `environment.lock` of the run, SHA-256
`{outcome.logged.environment_sha256}`. Code: {outcome.logged.code_repository}, `{outcome.logged.code_revision}`.
"""


def quality_assurance(outcome: TrainingOutcome) -> str:
    """Hold-out results and checks that could have failed, as Markdown."""
    result = outcome.evaluation
    confusion = result.confusion
    figures = table(("Metric", "Hold-out"), [(name, f"{value:.4f}") for name, value in result.metrics().items()])
    matrix = table(
        ("", "Predicted: pays", "Predicted: defaults"),
        [
            ("Paid", f"{confusion.true_negatives:,}", f"{confusion.false_positives:,}"),
            ("Defaulted", f"{confusion.false_negatives:,}", f"{confusion.true_positives:,}"),
        ],
    )
    checks = table(("Check", "Found", "Result"), [(name, found, passed(ok)) for name, found, ok in _checks(outcome)])
    scores = table(
        ("Least", "Lower quartile", "Median", "Upper quartile", "Greatest"),
        [tuple(f"{value:.4f}" for value in result.score_quantiles)],
    )
    return f"""# Quality assurance

The chosen model ({outcome.chosen.name}, threshold {outcome.threshold}) on the {outcome.holdout.rows:,} hold-out rows,
which were looked at once, after the choice.

## Results

{figures}

## Decisions

{matrix}

## Scores

{scores}

## Checks

{checks}

{outcome.split.identical_rows:,} hold-out rows equal a training row in all model inputs and the label. They are other
clients, mostly with an unused card; they make the hold-out figures slightly kind.

Fairness is not judged here: that is the bias assessment's part.
"""


def _checks(outcome: TrainingOutcome) -> list[tuple[str, str, bool]]:
    """Name, what was found, and whether that is as it should be."""
    result, chosen = outcome.evaluation, outcome.chosen
    tolerance = max(0.02, 3 * chosen.roc_auc_deviation)
    gap = abs(result.roc_auc - chosen.roc_auc_mean)
    least, *_, greatest = result.score_quantiles
    shift = abs(outcome.training.default_rate - outcome.holdout.default_rate)
    beaten = result.average_precision > outcome.holdout.default_rate and result.roc_auc > 0.5
    parts = outcome.training.rows + outcome.holdout.rows
    shared = outcome.split.shared_identifiers
    return [
        ("No client is in both parts", f"{shared:,} shared identifiers", shared == 0),
        ("No row was lost", f"{parts:,} of {outcome.data.rows:,} rows", parts == outcome.data.rows),
        ("No value is missing", f"{outcome.data.missing_values:,}", outcome.data.missing_values == 0),
        ("Both parts have the same share of defaults", f"difference {shift:.4f}", shift < 0.01),
        ("Better than the share of defaults for everybody", f"ROC AUC {result.roc_auc:.4f}", beaten),
        (
            f"Hold-out as in cross-validation (within {tolerance:.3f})",
            f"ROC AUC differs by {gap:.4f}",
            gap <= tolerance,
        ),
        ("Scores are probabilities and differ", f"{least:.4f} to {greatest:.4f}", 0 <= least < greatest <= 1),
        ("A second fit gives the same scores", "equal" if outcome.repeatable else "different", outcome.repeatable),
    ]


def _lead_in_words(lead: float, deviation: float) -> str:
    if lead > 2 * deviation:
        return f"more than twice the deviation between folds ({deviation:.4f})."
    return f"which is not clearly more than the deviation between folds ({deviation:.4f})."


def _part_row(name: str, part: Part) -> tuple[str, ...]:
    return (name, f"{part.rows:,}", percent(part.default_rate), f"`{part.sha256}`")
