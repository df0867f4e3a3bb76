"""Limits that fit a case, with where they come from. A starting point for a policy, which decides.

**Credit.** Being refused a loan that one would have repaid is the harm, so the false-positive rate (a client who
would repay, predicted to default) is what must be equal: *predictive equality*, and, seen from the loan,
*equal opportunity* (M. Hardt, E. Price, N. Srebro, Equality of Opportunity in Supervised Learning, 2016, with
credit as its example). The share of clients refused at all (*demographic parity*) is limited more loosely, since
groups may differ in how many repay. No law sets 0.04 and 0.10: they are this preset's, to be argued over and
replaced.

Regulation (EU) 2024/1689, Annex III 5(b), makes the assessment of creditworthiness of persons high-risk; its
Article 10(2)(f) asks for an examination of possible biases, without a limit either.
"""

from decimal import Decimal

import msgspec

from fairness.thresholds import Comparison, Harm, Threshold
from fairness.wording import Wording


class Preset(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Limits by metric, and how to speak of the people. A limit of order 1 leaves intersections shown, not judged."""

    name: str
    thresholds: dict[str, Threshold]
    wording: Wording
    minimum_rows: int
    sources: tuple[str, ...]


CREDIT = Preset(
    name="credit",
    thresholds={
        "false_positive_rate": Threshold(Comparison.EXCESS, Decimal("0.04"), Harm.HIGHER, order=1),
        "selection_rate": Threshold(Comparison.DIFFERENCE, Decimal("0.10"), Harm.HIGHER, order=1),
    },
    wording=Wording(
        people="clients",
        outcome_positive="who defaulted",
        outcome_negative="who repaid",
        predicted_positive="refused",
        predicted_negative="accepted",
    ),
    minimum_rows=200,
    sources=(
        "Hardt, Price, Srebro (2016), Equality of Opportunity in Supervised Learning, arXiv:1610.02413",
        "Regulation (EU) 2024/1689, Article 10(2)(f) and Annex III 5(b)",
    ),
)
"""The positive class is default, a positive prediction a refusal."""

PRESETS = {preset.name: preset for preset in (CREDIT,)}
