"""Only hosts that the operator named are asked, and no name leads into the inner network."""

from __future__ import annotations

import socket

import pytest

from napari_lightbox.errors import AccessError, ParameterError, ReadError
from napari_lightbox.server.store.addresses import Address, Host, allowed, is_public, resolved

HOSTS = [
    Host.of(h) for h in ("data.example.org", "files.example.org:8443", "https://safe.example.org", "127.0.0.1:9000", "[::1]:9000")
]


def answering(*numbers: str):
    """A resolver that knows one host; it counts how often it is asked."""
    asked = []

    def resolve(host, port, **_):
        asked.append(host)
        return [(socket.AF_INET6 if ":" in n else socket.AF_INET, socket.SOCK_STREAM, 6, "", (n, port)) for n in numbers]

    resolve.asked = asked
    return resolve


@pytest.mark.parametrize(
    ("location", "told"),
    [
        ("https://data.example.org/a/b.zarr", Address("https", "data.example.org", 443, "/a/b.zarr", False)),
        ("http://data.example.org/a.zarr/", Address("http", "data.example.org", 80, "/a.zarr", False)),
        ("HTTPS://DATA.example.ORG:443/A", Address("https", "data.example.org", 443, "/A", False)),
        ("https://files.example.org:8443/x%20y", Address("https", "files.example.org", 8443, "/x%20y", False)),
        ("https://safe.example.org", Address("https", "safe.example.org", 443, "", False)),
        ("http://127.0.0.1:9000/a", Address("http", "127.0.0.1", 9000, "/a", True)),
        ("http://[::1]:9000/a", Address("http", "::1", 9000, "/a", True)),
    ],
)
def test_what_the_operator_named(location, told) -> None:
    assert allowed(location, HOSTS) == told


@pytest.mark.parametrize(
    "location",
    [
        "https://other.example.org/a", "https://example.org/a", "https://evil-data.example.org/a",
        "https://data.example.org.evil.net/a",
        "https://sub.data.example.org/a", "https://data.example.org:8443/a", "https://files.example.org/a",
        "http://safe.example.org/a",
        "https://data.example.org@evil.net/a", "https://user:word@data.example.org/a", "https://evil.net#@data.example.org/a",
        "https://evil.net\\@data.example.org/a", "https://data.example.org\\.evil.net/a", "https://data.example.org%2eevil.net/a",
        "https://data.example.org/a?next=b", "https://data.example.org/a#b", "https://data.example.org/../a",
        "https://data.example.org/%2e%2e/a", "https://data.example.org/%252e%252e/a",
        "https://data.example.org/a\r\nHost: evil.net",
        "https://data.example.org/a b", "https://dätä.example.org/a", "ftp://data.example.org/a", "file:///etc/passwd",
        "gopher://127.0.0.1:9000/a",
        "http://127.0.0.1/a", "http://127.0.0.1:9001/a", "http://127.1:9000/a", "http://2130706433:9000/a",
        "http://0x7f000001:9000/a",
        "http://0177.0.0.1:9000/a", "http://[::ffff:127.0.0.1]:9000/a", "http://[::1%25lo]:9000/a", "http://localhost:9000/a",
        "http://169.254.169.254/latest",
        "http://[fe80::1]/a", "https://:443/a", "https:///a", "https://data.example.org:99999/a",
        "https://data.example.org:port/a",
        "https://data.example.org./a", "https://[data.example.org]/a", "https://data.example.org/" + "a" * 3000,
    ],
)  # fmt: skip
def test_everything_else_is_refused(location) -> None:
    with pytest.raises(AccessError):
        allowed(location, HOSTS)


def test_the_refusal_names_what_may_be_asked() -> None:
    with pytest.raises(AccessError, match=r"files\.example\.org:8443"):
        allowed("https://other.example.org/a", HOSTS)
    with pytest.raises(AccessError, match="ask the operator"):
        allowed("https://other.example.org/a", [])


@pytest.mark.parametrize(
    "text", ["", "a/b", "https://", "user@host", "host:port", "host:99999", "ftp://host", "https://host/path", "::1"]
)
def test_settings_that_name_no_host(text) -> None:
    with pytest.raises(ParameterError, match="hosts"):
        Host.of(text)


INNER = [
    "127.0.0.1", "127.8.9.10", "0.0.0.0", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "169.254.169.254",
    "100.64.0.1",
    "192.0.2.1", "198.18.0.1", "224.0.0.1", "239.1.2.3", "240.0.0.1", "255.255.255.255", "::", "::1", "fe80::1", "fe80::1%eth0",
    "fc00::1",
    "fd12:3456::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "2002:7f00:0001::", "2002:0a00:0001::1", "64:ff9b::7f00:1",
    "64:ff9b::a00:1", "2001:0:7f00:1::", "2001:db8::1", "fec0::1", "no address",
]  # fmt: skip
OUTER = ["93.184.216.34", "8.8.8.8", "2606:2800:220:1:248:1893:25c8:1946", "::ffff:8.8.8.8", "64:ff9b::808:808"]


@pytest.mark.parametrize("number", INNER)
def test_inner_addresses(number) -> None:
    assert not is_public(number)
    with pytest.raises(AccessError, match="network of the server"):
        resolved(allowed("https://data.example.org/a", HOSTS), answering(number))


@pytest.mark.parametrize("number", OUTER)
def test_outer_addresses(number) -> None:
    assert is_public(number)
    assert resolved(allowed("https://data.example.org/a", HOSTS), answering(number)) == [number]


def test_one_inner_address_among_outer_ones_is_enough() -> None:
    with pytest.raises(AccessError):
        resolved(allowed("https://data.example.org/a", HOSTS), answering("8.8.8.8", "10.0.0.1"))


def test_a_name_is_looked_up_once_and_what_was_checked_is_used() -> None:
    resolve = answering("8.8.8.8", "8.8.8.8", "2606:2800:220:1:248:1893:25c8:1946")
    assert resolved(allowed("https://data.example.org/a", HOSTS), resolve) == ["8.8.8.8", "2606:2800:220:1:248:1893:25c8:1946"]
    assert resolve.asked == ["data.example.org"]


def test_addresses_that_the_operator_named_are_not_looked_up() -> None:
    resolve = answering("8.8.8.8")
    assert resolved(allowed("http://127.0.0.1:9000/a", HOSTS), resolve) == ["127.0.0.1"]
    assert resolved(allowed("http://localhost/a", [Host.of("localhost")]), resolve) == ["127.0.0.1", "::1"]
    assert resolve.asked == []


def test_names_for_this_machine_are_not_addresses() -> None:
    with pytest.raises(AccessError, match="network of the server"):
        resolved(allowed("http://127.1:80/a", [Host.of("127.1")]), answering("127.0.0.1"))


def test_a_host_that_nobody_knows() -> None:
    def unknown(*_, **__):
        raise socket.gaierror(-2, "Name or service not known")

    with pytest.raises(ReadError, match="not known"):
        resolved(allowed("https://data.example.org/a", HOSTS), unknown)
