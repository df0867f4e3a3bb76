import ssl
from email import message_from_bytes, policy

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from sqlalchemy import text

from registry.access.actor import Place
from registry.access.service import record_leaving
from registry.errors import InvalidInputError
from registry.jobs.worker import Worker
from registry.notifications import mail
from registry.notifications.deliveries import all_deliveries
from registry.notifications.events import Event, Subject
from registry.notifications.mail import MailError, checked_address
from registry.notifications.preferences import preferences_of, set_preferences
from registry.notifications.service import notify
from registry.settings import SmtpSecurity
from tests.registry.notifications.test_transport import certificate_for

PLACE = Place("credit-default", "retail-risk")


class Sink:
    """Keeps what a mail server gets. `replies`: the next replies to a recipient; afterwards OK."""

    def __init__(self):
        self.messages = []
        self.replies = []

    async def handle_RCPT(self, server, session, envelope, address, options):
        reply = self.replies.pop(0) if self.replies else "250 OK"
        if reply.startswith("250"):
            envelope.rcpt_tos.append(address)
        return reply

    async def handle_DATA(self, server, session, envelope):
        self.messages.append((envelope.rcpt_tos, message_from_bytes(envelope.content, policy=policy.default)))
        return "250 OK"


class OnAFreePort(Controller):
    """aiosmtpd tries its own port 0, where nobody listens; the server says which one it got."""

    def _trigger_server(self):
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


@pytest.fixture
def sink():
    return Sink()


@pytest.fixture
def mail_server(sink):
    server = OnAFreePort(sink, hostname="127.0.0.1", port=0)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def settings(settings, mail_server):
    return settings.model_copy(
        update={"smtp_host": "127.0.0.1", "smtp_port": mail_server.port, "smtp_security": SmtpSecurity.NONE}
    )


def tell(units, found, *persons):
    with units.writing() as unit:
        subject = Subject("promotion", found.version.id, "Request 1", "/promotions/1", PLACE)
        notify(unit, Event.PROMOTION_REQUESTED, subject, [person.id for person in persons], {"model": "credit-default"})


def choose(units, actor, email, muted=()):
    with units.writing() as unit:
        return set_preferences(unit, actor, email, muted)


def test_whoever_has_an_address_is_told(units, people, settings, sink, registered):
    choose(units, people.validator, "val@example.org")
    tell(units, registered, people.validator, people.risk)
    Worker(units, settings).run_until_idle()
    ((recipients, message),) = sink.messages
    assert recipients == ["val@example.org"]
    assert message["Subject"] == "Request 1: promotion requested"
    assert message["Auto-Submitted"] == "auto-generated"
    body = message.get_content()
    assert "model: credit-default" in body
    assert "http://127.0.0.1:8700/promotions/1" in body


def test_who_muted_the_event_or_has_left_is_not_told(units, people, settings, sink, registered):
    choose(units, people.validator, "val@example.org", [Event.PROMOTION_REQUESTED])
    choose(units, people.risk, "risk@example.org", [Event.FINDING_OPENED])
    choose(units, people.ethics, "ethics@example.org")
    with units.writing() as unit:
        record_leaving(unit, people.administrator, people.ethics.id)
    tell(units, registered, people.validator, people.risk, people.ethics)
    Worker(units, settings).run_until_idle()
    assert [recipients for recipients, _ in sink.messages] == [["risk@example.org"]]


def test_without_a_mail_server_nothing_is_put_into_the_queue(units, people, settings, registered):
    choose(units, people.validator, "val@example.org")
    tell(units, registered, people.validator)
    Worker(units, settings.model_copy(update={"smtp_host": None})).run_until_idle()
    with units.reading() as unit:
        assert all_deliveries(unit, people.administrator, None) == []


@pytest.mark.parametrize("reply, state", [("450 try later", "queued"), ("550 no such mailbox", "dead")])
def test_a_refusal_for_now_is_tried_again_and_one_for_good_is_not(
    units, people, settings, sink, registered, reply, state
):
    choose(units, people.validator, "val@example.org")
    sink.replies = [reply]
    tell(units, registered, people.validator)
    Worker(units, settings).run_until_idle()
    with units.reading() as unit:
        (delivery,) = all_deliveries(unit, people.administrator, None)
    assert delivery.row.state == state
    assert delivery.attempts[0].status == int(reply[:3])


def test_a_mail_server_that_offers_no_encryption_gets_nothing_where_it_was_asked_for(settings, sink):
    with pytest.raises(MailError, match="STARTTLS"):
        mail.send(settings.model_copy(update={"smtp_security": SmtpSecurity.STARTTLS}), "a@example.org", "s", "t", "id")
    assert sink.messages == []


def test_a_certificate_of_an_unknown_authority_gets_no_mail(settings, sink, tmp_path):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate_for("localhost", tmp_path))
    server = OnAFreePort(sink, hostname="127.0.0.1", port=0, tls_context=context)
    server.start()
    try:
        secured = settings.model_copy(
            update={"smtp_host": "localhost", "smtp_port": server.port, "smtp_security": SmtpSecurity.STARTTLS}
        )
        with pytest.raises(MailError, match=r"(?i)certificate"):
            mail.send(secured, "a@example.org", "s", "t", "id")
    finally:
        server.stop()
    assert sink.messages == []


def test_a_password_goes_to_the_mail_server_and_into_no_error(settings, sink):
    asked = []

    def authenticate(server, session, envelope, mechanism, data):
        asked.append((data.login, data.password))
        return AuthResult(success=False, handled=False)

    server = OnAFreePort(
        sink, hostname="127.0.0.1", port=0, authenticator=authenticate, auth_require_tls=False, auth_required=True
    )
    server.start()
    try:
        known = type(settings).model_validate(
            settings.model_dump() | {"smtp_user": "acta", "smtp_password": "hunter2", "smtp_port": server.port}
        )
        with pytest.raises(MailError) as refused:
            mail.send(known, "a@example.org", "s", "t", "id")
    finally:
        server.stop()
    assert asked
    assert asked[0] == (b"acta", b"hunter2")
    assert "hunter2" not in str(refused.value)
    assert "535" in str(refused.value)
    assert not refused.value.is_final


def test_a_title_with_line_ends_adds_no_header(settings, sink):
    mail.send(settings, "a@example.org", "Request 1\r\nBcc: everybody@example.org", "text", "id")
    ((recipients, message),) = sink.messages
    assert recipients == ["a@example.org"]
    assert message["Bcc"] is None
    assert message["Subject"] == "Request 1 Bcc: everybody@example.org"


@pytest.mark.parametrize(
    "address", ["", "nobody", "@example.org", "a@", "a b@example.org", "a@example.org\nBcc: b@example.org", "é@x.org"]
)
def test_what_is_no_mailbox_is_refused(address):
    with pytest.raises(InvalidInputError, match="email"):
        checked_address("email", address)


def test_an_address_is_committed_in_the_log_and_can_be_taken_away(units, people):
    choose(units, people.validator, "val@example.org", [Event.REVIEW_DUE])
    with units.reading() as unit:
        found = preferences_of(unit, people.validator)
        query = text("SELECT leaf FROM acta_log_entry WHERE action = 'actor.preferences-set'")
        (leaf,) = unit.session.execute(query).scalars()
    assert (found.email, found.muted) == ("val@example.org", (Event.REVIEW_DUE,))
    assert b"example.org" not in bytes(leaf)
    assert b"commitment" in bytes(leaf)
    choose(units, people.validator, None)
    with units.reading() as unit:
        assert preferences_of(unit, people.validator).email is None


def test_an_alert_cannot_be_muted(units, people):
    with pytest.raises(InvalidInputError, match="always"):
        choose(units, people.validator, None, [Event.ALERT_TEST])
