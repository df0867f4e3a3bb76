from ipaddress import ip_address

import pytest

from registry.notifications.addresses import (
    AddressRefusedError,
    addresses_of,
    is_allowed,
    is_public,
    names_private_address,
)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.255.255.254",
        "0.0.0.0",
        "10.1.2.3",
        "172.16.0.1",
        "172.31.255.255",
        "192.168.1.1",
        "100.64.0.1",
        "100.100.100.200",
        "169.254.169.254",
        "168.63.129.16",
        "192.0.0.192",
        "198.18.0.1",
        "224.0.0.1",
        "239.255.255.250",
        "255.255.255.255",
        "240.0.0.1",
        "192.88.99.1",
        "::",
        "::1",
        "::ffff:127.0.0.1",
        "::ffff:8.8.8.8",
        "::7f00:1",
        "64:ff9b::a00:1",
        "64:ff9b::808:808",
        "64:ff9b:1::1",
        "fe80::1",
        "fc00::1",
        "fd00:ec2::254",
        "ff02::1",
        "2001::1",
        "2001:db8::1",
        "2002:7f00:1::",
        "3fff::1",
        "fec0::1",
        "100::1",
    ],
)
def test_an_address_that_is_no_hosts_on_the_internet_is_not_public(address):
    assert not is_public(ip_address(address))


@pytest.mark.parametrize(
    "address",
    [
        "8.8.8.8",
        "1.1.1.1",
        "172.15.255.255",
        "172.32.0.1",
        "100.63.255.255",
        "100.128.0.1",
        "223.255.255.255",
        "2606:4700:4700::1111",
        "2a00:1450::1",
    ],
)
def test_an_address_of_a_host_on_the_internet_is_public(address):
    assert is_public(ip_address(address))


def test_a_name_with_one_private_address_among_public_ones_is_refused_whole():
    with pytest.raises(AddressRefusedError, match="not public"):
        addresses_of("hooks.example", 443, (), lambda host, port: ["8.8.8.8", "10.0.0.1"])


def test_a_refusal_does_not_say_which_address_it_was():
    with pytest.raises(AddressRefusedError) as refused:
        addresses_of("hooks.example", 443, (), lambda host, port: ["10.0.0.7"])
    assert "10.0.0.7" not in str(refused.value)


def test_an_address_with_an_interface_is_looked_at_without_it():
    with pytest.raises(AddressRefusedError):
        addresses_of("hooks.example", 443, (), lambda host, port: ["fe80::1%eth0"])


@pytest.mark.parametrize(
    "host, port, allowed, answer",
    [
        ("127.0.0.1", 9000, ("127.0.0.1",), True),
        ("127.0.0.1", 9000, ("127.0.0.1:9000",), True),
        ("127.0.0.1", 9001, ("127.0.0.1:9000",), False),
        ("Hooks.Internal", 443, ("hooks.internal",), True),
        ("hooks.internal.", 443, ("hooks.internal",), True),
        ("evil-hooks.internal", 443, ("hooks.internal",), False),
        ("::1", 9000, ("[::1]:9000",), True),
        ("hooks.internal", 443, (), False),
    ],
)
def test_a_host_is_allowed_by_its_whole_name_and_where_one_stands_its_port(host, port, allowed, answer):
    assert is_allowed(host, port, allowed) is answer


@pytest.mark.parametrize(
    "host",
    [
        *("127.0.0.1", "127.1", "0", "2130706433", "0x7f000001", "0177.0.0.1", "169.254.169.254", "10.0.0.8"),
        *("::1", "fe80::1%eth0", "::ffff:127.0.0.1", "localhost", "LOCALHOST.", "any.localhost"),
    ],
)
def test_a_host_that_is_written_as_a_private_address_is_known_without_asking_anybody(host):
    assert names_private_address(host)


@pytest.mark.parametrize(
    "host", ["8.8.8.8", "134744072", "hooks.example.org", "localhost.example.org", "2606:4700::1111"]
)
def test_other_hosts_are_looked_up_when_they_are_used(host):
    assert not names_private_address(host)
