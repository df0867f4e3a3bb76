"""How a version is watched, for its page: the plan, the tests of its alert route, its training data's profile."""

from dataclasses import dataclass
from uuid import UUID

from registry.monitoring.alerts import alerts_of
from registry.monitoring.api import AlertView, PlanView, ProfileView
from registry.monitoring.plan import EmailRoute, WebhookRoute
from registry.monitoring.service import plan_of, profiles_of
from registry.notifications.tables import WebhookRow
from registry.unit import Unit


@dataclass(frozen=True)
class ShownMonitoring:
    """All that the page shows of it, finished."""

    plan_id: UUID | None
    """What entries of the log call the newest revision."""
    plan: PlanView | None
    route: str
    """Where alerts go, in words."""
    alerts: tuple[AlertView, ...]
    profiles: tuple[ProfileView, ...]

    @property
    def subjects(self) -> tuple[UUID, ...]:
        """What the log's entries about it are about."""
        alerts = tuple(alert.id for alert in self.alerts)
        return alerts if self.plan_id is None else (self.plan_id, *alerts)

    @property
    def people(self) -> set[UUID]:
        """Whose names the page needs."""
        known = {person for alert in self.alerts for person in (alert.owner_id, alert.raised_by)}
        known |= {profile.stated_by for profile in self.profiles if profile.stated_by is not None}
        if self.plan is not None:
            known.add(self.plan.stated_by)
            known |= set() if self.plan.plan.owner is None else {self.plan.plan.owner}
        return known


def shown_monitoring(unit: Unit, version_id: UUID) -> ShownMonitoring:
    """The newest plan of a version, and what belongs to it."""
    stated = plan_of(unit, version_id)
    return ShownMonitoring(
        plan_id=None if stated is None else stated.row.id,
        plan=None if stated is None else PlanView.of(stated),
        route="" if stated is None else _route(unit, stated.plan.alert_route),
        alerts=tuple(AlertView.of(alert) for alert in alerts_of(unit, version_id)),
        profiles=tuple(ProfileView.of(stored) for stored in profiles_of(unit, version_id)),
    )


def _route(unit: Unit, route: WebhookRoute | EmailRoute | None) -> str:
    match route:
        case WebhookRoute(webhook=webhook_id):
            row = unit.session.get(WebhookRow, webhook_id)
            label = "a webhook" if row is None else f"webhook “{row.label}”"
            return f"{label}, which was removed" if row is None or row.removed_at is not None else label
        case EmailRoute(address=str() as address):
            return f"e-mail to {address}"
        case EmailRoute():
            return "e-mail to the owner"
        case None:
            return ""
