"""What is sent: the body and the headers of a webhook's request, and the text of an e-mail.

Webhooks follow Standard Webhooks 1.0 (https://github.com/standard-webhooks/standard-webhooks, "Payload structure" and
"Webhook headers"): JSON with `type`, `timestamp` and `data`, signed with HMAC-SHA256 over id, timestamp and body.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import msgspec

from registry import __version__
from registry.notifications.acknowledgement import link_to
from registry.notifications.keys import notification_key
from registry.notifications.tables import AlertRow, NotificationRow
from registry.settings import Settings


class ToBeAcknowledged(msgspec.Struct, frozen=True):
    """Where the owner of an alert acknowledges it, and until when."""

    url: str
    expires_at: datetime
    owner_id: UUID


@dataclass(frozen=True)
class Told:
    """An event, ready to be told."""

    event: str
    raised_at: datetime
    subject_kind: str
    subject_id: UUID
    title: str
    url: str
    model: str | None
    team: str | None
    facts: Mapping[str, str]
    acknowledge: ToBeAcknowledged | None

    @classmethod
    def of(cls, settings: Settings, row: NotificationRow, alert: AlertRow | None) -> "Told":
        """What a row says, with the link that its alert carries."""
        acknowledge = None
        if alert is not None:
            link = link_to(settings, notification_key(settings), alert)
            acknowledge = ToBeAcknowledged(link, alert.expires_at, alert.owner_id)
        return cls(
            event=row.event,
            raised_at=row.raised_at,
            subject_kind=row.subject_kind,
            subject_id=row.subject_id,
            title=row.title,
            url=settings.public_url.rstrip("/") + row.path,
            model=row.model,
            team=row.team,
            facts=row.facts,
            acknowledge=acknowledge,
        )

    @property
    def heading(self) -> str:
        """One line: what happened to what."""
        kind, _, happened = self.event.partition(".")
        return f"{self.title}: {kind} {happened.replace('-', ' ')}"


def webhook_body(told: Told) -> bytes:
    """The JSON that a webhook gets; the same bytes in each attempt."""
    data: dict[str, object] = {
        "subject": {"kind": told.subject_kind, "id": told.subject_id, "title": told.title, "url": told.url},
        "model": told.model,
        "team": told.team,
        "facts": dict(told.facts),
    }
    if told.acknowledge is not None:
        data["acknowledge"] = told.acknowledge
    return msgspec.json.encode({"type": told.event, "timestamp": told.raised_at, "data": data})


def signed_headers(secret: str, message_id: UUID, body: bytes, now: datetime) -> dict[str, str]:
    """The headers of one attempt: the id is the same in each, time and signature are the attempt's own."""
    from standardwebhooks import Webhook

    identifier = f"msg_{message_id.hex}"
    return {
        "content-type": "application/json",
        "user-agent": f"Acta/{__version__} (webhook)",
        "webhook-id": identifier,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(secret).sign(identifier, now, body.decode()),
    }


def email_text(settings: Settings, told: Told) -> str:
    """The text of a message: what happened, the facts, where to look, and what to do."""
    lines = [f"{told.heading}.", ""]
    lines += [f"{name}: {value}" for name, value in told.facts.items()]
    lines += ["", told.url, ""]
    if told.acknowledge is not None:
        lines += [
            f"This alert was sent to you. Acknowledge it before {told.acknowledge.expires_at:%Y-%m-%d %H:%M} UTC:",
            told.acknowledge.url,
            "The link is yours: whoever opens it acknowledges in your name.",
            "",
        ]
    lines += [f"Sent by Acta for {settings.organisation}. You can mute kinds of events: `acta notifications set`."]
    return "\n".join(lines) + "\n"
