"""Web addresses that references may fetch from: hosts that the operator named, and never a way into the inner network."""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Any
from urllib.parse import unquote, urlsplit

from napari_lightbox.errors import AccessError, ParameterError, ReadError

PORTS = {"http": 80, "https": 443}
_LOCALHOST = "localhost"
_LONGEST = 2048
_TRANSLATED = IPv6Network("64:ff9b::/96")
_INNER = ("is_private", "is_multicast", "is_reserved", "is_loopback", "is_link_local", "is_unspecified", "is_site_local")
Resolve = Callable[..., Sequence[Any]]


@dataclass(frozen=True)
class Host:
    """A host that the operator allows; scheme or port are None where any, or the usual one, is meant."""

    name: str
    port: int | None
    scheme: str | None

    @classmethod
    def of(cls, text: str) -> Host:
        """Return the host that a setting such as ``"data.example.org:8443"`` names.

        Raises
        ------
        ParameterError
            It names none.
        """
        try:
            parts = urlsplit(text if "://" in text else f"//{text}")
            name, port = parts.hostname, parts.port
        except ValueError:
            name, port = None, None
        if not name or parts.path.strip("/") or parts.scheme not in ("", *PORTS) or "@" in text:
            raise ParameterError("hosts", f"{text!r} is no host", "Write it like data.example.org or data.example.org:8443")
        return cls(name, port, parts.scheme or None)

    def fits(self, scheme: str, name: str, port: int) -> bool:
        """Return whether an address leads to this host."""
        usual = PORTS[scheme] if self.port is None else self.port
        return (self.scheme or scheme, self.name, usual) == (scheme, name, port)


@dataclass(frozen=True)
class Address:
    """An address that was allowed.

    Parameters
    ----------
    scheme, host, port, path
        Its parts; the path begins with a slash and does not end with one.
    literal
        Whether the operator allowed this very network address, so that it may be an inner one.
    """

    scheme: str
    host: str
    port: int
    path: str
    literal: bool

    def __str__(self) -> str:
        """Return the address as people write it."""
        return f"{self.origin}{self.path}"

    @property
    def origin(self) -> str:
        """Scheme, host and port."""
        return f"{self.scheme}://{self.header}"

    @property
    def header(self) -> str:
        """What the Host header of a request says."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"


def allowed(location: str, hosts: Sequence[Host]) -> Address:
    """Return the address behind a text that somebody sent.

    Raises
    ------
    AccessError
        Its host is none that the operator allows, or the text hides where it leads.
    """
    try:
        parts = urlsplit(location)
        scheme, name, port = parts.scheme, parts.hostname or "", parts.port
    except ValueError:
        raise _hidden(location) from None
    plain = location.isascii() and location.isprintable() and not set(location) & set(' \\<>"^`{|}') and len(location) <= _LONGEST
    if scheme not in PORTS or not plain or "@" in parts.netloc or parts.query or parts.fragment or "%" in parts.netloc:
        raise _hidden(location)
    segments = unquote(parts.path).replace("\\", "/").split("/")
    if "%25" in parts.path or any(s in (".", "..") for s in segments):
        raise _hidden(location)
    port = PORTS[scheme] if port is None else port
    if not any(host.fits(scheme, name, port) for host in hosts):
        raise AccessError(name or location, "is no host that this server may fetch from", _way_out(hosts))
    return Address(scheme, name, port, parts.path.rstrip("/"), is_literal(name))


def is_literal(name: str) -> bool:
    """Return whether a host is a network address itself, or this machine."""
    try:
        return name == _LOCALHOST or ip_address(name).compressed == name
    except ValueError:
        return False


def resolved(address: Address, resolve: Resolve = socket.getaddrinfo) -> list[str]:
    """Return the network addresses to connect to: looked up once, checked, and used as they are.

    Raises
    ------
    AccessError
        One of them lies in the inner network.
    ReadError
        The host is not known.
    """
    if address.literal:
        return ["127.0.0.1", "::1"] if address.host == _LOCALHOST else [address.host]
    try:
        answers = resolve(address.host, address.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        answers = []
    found = list(dict.fromkeys(str(answer[4][0]) for answer in answers))
    if not found:
        raise ReadError(address.host, "is not known to the server", "Check the address")
    if not all(map(is_public, found)):
        raise AccessError(
            address.host, "leads into the network of the server", "Ask the operator to allow it by its network address"
        )
    return found


def is_public(text: str) -> bool:
    """Return whether a network address lies in the public internet, whatever it is wrapped in."""
    try:
        address = ip_address(text)
    except ValueError:
        return False
    return all(a.is_global and not any(getattr(a, kind, False) for kind in _INNER) for a in _unwrapped(address))


def _unwrapped(address: IPv4Address | IPv6Address) -> list[IPv4Address | IPv6Address]:
    """Return the address, or those of version 4 that it carries."""
    if isinstance(address, IPv4Address):
        return [address]
    if address.ipv4_mapped is not None:
        return [address.ipv4_mapped]
    if address.sixtofour is not None:
        return [address.sixtofour]
    if address.teredo is not None:
        return list(address.teredo)
    if address in _TRANSLATED:
        return [IPv4Address(int(address) & 0xFFFFFFFF)]
    return [address]


def _hidden(location: str) -> AccessError:
    return AccessError(
        location[:80], "is no plain web address", "Write https://host/path, without user, password, '..', query or fragment"
    )


def _way_out(hosts: Sequence[Host]) -> str:
    names = ", ".join(host.name if host.port is None else f"{host.name}:{host.port}" for host in hosts)
    return f"Use one of: {names}" if names else "Send the image itself, or ask the operator to allow the host"
