"""A complete monitoring plan, the profile that it refers to, and an alert along its route that was acknowledged."""

from datetime import timedelta
from decimal import Decimal

from msgspec.structs import replace

from registry.catalog.service import FoundVersion
from registry.monitoring.plan import (
    WITHOUT_MODEL,
    Direction,
    DriftFeature,
    DriftMethod,
    EmailRoute,
    HealthIndicator,
    MonitoringPlan,
)
from registry.monitoring.profile import ColumnProfile, TrainingProfile
from registry.monitoring.service import keep_profile, plan_of, state_plan, training_sets
from registry.notifications.tables import AlertRow
from registry.unit import Unit, Units
from tests.registry.conftest import People

COLUMNS = ("age", "limit_bal")

PLAN = MonitoringPlan(
    health=[HealthIndicator("error rate", "share from 0 to 1", Direction.ABOVE, Decimal("0.01"), Decimal("0.05"))],
    drift=[DriftFeature(column, DriftMethod.PSI, Decimal("0.2")) for column in COLUMNS],
    label_delay_days=30,
    alert_route=EmailRoute(),
    failure_plan="Call the owner; the scorecard takes over within an hour.",
    rollback_target=WITHOUT_MODEL,
    retraining="When a feature has drifted for two weeks.",
)
"""Complete but for its owner."""

PROFILE = TrainingProfile(1000, [ColumnProfile(column, "BIGINT", "0.000000", 50) for column in COLUMNS])


def monitor(units: Units, people: People, found: FoundVersion) -> None:
    """What a plan, the reading of the training data and a test alert leave behind."""
    with units.writing() as unit:
        monitor_in(unit, people, found)


def monitor_in(unit: Unit, people: People, found: FoundVersion) -> None:
    """The same, within a transaction."""
    for edge in training_sets(unit, found.version.id):
        keep_profile(unit, found.version.id, edge, PROFILE, None)
    present = plan_of(unit, found.version.id)
    revision = 0 if present is None else present.row.revision
    stated = state_plan(unit, people.developer, found, revision, replace(PLAN, owner=people.operations.id))
    assert stated.row.route_digest is not None
    unit.session.add(
        AlertRow(
            version_id=found.version.id,
            plan_revision=stated.row.revision,
            route_digest=stated.row.route_digest,
            owner_id=people.operations.id,
            raised_by=people.operations.id,
            raised_at=unit.now,
            expires_at=unit.now + timedelta(days=7),
            acknowledged_at=unit.now,
            acknowledged_by=people.operations.id,
        )
    )
    unit.session.flush()
