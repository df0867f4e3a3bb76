import socket
import ssl
import threading
import time
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from registry.errors import InvalidInputError
from registry.notifications import transport
from registry.notifications.addresses import AddressRefusedError
from registry.notifications.transport import NoAnswerError, checked_target, post
from tests.registry.receiving import listening

HEADERS = {"content-type": "application/json"}


def send(url, allowed, **how):
    return post(checked_target("url", url, allowed), b"{}", HEADERS, allowed, **how)


def test_a_body_reaches_a_receiver_that_the_settings_allow(receiver):
    assert send(receiver.url, [receiver.host]) == 204
    assert receiver.received[0].body == b"{}"
    assert receiver.received[0].headers["host"] == receiver.host


def test_a_receiver_on_this_machine_gets_nothing_unless_the_settings_allow_it(receiver):
    target = checked_target("url", receiver.url, [receiver.host])
    with pytest.raises(AddressRefusedError):
        post(target, b"{}", HEADERS, [])
    assert receiver.received == []


@pytest.mark.parametrize(
    "spelt", ["127.1", "0x7f000001", "2130706433", "017700000001", "localhost", "[::ffff:127.0.0.1]"]
)
def test_another_spelling_of_this_machine_is_refused_too(receiver, spelt):
    with pytest.raises((AddressRefusedError, NoAnswerError)):
        send(f"https://{spelt}:{receiver.port}/hook", [])
    assert receiver.received == []


def test_a_name_that_changes_its_address_between_check_and_use_gains_nothing(receiver):
    asked = []

    def rebinding(host, port):
        asked.append(host)
        return ["203.0.113.7"] if len(asked) > 1 else ["127.0.0.1"]

    with pytest.raises(AddressRefusedError):
        send(f"https://rebinding.example:{receiver.port}/hook", [], resolve=rebinding)
    assert asked == ["rebinding.example"]
    assert receiver.received == []


def test_the_connection_goes_to_the_address_that_was_checked(receiver):
    asked = []

    def once(host, port):
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["192.0.2.1"]

    allowed = [f"hooks.example:{receiver.port}"]
    assert send(f"http://hooks.example:{receiver.port}/hook", allowed, resolve=once) == 204
    assert asked == ["hooks.example"]
    assert receiver.received[0].headers["host"] == f"hooks.example:{receiver.port}"


def test_a_redirect_is_not_followed(receiver):
    with listening() as (elsewhere, _):
        receiver.answers, receiver.location = [307], elsewhere.url
        assert send(receiver.url, [receiver.host, elsewhere.host]) == 307
        assert elsewhere.received == []


def test_the_proxies_of_the_environment_are_not_used(receiver, monkeypatch):
    with listening() as (proxy, _):
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, f"http://{proxy.host}")
        assert send(receiver.url, [receiver.host]) == 204
        assert proxy.received == []


def raw_server(answer):
    """A server that answers one connection by a function of its socket."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        connection, _ = listener.accept()
        with connection, listener:
            answer(connection)

    threading.Thread(target=serve, daemon=True).start()
    return listener.getsockname()[1]


def test_an_endless_answer_is_read_no_further_than_its_status():
    def endless(connection):
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        try:
            while True:
                connection.sendall(b"10000\r\n" + b"x" * 65536 + b"\r\n")
        except OSError:
            pass

    port = raw_server(endless)
    assert send(f"http://127.0.0.1:{port}/", [f"127.0.0.1:{port}"]) == 200


def test_a_receiver_that_answers_a_byte_at_a_time_does_not_hold_the_worker(monkeypatch):
    monkeypatch.setattr(transport, "SECONDS_IN_ALL", 0.5)

    def drip(connection):
        try:
            for byte in b"HTTP/1.1 200 OK\r\n" + b"X-Slow: yes\r\n" * 1000:
                connection.sendall(bytes([byte]))
                time.sleep(0.05)
        except OSError:
            pass

    port = raw_server(drip)
    begun = time.monotonic()
    with pytest.raises(NoAnswerError):
        send(f"http://127.0.0.1:{port}/", [f"127.0.0.1:{port}"])
    assert time.monotonic() - begun < 3


@pytest.mark.parametrize(
    "answer",
    [b"", b"SSH-2.0-OpenSSH_9.6\r\n", b"HTTP/1.1 two hundred\r\n\r\n", b"HTTP/1.1 200 OK\r\n" + b"a" * 300_000],
)
def test_what_is_no_http_answer_is_none(answer):
    def garbage(connection):
        connection.recv(65536)
        connection.sendall(answer)

    port = raw_server(garbage)
    with pytest.raises(NoAnswerError):
        send(f"http://127.0.0.1:{port}/", [f"127.0.0.1:{port}"])


def test_nobody_listening_is_no_answer():
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with pytest.raises(NoAnswerError):
        send(f"http://127.0.0.1:{port}/", [f"127.0.0.1:{port}"])


def certificate_for(name, folder):
    """A certificate of its own authority, and the file that holds it with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.DNSName(name), x509.IPAddress(ip_address("192.0.2.9"))]), False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, SHA256())
    )
    path = folder / f"{name}.pem"
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(made.public_bytes(Encoding.PEM) + private)
    return path


@pytest.fixture
def secured(receiver, tmp_path):
    with listening() as (secure, server):
        path = certificate_for("hooks.example", tmp_path)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        yield secure, ssl.create_default_context(cafile=str(path))


def test_tls_asks_for_the_certificate_of_the_name_at_the_address_that_was_checked(secured):
    secure, trusted = secured
    allowed = [f"hooks.example:{secure.port}"]
    url = f"https://hooks.example:{secure.port}/hook"
    assert send(url, allowed, resolve=lambda host, port: ["127.0.0.1"], tls=trusted) == 204


def test_another_names_certificate_is_refused(secured):
    secure, trusted = secured
    allowed = [f"other.example:{secure.port}"]
    url = f"https://other.example:{secure.port}/hook"
    with pytest.raises(NoAnswerError, match="certificate"):
        send(url, allowed, resolve=lambda host, port: ["127.0.0.1"], tls=trusted)
    assert secure.received == []


def test_a_certificate_of_an_unknown_authority_is_refused(secured):
    secure, _ = secured
    allowed = [f"hooks.example:{secure.port}"]
    with pytest.raises(NoAnswerError, match="certificate"):
        send(f"https://hooks.example:{secure.port}/hook", allowed, resolve=lambda host, port: ["127.0.0.1"])


@pytest.mark.parametrize(
    "url",
    [
        "",
        "hooks.example/x",
        "ftp://hooks.example/x",
        "file:///etc/passwd",
        "https:///x",
        "https://user@hooks.example/x",
        "https://user:secret@hooks.example/x",
        "https://hooks.example/x#part",
        "https://hooks.example/x y",
        " https://hooks.example/x",
        "https://hooks.example/\nx",
        "https://hooks.example:99999/x",
        "http://hooks.example/x",
        "https://" + "a" * 3000,
    ],
)
def test_a_url_that_is_no_webhooks_is_refused(url):
    with pytest.raises(InvalidInputError, match="url"):
        checked_target("url", url, ["elsewhere.example"])


def test_a_refused_url_with_a_password_is_not_repeated():
    with pytest.raises(InvalidInputError) as refused:
        checked_target("url", "https://user:secret@hooks.example/x", [])
    assert "secret" not in str(refused.value)
