from base64 import b64decode
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from registry.errors import UnavailableError
from registry.notifications.keys import AcknowledgementLink, NotificationKey, new_secret, notification_key
from registry.settings import Settings

KEY = NotificationKey(bytes(range(32)))
OTHER = NotificationKey(bytes(32))
LINK = AcknowledgementLink(uuid4(), datetime(2026, 11, 25, tzinfo=UTC))


@pytest.fixture
def settings(tmp_path):
    return Settings(home=tmp_path)


def test_a_secret_has_256_random_bits_and_the_prefix_of_the_specification():
    assert new_secret().startswith("whsec_")
    assert len(b64decode(new_secret().removeprefix("whsec_"))) == 32
    assert new_secret() != new_secret()


def test_a_sealed_secret_opens_for_its_webhook_with_its_key_only():
    webhook, secret = uuid4(), new_secret()
    sealed = KEY.seal(webhook, secret)
    assert secret.encode() not in sealed
    assert KEY.open(webhook, sealed) == secret
    for key, owner, found in ((OTHER, webhook, sealed), (KEY, uuid4(), sealed), (KEY, webhook, sealed[:-1] + b"\0")):
        with pytest.raises(UnavailableError):
            key.open(owner, found)


def test_a_link_says_which_alert_and_until_when():
    assert KEY.read_link(KEY.sign_link(LINK)) == LINK


def test_a_link_that_was_changed_or_signed_elsewhere_says_nothing():
    token = KEY.sign_link(LINK)
    assert OTHER.read_link(token) is None
    for position in range(len(token)):
        changed = token[:position] + ("A" if token[position] != "A" else "B") + token[position + 1 :]
        assert KEY.read_link(changed) is None, position
    for other in ("", "A", token + "A", token[:-2], token + "\n", "ÿ" + token[1:], token.replace("-", "+") + "="):
        assert KEY.read_link(other) is None, other


def test_the_key_is_made_once_for_its_owner_only(settings):
    made = notification_key(settings)
    file = settings.keys_directory / "notifications.key"
    assert file.stat().st_mode & 0o777 == 0o600
    assert notification_key(settings) == made
    assert [path.name for path in settings.keys_directory.iterdir()] == ["notifications.key"]


def test_a_key_that_others_may_read_is_not_used(settings):
    notification_key(settings)
    (settings.keys_directory / "notifications.key").chmod(0o640)
    with pytest.raises(UnavailableError, match="chmod 600"):
        notification_key(settings)


def test_a_key_shows_itself_in_no_text(settings):
    assert repr(bytes(range(32)))[2:10] not in repr(KEY)
