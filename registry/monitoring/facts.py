"""What the automatic checks look at: the newest plan, what it refers to, and the last test of its route."""

from collections.abc import Sequence
from functools import cache
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import Select, bindparam, select
from sqlalchemy.orm import aliased
from sqlmodel import col

from registry.access.tables import ActorRow
from registry.monitoring.plan import MonitoringPlan, WebhookRoute, missing_parts
from registry.monitoring.tables import PlanRow, ProfileRow
from registry.notifications.tables import AlertRow, WebhookRow
from registry.policy.checks.facts import AcknowledgedAlert, Monitored
from registry.unit import Unit


class _Column(msgspec.Struct):
    """Of a profile only the names are needed here."""

    name: str


def monitored_facts(unit: Unit, version_id: UUID) -> Monitored | None:
    """The newest plan of a version with all that a check asks of it, in one statement; None where none was stated."""
    # Its type does not say that outer joins leave gaps.
    rows: Sequence[Any] = unit.session.execute(_monitored_query(), {"version_id": version_id}).all()
    if not rows:
        return None
    row, left_at, removed_at, alert, _ = rows[0]
    # Of a version without a profile the outer join gives one row, without one.
    profiles = [profile for *_, profile in rows if profile is not None]
    plan = msgspec.convert(row.plan, MonitoringPlan)
    columns = (column.name for profile in profiles for column in msgspec.convert(profile.columns, list[_Column]))
    return Monitored(
        plan_digest=row.digest,
        revision=row.revision,
        missing=tuple(missing_parts(plan)),
        drift_features=tuple(one.feature for one in plan.drift),
        owner_is_here=row.owner_id is not None and left_at is None,
        route_exists=not isinstance(plan.alert_route, WebhookRoute) or removed_at is None,
        profiled_columns=frozenset(columns),
        profile_digests=tuple(profile.digest for profile in profiles),
        alert=None if alert is None else _acknowledged(alert),
    )


@cache
def _monitored_query() -> Select[*tuple[Any, ...]]:
    newest, alerts = aliased(PlanRow), aliased(AlertRow)
    newest_plan = (
        select(col(newest.id))
        .where(col(newest.version_id) == bindparam("version_id"))
        .order_by(col(newest.revision).desc())
        .limit(1)
        .scalar_subquery()
    )
    newest_alert = (
        select(col(alerts.id))
        .where(
            col(alerts.version_id) == col(PlanRow.version_id),
            col(alerts.route_digest) == col(PlanRow.route_digest),
            col(alerts.acknowledged_at).is_not(None),
        )
        .order_by(col(alerts.acknowledged_at).desc(), col(alerts.id))
        .limit(1)
        .correlate(PlanRow)
        .scalar_subquery()
    )
    return (
        select(PlanRow, col(ActorRow.left_at), col(WebhookRow.removed_at), AlertRow, ProfileRow)
        .outerjoin(ActorRow, col(ActorRow.id) == col(PlanRow.owner_id))
        .outerjoin(WebhookRow, col(WebhookRow.id) == col(PlanRow.webhook_id))
        .outerjoin(AlertRow, col(AlertRow.id) == newest_alert)
        .outerjoin(ProfileRow, col(ProfileRow.version_id) == col(PlanRow.version_id))
        .where(col(PlanRow.id) == newest_plan)
        .order_by(col(ProfileRow.dataset_digest))
    )


def _acknowledged(row: AlertRow) -> AcknowledgedAlert:
    assert row.acknowledged_at is not None
    assert row.acknowledged_by is not None
    return AcknowledgedAlert(row.id, row.raised_at, row.acknowledged_at, row.acknowledged_by)
