"""Waivers that end soon: whoever must act is told once, a week before."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import exists, select
from sqlmodel import col

from registry.access.actor import Role
from registry.catalog.service import FoundVersion
from registry.catalog.tables import ModelVersion, RegisteredModel
from registry.notifications.service import Event, Subject, holders_of, notify
from registry.notifications.tables import NotificationRow
from registry.policy.separation import lock_version
from registry.promotion.tables import Waiver
from registry.unit import Unit

AHEAD = timedelta(days=7)


def expiring(unit: Unit) -> list[UUID]:
    """Ids of the waivers that end within a week, of which nobody was told yet; the first to end first."""
    told = exists().where(
        col(NotificationRow.subject_id) == col(Waiver.id), col(NotificationRow.event) == Event.WAIVER_EXPIRING.value
    )
    query = (
        select(col(Waiver.id))
        .where(col(Waiver.expires_at) > unit.now, col(Waiver.expires_at) <= unit.now + AHEAD, ~told)
        .order_by(col(Waiver.expires_at), col(Waiver.id))
    )
    return list(unit.session.execute(query).scalars())


def tell_of_expiry(unit: Unit, waiver_id: UUID) -> None:
    """Tell the model's owner, who granted the waiver, and the risk officers there that it ends; once."""
    row = unit.session.get_one(Waiver, waiver_id)
    lock_version(unit, row.version_id)
    # Another process may have told meanwhile.
    told = select(col(NotificationRow.id)).where(
        col(NotificationRow.subject_id) == waiver_id, col(NotificationRow.event) == Event.WAIVER_EXPIRING.value
    )
    if unit.session.execute(told.limit(1)).first() is not None:
        return
    version = unit.session.get_one(ModelVersion, row.version_id)
    model = unit.session.get_one(RegisteredModel, version.model_id)
    found = FoundVersion(model, version)
    persons = {model.owner_id, row.granted_by} | holders_of(unit, found.place, [Role.RISK_OFFICER])
    subject = Subject(
        "waiver",
        row.id,
        f"Waiver for {model.name} {version.number}",
        f"/models/{model.name}/versions/{version.number}",
        found.place,
    )
    facts = {
        "model": model.name,
        "version": str(version.number),
        "of": row.item or "a finding",
        "expires": f"{row.expires_at:%Y-%m-%d %H:%M} UTC",
    }
    notify(unit, Event.WAIVER_EXPIRING, subject, persons, facts)
