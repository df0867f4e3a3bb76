"""A monitoring plan, as a value: what is watched in operation, who is called, and what is done then. No I/O.

    health            indicators of the service, each with the values at which somebody is warned and called
    drift             features of the data that are compared with the training data, by a method and a threshold
    label_delay_days  how long after a prediction its outcome is known
    owner             who is called
    alert_route       how that person is reached: a webhook, or an e-mail address
    failure_plan      what is done when it fails
    rollback_target   the version that takes over, or going on without a model
    retraining        when it is trained again

A plan may be stated part by part; the check `monitoring-plan-complete` says which parts are missing.
"""

import hashlib
from collections.abc import Sequence
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Literal
from uuid import UUID

import msgspec

from registry.errors import InvalidInputError
from registry.names import checked_label, checked_text

MOST_INDICATORS = 100
MOST_FEATURES = 1000

Number = Annotated[Decimal, msgspec.Meta(description="A decimal number.")]
WithoutModel = Literal["without model"]
WITHOUT_MODEL: WithoutModel = "without model"


class Direction(StrEnum):
    """On which side of its thresholds an indicator is bad."""

    ABOVE = "above"
    BELOW = "below"


class HealthIndicator(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Something measured in operation, and the values at which somebody is warned and called."""

    name: str
    unit: str
    """Of value and thresholds, such as `ms`, `errors/min` or `share from 0 to 1`."""
    direction: Direction
    warn: Number
    alarm: Number


class DriftMethod(StrEnum):
    """How a feature in operation is compared with the training data."""

    PSI = "psi"
    """Population stability index."""
    KS = "ks"
    """Kolmogorov-Smirnov statistic, from 0 to 1."""
    JS = "js"
    """Jensen-Shannon distance, from 0 to 1."""
    CHI2 = "chi2"
    """Cramér's V of the chi-squared test, from 0 to 1."""
    WASSERSTEIN = "wasserstein"
    """Wasserstein distance over the training data's standard deviation."""


BOUNDED = frozenset({DriftMethod.KS, DriftMethod.JS, DriftMethod.CHI2})
"""Methods whose value never exceeds 1."""


class DriftFeature(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A column of the training data that is watched, and from which value on it has drifted."""

    feature: str
    method: DriftMethod
    threshold: Number


class WebhookRoute(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="by", tag="webhook"):
    """Alerts go to a webhook that is registered here."""

    webhook: UUID
    """`acta webhook list` shows the ids."""


class EmailRoute(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="by", tag="email"):
    """Alerts go to an e-mail address; without one, to the owner's own."""

    address: str | None = None


AlertRoute = WebhookRoute | EmailRoute


class MonitoringPlan(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is watched in operation, who is called, and what is done then."""

    health: list[HealthIndicator] = []
    drift: list[DriftFeature] = []
    label_delay_days: Annotated[int, msgspec.Meta(ge=0, le=3650)] | None = None
    """Days after a prediction until its outcome is known; 0 where it is known at once."""
    owner: UUID | None = None
    """The person who is called."""
    alert_route: AlertRoute | None = None
    failure_plan: str | None = None
    """What is done when it fails, by whom, and how long that may take."""
    rollback_target: Annotated[int, msgspec.Meta(ge=1)] | WithoutModel | None = None
    """Number of the version that takes over, or `without model`."""
    retraining: str | None = None
    """What makes somebody train it again."""


PARTS: Sequence[tuple[str, str]] = (
    ("health", "health indicators with thresholds"),
    ("drift", "drift features with method and threshold"),
    ("label_delay_days", "the delay of labels"),
    ("owner", "the owner who is called"),
    ("alert_route", "the alert route"),
    ("failure_plan", "the failure plan"),
    ("rollback_target", "the rollback target"),
    ("retraining", "the retraining trigger"),
)
"""Each part of a plan, and what people call it."""


def missing_parts(plan: MonitoringPlan) -> list[str]:
    """What a plan does not say yet, as people call it."""
    return [title for field, title in PARTS if getattr(plan, field) in (None, [])]


def route_digest(owner: UUID, route: AlertRoute) -> bytes:
    """SHA-256 over route and owner: an alert tests that way to that person, and no other."""
    return hashlib.sha256(msgspec.json.encode([route, owner], order="deterministic")).digest()


def check_plan(plan: MonitoringPlan) -> None:
    """Refuse a plan that contradicts itself. References to persons, webhooks and versions are not followed.

    Raises:
        InvalidInputError: naming the field, the value and the rule.
    """
    _check_health(plan.health)
    _check_drift(plan.drift)
    for field in ("failure_plan", "retraining"):
        text = getattr(plan, field)
        if text is not None:
            checked_text(field, text)


def _check_health(health: Sequence[HealthIndicator]) -> None:
    if len(health) > MOST_INDICATORS:
        raise InvalidInputError("health", len(health), f"at most {MOST_INDICATORS} indicators are kept")
    seen = set()
    for position, one in enumerate(health):
        field = f"health[{position}]"
        checked_label(f"{field}.name", one.name)
        checked_label(f"{field}.unit", one.unit)
        _check_finite(f"{field}.warn", one.warn)
        _check_finite(f"{field}.alarm", one.alarm)
        ordered = one.warn <= one.alarm if one.direction is Direction.ABOVE else one.warn >= one.alarm
        if not ordered:
            rule = f"an indicator that is bad {one.direction.value} its thresholds warns at {one.warn} before that"
            raise InvalidInputError(f"{field}.alarm", str(one.alarm), rule)
        if one.name in seen:
            raise InvalidInputError(f"{field}.name", one.name, "it stands in the plan twice")
        seen.add(one.name)


def _check_drift(drift: Sequence[DriftFeature]) -> None:
    if len(drift) > MOST_FEATURES:
        raise InvalidInputError("drift", len(drift), f"at most {MOST_FEATURES} features are kept")
    seen = set()
    for position, one in enumerate(drift):
        field = f"drift[{position}]"
        checked_label(f"{field}.feature", one.feature)
        _check_finite(f"{field}.threshold", one.threshold)
        if one.threshold <= 0 or (one.method in BOUNDED and one.threshold > 1):
            limit = "above 0 and at most 1" if one.method in BOUNDED else "above 0"
            raise InvalidInputError(
                f"{field}.threshold", str(one.threshold), f"a threshold of {one.method.value} is {limit}"
            )
        if (one.feature, one.method) in seen:
            raise InvalidInputError(f"{field}.feature", one.feature, f"it is compared by {one.method.value} twice")
        seen.add((one.feature, one.method))


def _check_finite(field: str, value: Decimal) -> None:
    if not value.is_finite():
        raise InvalidInputError(field, str(value), "write a finite decimal number")


def json_schema() -> dict[str, object]:
    """The JSON Schema (draft 2020-12) of a plan file, for editors and other programs."""
    schema = msgspec.json.schema(MonitoringPlan)
    for definition in schema["$defs"].values():
        for member in definition.get("properties", {}).values():
            if member.get("format") == "decimal":
                # People write 0.2 in YAML, programs "0.2" in JSON.
                member["type"] = ["string", "number"]
                del member["format"]
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Acta monitoring plan", **schema}
