"""Checks of how the version is watched in operation: its monitoring plan, and the test of its alert route."""

from datetime import datetime, timedelta
from typing import Annotated, ClassVar

import msgspec

from registry.policy.checks.facts import CheckFacts, Files, Monitored
from registry.policy.checks.protocol import ROWS_ONLY, Finding, Reads
from registry.policy.checks.wording import hex_of, listed, some_of, time_of
from registry.policy.outcomes import Outcome


class MonitoringPlanComplete(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The monitoring plan names health indicators with thresholds, drift features with method and threshold that are
    columns of the profiled training data, the delay of labels, an owner who is here, an alert route that exists, a
    failure plan, a rollback target and what makes somebody train again.
    """

    name: ClassVar[str] = "monitoring-plan-complete"
    version: ClassVar[int] = 1
    reads: ClassVar[frozenset[Reads]] = ROWS_ONLY

    def inputs(self, facts: CheckFacts, now: datetime) -> tuple[str, ...]:
        found = facts.monitored
        if found is None:
            return ("none",)
        there = ("owner is here" if found.owner_is_here else "", "route exists" if found.route_exists else "")
        return (hex_of(found.plan_digest), *there, *(hex_of(digest) for digest in found.profile_digests))

    def examine(self, facts: CheckFacts, now: datetime, files: Files) -> Finding:
        found = facts.monitored
        if found is None:
            return Finding(Outcome.FAILED, "There is no monitoring plan.")
        evidence = {
            "plan": f"revision {found.revision}, {hex_of(found.plan_digest)}",
            "training data's profile": some_of(map(hex_of, found.profile_digests)) or "none",
        }
        failures = list(self._failures(found))
        if failures:
            return Finding(Outcome.FAILED, " ".join(failures), evidence)
        reason = f"The plan is complete; it watches {len(found.drift_features)} features of the training data."
        return Finding(Outcome.PASSED, reason, evidence)

    def _failures(self, found: Monitored) -> tuple[str, ...]:
        failures: tuple[str, ...] = ()
        if found.missing:
            failures += (f"The plan does not name {listed(found.missing)}.",)
        if "the owner who is called" not in found.missing and not found.owner_is_here:
            failures += ("Its owner has left.",)
        if "the alert route" not in found.missing and not found.route_exists:
            failures += ("The webhook of its alert route was removed.",)
        unknown = [feature for feature in found.drift_features if feature not in found.profiled_columns]
        if not found.profile_digests:
            failures += ("The training data have no profile: drift has nothing to be compared with.",)
        elif unknown:
            failures += (f"The training data have no column {some_of(unknown)}.",)
        return failures


class AlertAcknowledged(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A real test alert went along the plan's present route to its present owner, who acknowledged it by the link that
    it carries, not too long ago.
    """

    name: ClassVar[str] = "alert-acknowledged"
    version: ClassVar[int] = 1
    reads: ClassVar[frozenset[Reads]] = ROWS_ONLY

    max_age_days: Annotated[int, msgspec.Meta(ge=1, le=3650)] = 180

    def inputs(self, facts: CheckFacts, now: datetime) -> tuple[str, ...]:
        found = facts.monitored
        if found is None:
            return ("none",)
        if found.alert is None:
            return ("no alert",)
        age = "too old" if self._is_too_old(found.alert.acknowledged_at, now) else "in time"
        return (str(found.alert.id), time_of(found.alert.acknowledged_at), age)

    def examine(self, facts: CheckFacts, now: datetime, files: Files) -> Finding:
        found = facts.monitored
        if found is None:
            return Finding(Outcome.FAILED, "There is no monitoring plan whose alert route could be tried.")
        if found.alert is None:
            reason = "No test alert along the plan's present route was acknowledged by its present owner."
            return Finding(Outcome.FAILED, reason)
        evidence = {
            "alert": str(found.alert.id),
            "sent at": time_of(found.alert.raised_at),
            "acknowledged at": time_of(found.alert.acknowledged_at),
            "acknowledged by": str(found.alert.acknowledged_by),
        }
        if self._is_too_old(found.alert.acknowledged_at, now):
            reason = f"The last test alert was acknowledged more than {self.max_age_days} days ago."
            return Finding(Outcome.FAILED, reason, evidence)
        return Finding(Outcome.PASSED, "A test alert reached its owner, who acknowledged it.", evidence)

    def _is_too_old(self, acknowledged_at: datetime, now: datetime) -> bool:
        return now - acknowledged_at > timedelta(days=self.max_age_days)
