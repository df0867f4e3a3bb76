"""The check of the bias assessment."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from itertools import combinations
from typing import Annotated, ClassVar

import msgspec

from registry.assessments.verdicts import Verdict
from registry.catalog.facts import DatasetRole
from registry.policy.checks.facts import Assessed, CheckFacts, Files
from registry.policy.checks.performance import DecimalText
from registry.policy.checks.protocol import ROWS_ONLY, Finding, Reads
from registry.policy.checks.wording import hex_of, some_of, time_of
from registry.policy.outcomes import Outcome


class AssessmentPassed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The newest bias assessment passed, on a test set that the version declared, with enough rows, and not too long
    ago. It compares the groups of every sensitive feature that the version declares, and of their intersections. Its
    accuracy is the one that the run logged, where it logged one.
    """

    name: ClassVar[str] = "assessment-passed"
    version: ClassVar[int] = 2
    reads: ClassVar[frozenset[Reads]] = ROWS_ONLY

    max_age_days: Annotated[int, msgspec.Meta(ge=1, le=3650)] = 180
    minimum_rows: Annotated[int, msgspec.Meta(ge=1)] = 1000
    """Rows of the test set as a whole; the groups' own minimum stands under the policy's `assessment`."""
    declared_in: str = "sensitive_features"
    """The run's parameter that lists the sensitive features, separated by commas. A version without it declares
    none: then whatever features the assessment compares count.
    """
    intersections: Annotated[int, msgspec.Meta(ge=1, le=3)] = 2
    """So many features at once must be compared."""
    accuracy_metrics: tuple[str, ...] = ("accuracy", "test_accuracy", "holdout_accuracy")
    """The run's metrics of which the first that exists is compared with the assessment's accuracy."""
    accuracy_tolerance: DecimalText = "0.001"

    def inputs(self, facts: CheckFacts, now: datetime) -> tuple[str, ...]:
        tests = sorted(hex_of(edge.digest) for edge in facts.datasets(DatasetRole.TEST))
        declared = (facts.parameters.get(self.declared_in, ""), "|".join(self._logged_accuracy(facts) or ()))
        found = facts.assessed
        if found is None:
            return ("none", *declared, *tests)
        age = "too old" if self._is_too_old(found, now) else "in time"
        data = (hex_of(found.declared_digest), str(found.rows), hex_of(found.result_digest))
        return (str(found.id), found.verdict.value, *data, age, *declared, *tests)

    def examine(self, facts: CheckFacts, now: datetime, files: Files) -> Finding:
        found = facts.assessed
        if found is None:
            return Finding(Outcome.INCONCLUSIVE, "There is no finished bias assessment of this version.")
        evidence = {
            "assessment": str(found.id),
            "verdict": found.verdict.value,
            "origin": found.origin,
            "rows": str(found.rows),
            "finished at": time_of(found.finished_at),
            "declared test set": hex_of(found.declared_digest) or "not declared",
            "result": hex_of(found.result_digest),
            "compared": ", ".join(" × ".join(features) for features in found.features),
            "accuracy": found.accuracy or "",
        }
        failures = list(self._failures(found, facts, now))
        if found.verdict is Verdict.FAIL:
            failures.append(found.summary or "A disparity lies beyond the policy's limit.")
        if failures:
            return Finding(Outcome.FAILED, " ".join(failures), evidence)
        doubts = []
        if found.verdict is Verdict.INCONCLUSIVE:
            doubts.append(found.summary or "The data do not decide whether a disparity lies within the limits.")
        if found.rows < self.minimum_rows:
            doubts.append(f"It rests on {found.rows:,} rows; the policy asks for {self.minimum_rows:,}.")
        if doubts:
            return Finding(Outcome.INCONCLUSIVE, " ".join(doubts), evidence)
        return Finding(Outcome.PASSED, "The bias assessment passed on the declared test set.", evidence)

    def _failures(self, found: Assessed, facts: CheckFacts, now: datetime) -> Iterator[str]:
        if found.declared_digest not in {edge.digest for edge in facts.datasets(DatasetRole.TEST)}:
            yield "It was not made on a test set that the version declared."
        if self._is_too_old(found, now):
            yield f"It is older than {self.max_age_days} days."
        compared = {frozenset(features) for features in found.features}
        left_out = [" × ".join(features) for features in self._declared(facts) if frozenset(features) not in compared]
        if left_out:
            yield f"It does not compare what the version declares sensitive: {some_of(left_out)}."
        logged = self._logged_accuracy(facts)
        if logged is not None and found.accuracy is not None and self._differs(logged[1], found.accuracy):
            yield (
                f"Its accuracy is {found.accuracy}, and the run logged {logged[0]} {logged[1]}: "
                "these are not the predictions of this version on its test set."
            )

    def _declared(self, facts: CheckFacts) -> Iterator[tuple[str, ...]]:
        named = facts.parameters.get(self.declared_in, "").strip("[]()")
        features = sorted({name.strip(" '\"") for name in named.split(",")} - {""})
        for size in range(1, min(self.intersections, len(features)) + 1):
            yield from combinations(features, size)

    def _logged_accuracy(self, facts: CheckFacts) -> tuple[str, str] | None:
        return next(((name, facts.metrics[name]) for name in self.accuracy_metrics if name in facts.metrics), None)

    def _differs(self, logged: str, measured: str) -> bool:
        try:
            return not abs(Decimal(logged) - Decimal(measured)) <= Decimal(self.accuracy_tolerance)
        except InvalidOperation:  # NaN was logged
            return True

    def _is_too_old(self, found: Assessed, now: datetime) -> bool:
        return now - found.finished_at > timedelta(days=self.max_age_days)
