"""Which network addresses a webhook may reach: the public ones, and hosts that the operator allows by name.

Every address counts as private that the IANA special-purpose registries (RFC 6890 and its updates) do not give to hosts
on the Internet: loopback, private, link-local (clouds keep their metadata there), shared (carrier-grade NAT),
multicast and documentation addresses, and every form in which an IPv6 address carries an IPv4 one.
"""

import ipaddress
import socket
from collections.abc import Callable, Iterable, Sequence

from registry.errors import UnprocessableError

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolver = Callable[[str, int], Sequence[str]]
"""Host name and port -> its addresses as text."""

_REFUSED_4 = tuple(
    map(
        ipaddress.IPv4Network,
        (
            "0.0.0.0/8",  # this network, RFC 791
            "10.0.0.0/8",  # private, RFC 1918
            "100.64.0.0/10",  # shared, RFC 6598
            "127.0.0.0/8",  # loopback, RFC 1122
            "168.63.129.16/32",  # Azure's own services for the machines in it
            "169.254.0.0/16",  # link-local, RFC 3927; cloud metadata
            "172.16.0.0/12",  # private, RFC 1918
            "192.0.0.0/24",  # protocol assignments, RFC 6890
            "192.0.2.0/24",  # documentation, RFC 5737
            "192.31.196.0/24",  # AS112, RFC 7535
            "192.52.193.0/24",  # AMT, RFC 7450
            "192.88.99.0/24",  # 6to4 relay, RFC 7526
            "192.168.0.0/16",  # private, RFC 1918
            "192.175.48.0/24",  # AS112, RFC 7534
            "198.18.0.0/15",  # benchmarks, RFC 2544
            "198.51.100.0/24",  # documentation, RFC 5737
            "203.0.113.0/24",  # documentation, RFC 5737
            "224.0.0.0/4",  # multicast, RFC 5771
            "240.0.0.0/4",  # reserved and broadcast, RFC 1112, RFC 919
        ),
    )
)
_GLOBAL_6 = ipaddress.IPv6Network("2000::/3")
"""Global unicast, RFC 4291. Outside it lie loopback, mapped and translated IPv4 (RFC 6052), private and link-local."""
_REFUSED_6 = tuple(
    map(
        ipaddress.IPv6Network,
        (
            "2001::/23",  # protocol assignments, Teredo and ORCHID among them, RFC 2928
            "2001:db8::/32",  # documentation, RFC 3849
            "2002::/16",  # 6to4, RFC 3056: carries an IPv4 address
            "2620:4f:8000::/48",  # AS112, RFC 7534
            "3fff::/20",  # documentation, RFC 9637
        ),
    )
)


class AddressRefusedError(UnprocessableError):
    """A host leads to an address that webhooks must not reach. It does not say which: that would map our network."""

    def __init__(self, host: str) -> None:
        super().__init__(
            "url",
            f"{host} has an address that is not public; nothing was sent.",
            "Name a public host, or have the operator add it to ACTA_WEBHOOK_ALLOWED_HOSTS.",
        )


def is_public(address: IPAddress) -> bool:
    """Whether the address is one of a host on the Internet."""
    if isinstance(address, ipaddress.IPv4Address):
        return not any(address in network for network in _REFUSED_4)
    return address in _GLOBAL_6 and not any(address in network for network in _REFUSED_6)


def names_private_address(host: str) -> bool:
    """Whether a host is written as an address that is not public, or is this machine by its name (RFC 6761, 6.3).

    Whatever resolvers take for an IPv4 address counts as one: `127.1`, `0x7f000001`, `2130706433`.
    """
    name = host.lower().rstrip(".")
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return not is_public(ipaddress.ip_address(name.partition("%")[0]))
    except ValueError:
        pass
    try:
        return not is_public(ipaddress.IPv4Address(socket.inet_aton(name)))
    except OSError:
        return False


def is_allowed(host: str, port: int, allowed: Iterable[str]) -> bool:
    """Whether the operator allows this host whatever its addresses: as `host`, for all ports, or as `host:port`."""
    name = host.lower().rstrip(".")
    shown = f"[{name}]" if ":" in name else name
    wanted = {entry.lower() for entry in allowed}
    return bool({name, shown, f"{shown}:{port}"} & wanted)


def system_resolver(host: str, port: int) -> Sequence[str]:
    """The addresses that this machine finds for a name.

    Raises:
        OSError: it finds none.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    return [str(entry[4][0]) for entry in found]


def addresses_of(host: str, port: int, allowed: Iterable[str], resolve: Resolver) -> list[IPAddress]:
    """The addresses to connect to, resolved now.

    Raises:
        AddressRefusedError: one of them is not public, and the operator does not allow the host.
        OSError: the name has no address.
    """
    # A link-local address carries the name of an interface behind a percent sign.
    found = [ipaddress.ip_address(text.partition("%")[0]) for text in resolve(host, port)]
    if not found:
        raise OSError(f"{host} has no address")
    if not is_allowed(host, port, allowed) and not all(is_public(address) for address in found):
        raise AddressRefusedError(host)
    return found
