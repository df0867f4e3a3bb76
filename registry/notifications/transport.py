"""One POST to a webhook: to an address that was checked at the moment of connecting, and to no other.

The name is resolved once and the connection goes to exactly what was resolved, so that a name which changes its address
between check and use (DNS rebinding) gains nothing; TLS still verifies the certificate of the name. Redirects are not
followed, the environment's proxies are not used, and the answer is read no further than its status.
"""

import ssl
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import httpcore

from registry.errors import InvalidInputError
from registry.notifications.addresses import (
    AddressRefusedError,
    Resolver,
    addresses_of,
    is_allowed,
    names_private_address,
    system_resolver,
)

SECONDS_IN_ALL = 10.0
"""From resolving the name to the status of the answer."""
LONGEST_URL = 2000
_DEFAULT_PORTS = {"http": 80, "https": 443}


class NoAnswerError(Exception):
    """No HTTP answer came: why, in words."""


@dataclass(frozen=True)
class Target:
    """Where a webhook listens."""

    scheme: str
    host: str
    port: int
    url: str


@dataclass
class _Deadline:
    at: float = field(default_factory=lambda: time.monotonic() + SECONDS_IN_ALL)

    def left(self, wanted: float | None) -> float:
        """Seconds left, and no more than wanted.

        Raises:
            httpcore.TimeoutException: none are left.
        """
        left = self.at - time.monotonic()
        if left <= 0:
            raise httpcore.TimeoutException(f"it took longer than {SECONDS_IN_ALL:.0f} s")
        return left if wanted is None else min(left, wanted)


class _Stream(httpcore.NetworkStream):
    """A connection whose every wait ends with the deadline, so that a slow receiver cannot hold a worker."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: _Deadline) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._deadline.left(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._deadline.left(timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        secured = self._stream.start_tls(ssl_context, server_hostname, self._deadline.left(timeout))
        return _Stream(secured, self._deadline)

    def get_extra_info(self, info: str) -> object:
        return self._stream.get_extra_info(info)


class CheckedBackend(httpcore.NetworkBackend):
    """Opens connections to addresses that are allowed at that moment."""

    def __init__(self, allowed: Iterable[str], resolve: Resolver) -> None:
        self._allowed = tuple(allowed)
        self._resolve = resolve
        self._deadline = _Deadline()
        self._sockets = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        failure: Exception = httpcore.ConnectError("it has no address")
        for address in addresses_of(host, port, self._allowed, self._resolve):
            try:
                # The address as text: nothing resolves the name a second time.
                stream = self._sockets.connect_tcp(
                    str(address), port, self._deadline.left(timeout), local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
            else:
                return _Stream(stream, self._deadline)
        raise failure


def checked_target(field_name: str, url: str, allowed: Iterable[str]) -> Target:
    """The target that a URL names. To which addresses its name leads is checked when it is used, not here.

    Raises:
        AddressRefusedError: it is written as an address that is not public, and the settings do not allow it.
        InvalidInputError: no absolute https URL (http only to hosts that the settings allow), or one that carries a
            user name, a password or a fragment.
    """
    # A request worker that makes no webhooks does without it.
    import httpx

    rule = "write an https URL, such as https://hooks.example.org/acta"
    if not url or len(url) > LONGEST_URL or not url.isprintable() or " " in url:
        raise InvalidInputError(field_name, url, rule)
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL:
        raise InvalidInputError(field_name, url, rule) from None
    if parsed.scheme not in _DEFAULT_PORTS or not parsed.host or not 0 < (parsed.port or 1) < 2**16:
        raise InvalidInputError(field_name, url, rule)
    if parsed.userinfo or parsed.fragment:
        raise InvalidInputError(field_name, "(hidden)", "a webhook's URL carries no user name, password or fragment")
    host, port = parsed.raw_host.decode("ascii"), parsed.port or _DEFAULT_PORTS[parsed.scheme]
    if parsed.scheme == "http" and not is_allowed(host, port, allowed):
        raise InvalidInputError(
            field_name, url, "http is for hosts in ACTA_WEBHOOK_ALLOWED_HOSTS only; write an https URL"
        )
    if names_private_address(host) and not is_allowed(host, port, allowed):
        raise AddressRefusedError(host)
    return Target(parsed.scheme, host, port, str(parsed))


def post(
    target: Target,
    body: bytes,
    headers: Mapping[str, str],
    allowed: Iterable[str],
    *,
    resolve: Resolver = system_resolver,
    tls: ssl.SSLContext | None = None,
) -> int:
    """Send `body`, and return the status of the answer, whatever it is.

    Raises:
        AddressRefusedError: the host leads to an address that is not public.
        NoAnswerError: no connection, no valid certificate, or no answer in time.
    """
    backend = CheckedBackend(allowed, resolve)
    context = ssl.create_default_context() if tls is None else tls
    try:
        with (
            httpcore.ConnectionPool(ssl_context=context, network_backend=backend, max_connections=1) as pool,
            pool.stream("POST", target.url, headers=list(headers.items()), content=body) as response,
        ):
            # Its content is nobody's business here, and may be endless.
            return response.status
    except AddressRefusedError:
        raise
    except (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError, OSError, ValueError) as error:
        raise NoAnswerError(str(error) or type(error).__name__) from error
