"""What a version in production lacks, since when, and what it will lack by a later day: from an evaluated gate. No I/O.

A gate is a function of evidence and time, so what comes is found by evaluating the same evidence at later times: a
requirement that is met goes on being met until one instant, and never again without new evidence.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from registry.lapses.rules import Lacking
from registry.policy.evidence import Attested, Checked, Documented, Evidence
from registry.policy.gate import Gate, ItemResult

PERIODIC_REVIEW = "periodic-review"
"""The requirement that somebody looks at the version again from time to time."""

_PRECISION = timedelta(seconds=1)


@dataclass(frozen=True)
class Standing:
    """How a version stands at the gate through which it entered production."""

    evidence: Evidence
    evaluate: Callable[[datetime], Gate]
    """The gate as of an instant, on this evidence."""
    ended_waivers: Mapping[str, datetime]
    """When the last waiver of an item or finding ended."""
    review_due_at: datetime | None
    """By when it is reviewed again; None where the policy sets no period."""


@dataclass(frozen=True)
class Coming:
    """A requirement that is met now, and from `at` on will not be."""

    requirement: str
    title: str
    reason: str
    at: datetime


def lacking(standing: Standing, now: datetime) -> dict[str, Lacking]:
    """What the version shows no longer at `now`, by requirement."""
    gate = standing.evaluate(now)
    results = {result.item.id: result for result in gate.items}
    opened = {finding.key: finding.opened_at for finding in standing.evidence.unclosed}
    found = {
        missing.id: Lacking(
            missing.title,
            missing.reason,
            _since(results.get(missing.id), opened.get(missing.id), standing.ended_waivers.get(missing.id), now),
        )
        for missing in gate.lacking
    }
    due_at = standing.review_due_at
    if due_at is not None and due_at <= now:
        found[PERIODIC_REVIEW] = Lacking(*_review_words(due_at), due_at)
    return found


def _review_words(due_at: datetime) -> tuple[str, str]:
    return "Periodic review", f"The policy wanted it reviewed again by {due_at:%Y-%m-%d}."


def _since(
    result: ItemResult | None, opened_at: datetime | None, waived_until: datetime | None, now: datetime
) -> datetime | None:
    """A requirement that was waived lapsed with its waiver, or with its own evidence where that lasted longer."""
    own = opened_at if result is None else _aged_out(result)
    known = [instant for instant in (own, waived_until) if instant is not None and instant <= now]
    return max(known, default=None)


def _aged_out(result: ItemResult) -> datetime | None:
    """When an answer, a signature or a result grew too old, where its item says how old it may be."""
    needed = result.item.shown
    if needed.max_age_days is None:
        return None
    match result.basis:
        case Attested(at=given) | Checked(at=given) | Documented(signed_off_at=datetime() as given):
            return given + timedelta(days=needed.max_age_days)
        case _:
            return None


def coming(standing: Standing, now: datetime, until: datetime) -> list[Coming]:
    """What the version shows at `now` and will show no longer at `until`, the first first."""
    already = lacking(standing, now)
    later = lacking(standing, until)
    found = [
        Coming(requirement, missing.title, missing.reason, _first_instant(standing, requirement, now, until))
        for requirement, missing in later.items()
        if requirement not in already
    ]
    return sorted(found, key=lambda one: (one.at, one.requirement))


def _first_instant(standing: Standing, requirement: str, met: datetime, unmet: datetime) -> datetime:
    """To the second, the instant from which on the requirement is not met."""
    if requirement == PERIODIC_REVIEW and standing.review_due_at is not None:
        return standing.review_due_at
    while unmet - met > _PRECISION:
        middle = met + (unmet - met) / 2
        if any(missing.id == requirement for missing in standing.evaluate(middle).lacking):
            unmet = middle
        else:
            met = middle
    return unmet
