"""What others than the developer write in the tour: validation, impact on people, threats.

The figures come from this run. What only an organisation can say is left open, and the text says so.
"""

from registry.demo.dataset import IDENTIFIER, MODEL_INPUTS, SENSITIVE_FEATURES
from registry.demo.markdown import columns, passed, percent, table
from registry.demo.training import TrainingOutcome
from registry.demo.validation import Validation

OPEN = "*Tour: an organisation answers this for its own case.*"


def validation_report(outcome: TrainingOutcome, found: Validation) -> str:
    """The hold-out figures computed again, as Markdown."""
    figures = table(
        ("Figure", "Logged by the run", "Computed again", "Result"),
        [(one.name, f"{one.logged:.6f}", f"{one.found:.6f}", passed(one.same)) for one in found.figures],
    )
    checks = table(
        ("Check", "Found", "Result"),
        [
            (
                "The files are those of the lineage",
                "equal" if found.digests_match else "different",
                passed(found.digests_match),
            ),
            ("No client is in both parts", f"{found.clients_in_both:,}", passed(found.clients_in_both == 0)),
            ("Predictions are of the hold-out rows", f"{found.changed_rows:,} differ", passed(found.changed_rows == 0)),
        ],
    )
    verdict = "confirms" if found.confirmed else "does **not** confirm"
    return f"""# Independent validation report

Written by a validator who neither trained nor registered the version. The figures were computed again in SQL from the
files that the version's lineage names, on {found.rows:,} hold-out rows, without the code that trained the model. This
report **{verdict}** what the run logged.

## Figures

{figures}

## Data

{checks}

## What was not looked at

Whether the purpose is right, and how the model does on clients of today: {OPEN}

Chosen model: {outcome.chosen.name}, run `{outcome.logged.run_id}`.
"""


def threat_model() -> str:
    """What an attacker could want, by the interfaces that the model has, as Markdown."""
    threats = table(
        ("Threat", "What is done about it"),
        [
            (
                "The artifact is exchanged in the store",
                "Its content digest is registered, and compared before moves.",
            ),
            ("Loading the artifact runs foreign code", "It is saved as skops, and its types are checked."),
            ("Training data are altered before training", "Both parts are named by SHA-256 in the lineage."),
            ("A client shapes inputs to be scored low", f"{len(MODEL_INPUTS)} inputs come from the bank's own books."),
            ("The model is copied by asking it often", OPEN),
            ("Scores tell something about single persons", OPEN),
            ("A caller without a right asks for scores", OPEN),
        ],
    )
    return f"""# Threat model

## What is protected

The decision about a client, the clients' data, and the model's bytes.

## Threats

{threats}

## What is left

Whoever may write to the bank's books may move scores. {OPEN}
"""


def data_protection_impact(outcome: TrainingOutcome) -> str:
    """Which personal data are used and what follows, after Article 35(7) of the GDPR, as Markdown."""
    return f"""# Data protection impact assessment

Sections as Article 35(7) of the General Data Protection Regulation names them.

## (a) The processing and its purposes

{outcome.data.rows:,} clients of one bank, {len(outcome.data.columns)} columns each. The model reads
{len(MODEL_INPUTS)} of them ({columns(MODEL_INPUTS)}). It estimates the probability of a default so that a credit
officer can decide whom to call.

## (b) Necessity and proportionality

The identifier `{IDENTIFIER}`, `age` and {columns(SENSITIVE_FEATURES)} are no inputs. They are kept beside, because
unfair effects by proxy are found only with them. Lawful basis, period of storage and notice to the clients: {OPEN}

## (c) Risks to the clients

A client who would have paid is called: {outcome.evaluation.confusion.false_positives:,} of
{outcome.holdout.rows:,} on the hold-out rows. Access by others, and use for another purpose: {OPEN}

## (d) Measures

A person decides on each client and can set the score aside. The bias assessment compares the groups. Further measures,
and the advice of the data protection officer: {OPEN}
"""


def fundamental_rights_impact(outcome: TrainingOutcome) -> str:
    """Who is affected and how, after Article 27(1) of the EU AI Act, as Markdown."""
    groups = table(
        ("Feature", "Group", "Clients", "Share"),
        [
            (one.feature, one.group, f"{one.rows:,}", percent(one.rows / outcome.data.rows))
            for one in outcome.data.groups
        ],
    )
    return f"""# Fundamental rights impact assessment

Sections as Article 27(1) of the EU AI Act names them; systems that evaluate the creditworthiness of natural persons
(Annex III, point 5(b)) are among those of which it asks one.

## (a) The process in which it is used

A credit officer sees the score beside the present scorecard before a call.

## (b) Period and frequency

{OPEN}

## (c) Persons and groups that are likely to be affected

{groups}

## (d) Specific risks of harm

A wrong call costs a client time and trust, and may lead to a lower limit. Whether groups are hit differently is the
bias assessment's part.

## (e) Human oversight

The officer decides, and can set the score aside. {OPEN}

## (f) What happens if the risks materialise

Complaints, governance and going back: {OPEN}
"""
