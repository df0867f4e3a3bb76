"""One e-mail over SMTP, with what the operator set."""

import smtplib
import ssl
from collections.abc import Callable
from email.errors import HeaderParseError
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, localtime
from urllib.parse import urlsplit

from registry.errors import InvalidInputError, UnprocessableError
from registry.names import checked_label
from registry.settings import Settings, SmtpSecurity

SECONDS = 15.0
"""Longest wait for each step of the dialogue."""
_REFUSED_FOR_GOOD = range(500, 600)
"""RFC 5321, section 4.2.1: the same will be refused again."""


class MailError(Exception):
    """The mail server did not take the message. `status`: its reply code, where one came."""

    def __init__(self, reason: str, status: int | None, *, is_final: bool) -> None:
        super().__init__(reason)
        self.status = status
        self.is_final = is_final


def checked_address(field: str, value: str) -> str:
    """A mailbox: returned unchanged, or refused.

    Raises:
        InvalidInputError: it is no address of the form NAME@HOST.
    """
    checked_label(field, value)
    try:
        parsed = Address(addr_spec=value)
    except (ValueError, IndexError, HeaderParseError):
        raise InvalidInputError(field, value, "write an e-mail address, such as ana@example.org") from None
    if not parsed.username or not parsed.domain or not value.isascii() or " " in value:
        raise InvalidInputError(field, value, "write an e-mail address, such as ana@example.org")
    return value


def send(settings: Settings, recipient: str, subject: str, text: str, message_id: str) -> int:
    """Hand one message to the mail server; the code of its reply. `message_id`: the same in each attempt, so that a
    mailbox shows it once.

    Raises:
        UnprocessableError: the settings name no mail server.
        MailError: it does not answer, or does not take the message.
    """
    if settings.smtp_host is None:
        raise UnprocessableError(
            "email", "This installation sends no e-mail: ACTA_SMTP_HOST is not set.", "Ask its operator."
        )
    message = _message(settings, recipient, subject, text, message_id)
    connect: Callable[[], smtplib.SMTP]
    host, port = settings.smtp_host, settings.smtp_port
    if settings.smtp_security is SmtpSecurity.TLS:
        context = ssl.create_default_context()

        def connect() -> smtplib.SMTP:
            return smtplib.SMTP_SSL(host, port, timeout=SECONDS, context=context)
    else:

        def connect() -> smtplib.SMTP:
            return smtplib.SMTP(host, port, timeout=SECONDS)

    try:
        with connect() as server:
            _prepare(server, settings)
            server.send_message(message, from_addr=_sender(settings), to_addrs=[recipient])
    except smtplib.SMTPRecipientsRefused as error:
        status, reply = next(iter(error.recipients.values()))
        raise _refused(status, reply) from error
    except smtplib.SMTPResponseException as error:
        raise _refused(error.smtp_code, error.smtp_error) from error
    except (smtplib.SMTPException, OSError) as error:
        raise MailError(str(error) or type(error).__name__, None, is_final=False) from error
    return 250


def _prepare(server: smtplib.SMTP, settings: Settings) -> None:
    if settings.smtp_security is SmtpSecurity.STARTTLS:
        # Raises where the server does not offer it: nothing is ever sent in clear that was to be encrypted.
        server.starttls(context=ssl.create_default_context())
    if settings.smtp_user is not None and settings.smtp_password is not None:
        server.login(settings.smtp_user, settings.smtp_password.get_secret_value())


def _refused(status: int, reply: bytes | str) -> MailError:
    text = reply.decode("utf-8", "replace") if isinstance(reply, bytes) else reply
    # What a server answers to a wrong password is about the settings, and may change.
    is_final = status in _REFUSED_FOR_GOOD and status not in {530, 534, 535, 538}
    return MailError(f"the mail server answered {status}: {text[:200]}", status, is_final=is_final)


def _message(settings: Settings, recipient: str, subject: str, text: str, message_id: str) -> EmailMessage:
    message = EmailMessage()
    message["From"] = _sender(settings)
    message["To"] = recipient
    message["Subject"] = " ".join(subject.split())
    message["Date"] = format_datetime(localtime())
    message["Message-ID"] = f"<{message_id}@{_domain(settings)}>"
    # RFC 3834: no out-of-office answers to it.
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(text)
    return message


def _sender(settings: Settings) -> str:
    return settings.smtp_from or f"acta@{_domain(settings)}"


def _domain(settings: Settings) -> str:
    return urlsplit(settings.public_url).hostname or "localhost"
