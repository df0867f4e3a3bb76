"""The page to which an alert's link leads. Opening it changes nothing: mail scanners open every link."""

from typing import Annotated

import msgspec
from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import QueryParameter, URLEncodedBody
from litestar.response import Template

from registry.http.guards import open_to_all
from registry.http.transactions import reads, writes
from registry.notifications.acknowledgement import LinkedAlert, acknowledge, read_alert
from registry.notifications.keys import notification_key
from registry.settings import Settings
from registry.unit import Unit
from registry.web.frame import framed
from registry.web.session import same_origin

LONGEST_TOKEN = 200


class Acknowledgement(msgspec.Struct):
    """The form of the page."""

    token: str


class AcknowledgePage(Controller):
    """Acknowledging an alert by its link, without signing in."""

    path = "/alerts/acknowledge"
    include_in_schema = False

    @get("/", guards=[open_to_all])
    @reads
    def show(
        self,
        unit: NamedDependency[Unit],
        settings: NamedDependency[Settings],
        token: Annotated[str, QueryParameter(max_length=LONGEST_TOKEN)] = "",
    ) -> Template:
        """What the alert is, to whom it was sent, and the button that acknowledges it."""
        return _page(read_alert(unit, notification_key(settings), token), token)

    @post("/", guards=[open_to_all, same_origin], status_code=200)
    @writes
    def confirm(
        self, data: URLEncodedBody[Acknowledgement], unit: NamedDependency[Unit], settings: NamedDependency[Settings]
    ) -> Template:
        """Acknowledge the alert in its owner's name."""
        return _page(acknowledge(unit, notification_key(settings), data.token[:LONGEST_TOKEN]), data.token)


def _page(alert: LinkedAlert, token: str) -> Template:
    row = alert.row
    context = {
        "token": token,
        "owner": alert.owner.name,
        "subject": f"{alert.model} {alert.number}",
        "raised_at": row.raised_at,
        "expires_at": row.expires_at,
        "acknowledged_at": row.acknowledged_at,
    }
    return framed(None, "acknowledge.html", context)
