"""Acknowledging an alert by the link that it carries.

The link is signed, expires with its alert, and does this one thing. It needs no login: it went to one person, and what
it does is recorded as that person's. Opening it changes nothing, since mail scanners open every link; the button on the
page that it opens acknowledges.
"""

from dataclasses import dataclass

from sqlalchemy import select
from sqlmodel import col

from registry.access.actor import Actor, ActorKind
from registry.access.tables import ActorRow
from registry.catalog.tables import ModelVersion, RegisteredModel
from registry.errors import ConflictError, NotFoundError
from registry.notifications.keys import AcknowledgementLink, NotificationKey
from registry.notifications.tables import AlertRow
from registry.policy.jobs import request_checks
from registry.settings import Settings
from registry.unit import Unit

PAGE = "/alerts/acknowledge"


class LinkInvalidError(NotFoundError):
    """No alert was ever sent with this link."""

    def __init__(self) -> None:
        super().__init__("alert", "of this link")
        self.sentence = "This link acknowledges no alert."
        self.remedy = "Open it as it stands in the message, whole."


class LinkExpiredError(ConflictError):
    """The alert's time is over."""


@dataclass(frozen=True)
class LinkedAlert:
    """An alert, its owner, and what it is about."""

    row: AlertRow
    owner: ActorRow
    model: str
    number: int


def link_to(settings: Settings, key: NotificationKey, alert: AlertRow) -> str:
    """The address of the page where the alert's owner acknowledges it."""
    token = key.sign_link(AcknowledgementLink(alert.id, alert.expires_at))
    # Behind the question mark, which Acta's logs leave out.
    return f"{settings.public_url.rstrip('/')}{PAGE}?token={token}"


def read_alert(unit: Unit, key: NotificationKey, token: str) -> LinkedAlert:
    """The alert that a link is for, acknowledged or not.

    Raises:
        LinkInvalidError: no such link was ever made here.
        LinkExpiredError: its time is over.
    """
    link = key.read_link(token)
    if link is None:
        raise LinkInvalidError
    found = unit.session.execute(
        select(AlertRow, ActorRow, col(RegisteredModel.name), col(ModelVersion.number))
        .join(ActorRow, col(ActorRow.id) == col(AlertRow.owner_id))
        .join(ModelVersion, col(ModelVersion.id) == col(AlertRow.version_id))
        .join(RegisteredModel, col(RegisteredModel.id) == col(ModelVersion.model_id))
        .where(col(AlertRow.id) == link.alert_id)
    ).first()
    if found is None:
        raise LinkInvalidError
    alert = LinkedAlert(found[0], found[1], found[2], found[3])
    if alert.row.acknowledged_at is None and min(alert.row.expires_at, link.expires_at) <= unit.now:
        raise LinkExpiredError(
            f"This link was good until {alert.row.expires_at:%Y-%m-%d %H:%M} UTC.", "Have the alert sent again."
        )
    return alert


def acknowledge(unit: Unit, key: NotificationKey, token: str) -> LinkedAlert:
    """Acknowledge an alert in its owner's name. Repeating it changes nothing.

    Raises:
        LinkInvalidError: no such link was ever made here.
        LinkExpiredError: its time is over, or its owner has left.
    """
    alert = read_alert(unit, key, token)
    row = alert.row
    unit.session.refresh(row, with_for_update=True)
    if row.acknowledged_at is not None:
        return alert
    if alert.owner.left_at is not None:
        raise LinkExpiredError("The person to whom this alert was sent has left.", "Name another owner in the plan.")
    row.acknowledged_at = unit.now
    row.acknowledged_by = row.owner_id
    owner = Actor(alert.owner.id, ActorKind(alert.owner.kind), alert.owner.responsible_id, ())
    unit.record(
        owner,
        "alert.acknowledged",
        row.id,
        {"version_id": row.version_id, "acknowledged_at": row.acknowledged_at, "by": "link"},
    )
    # What the check of this alert found is stale now.
    request_checks(unit, None, row.version_id)
    return alert
