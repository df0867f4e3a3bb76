"""The key under which secrets of webhooks are kept, and with which links that acknowledge an alert are signed.

It lies in the keys directory, in a file of mode 0600: whoever has a copy of the database alone can sign nothing. Two
keys are derived from it (HKDF, RFC 5869), one for each purpose.
"""

import base64
import hashlib
import hmac
import os
import secrets
import stat
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from registry.errors import UnavailableError
from registry.settings import Settings

KEY_FILE = "notifications.key"
SECRET_PREFIX = "whsec_"  # noqa: S105 (the prefix of the Standard Webhooks specification, no secret)
_KEY_BYTES = 32
_NONCE_BYTES = 12
_TAG_BYTES = 32


@dataclass(frozen=True)
class AcknowledgementLink:
    """What a valid link says."""

    alert_id: UUID
    expires_at: datetime


@dataclass(frozen=True)
class NotificationKey:
    """The key, in this process's memory."""

    _material: bytes = field(repr=False)

    def _derived(self, purpose: bytes) -> bytes:
        return HKDF(algorithm=SHA256(), length=32, salt=None, info=b"acta notifications v1: " + purpose).derive(
            self._material
        )

    def seal(self, webhook_id: UUID, secret: str) -> bytes:
        """The secret of a webhook, encrypted (AES-256-GCM) for that webhook only."""
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + AESGCM(self._derived(b"webhook secrets")).encrypt(nonce, secret.encode(), webhook_id.bytes)

    def open(self, webhook_id: UUID, sealed: bytes) -> str:
        """The secret again.

        Raises:
            UnavailableError: it was sealed under another key, for another webhook, or was changed.
        """
        nonce, encrypted = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
        try:
            return AESGCM(self._derived(b"webhook secrets")).decrypt(nonce, encrypted, webhook_id.bytes).decode()
        except (InvalidTag, ValueError):
            raise UnavailableError(
                f"The secret of webhook {webhook_id} cannot be read with the key in {KEY_FILE}.",
                "Restore the key from its backup, or remove the webhook and add it again.",
            ) from None

    def sign_link(self, link: AcknowledgementLink) -> str:
        """The token of a link that acknowledges one alert, for a URL."""
        message = _packed(link)
        return _encoded(message + self._tag(message))

    def read_link(self, token: str) -> AcknowledgementLink | None:
        """What a token says, expired or not; None for one that was not signed here."""
        try:
            data = base64.urlsafe_b64decode(token.encode("ascii") + b"=" * (-len(token) % 4))
        except ValueError:
            return None
        # Decoding is lenient; only the spelling that was sent is taken.
        if _encoded(data) != token:
            return None
        message, tag = data[:-_TAG_BYTES], data[-_TAG_BYTES:]
        if len(message) != 24 or not hmac.compare_digest(tag, self._tag(message)):
            return None
        seconds = int.from_bytes(message[16:], "big")
        return AcknowledgementLink(UUID(bytes=message[:16]), datetime.fromtimestamp(seconds, UTC))

    def _tag(self, message: bytes) -> bytes:
        return hmac.new(self._derived(b"acknowledgement links"), message, hashlib.sha256).digest()


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _packed(link: AcknowledgementLink) -> bytes:
    return link.alert_id.bytes + int(link.expires_at.timestamp()).to_bytes(8, "big")


def new_secret() -> str:
    """A new secret of a webhook: 256 random bits (Standard Webhooks, "Signature scheme")."""
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def notification_key(settings: Settings) -> NotificationKey:
    """The installation's key; made where there is none yet.

    Raises:
        UnavailableError: it cannot be made or read, or others may read it.
    """
    path = settings.keys_directory / KEY_FILE
    try:
        _create(path)
        with path.open("rb") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            material = file.read(_KEY_BYTES + 1)
    except OSError as error:
        raise UnavailableError(
            f"The key {path} cannot be made or read ({error.strerror}).", "Check the directory and its owner."
        ) from error
    if mode & 0o077:
        raise UnavailableError(
            f"The key {path} can be read by others (mode {mode:04o}).", f"Run `chmod 600 {path}`, and ask who read it."
        )
    if len(material) != _KEY_BYTES:
        raise UnavailableError(f"The file {path} holds no key of {_KEY_BYTES} bytes.", "Restore it from its backup.")
    return NotificationKey(material)


def _create(path: Path) -> None:
    """Make the key whole or not at all: another process may look for it at this moment."""
    if path.exists():
        return
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    new = path.with_name(f".{KEY_FILE}.{secrets.token_hex(8)}")
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb") as file:
        file.write(secrets.token_bytes(_KEY_BYTES))
        file.flush()
        os.fsync(file.fileno())
    try:
        # A hard link fails where the name is taken: whoever comes second uses the first one's key.
        os.link(new, path)
    except FileExistsError:
        return
    finally:
        new.unlink()
