"""What every request has to pass before anything of it is read: headers, host, version, token."""

from __future__ import annotations

import socket
from collections.abc import Collection, Iterable, Sequence
from ipaddress import ip_address

from starlette.types import ASGIApp, Receive, Scope, Send

from napari_lightbox.errors import VersionError
from napari_lightbox.server.auth import Doorkeeper
from napari_lightbox.server.config import Limits, ServerConfig
from napari_lightbox.server.faults import HeadersError, WrongHostError
from napari_lightbox.wire import Greeting
from napari_lightbox.wire.protocol import PROTOCOL

PUBLIC = ("/", "/v1/greeting")
PUBLIC_FOLDER = "/web/"
_LOOPBACK = ("localhost", "127.0.0.1", "::1")
ANYWHERE = ("0.0.0.0", "::")

Headers = Sequence[tuple[bytes, bytes]]


class Entrance:
    """Lets a request through with the name of its owner in ``scope["state"]["owner"]``.

    Parameters
    ----------
    app
        What comes after it.
    config
        Names of this server and limits of headers.
    doorkeeper
        Knows the tokens.
    """

    def __init__(self, app: ASGIApp, config: ServerConfig, doorkeeper: Doorkeeper) -> None:
        self._app = app
        self._config = config
        self._names = known_names(config)
        self._doorkeeper = doorkeeper

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Check one request."""
        if scope["type"] == "http":
            headers: Headers = scope["headers"]
            check_headers(headers, self._config.limits)
            check_host(headers, self._names, any_address=self._config.host in ANYWHERE)
            check_protocol(headers)
            state = scope.setdefault("state", {})
            state["address"] = (scope.get("client") or ("",))[0]
            if not is_public(scope):
                state["owner"] = self._doorkeeper.let_in(_all(headers, b"authorization"), state["address"])
        await self._app(scope, receive, send)


def is_public(scope: Scope) -> bool:
    """Return whether a request needs no token: the page itself and the greeting."""
    path: str = scope["path"]
    return scope["method"] in ("GET", "HEAD") and (path in PUBLIC or path.startswith(PUBLIC_FOLDER))


def check_headers(headers: Headers, limits: Limits) -> None:
    """Refuse too many headers.

    Raises
    ------
    HeadersError
        There are more than any client sends.
    """
    if len(headers) > limits.headers or sum(len(n) + len(v) for n, v in headers) > limits.header_bytes:
        raise HeadersError("request", "has too many headers", f"Send at most {limits.headers}")


def known_names(config: ServerConfig) -> frozenset[str]:
    """Return the names under which clients reach the server."""
    own = (socket.gethostname(), socket.getfqdn()) if config.host in ANYWHERE else ()
    return frozenset(name.lower() for name in (*_LOOPBACK, config.host, *own, *config.names))


def check_host(headers: Headers, names: Collection[str], *, any_address: bool = False) -> None:
    """Refuse names that are not this server's: a page from elsewhere may have pointed its own name here.

    Parameters
    ----------
    headers
        Of the request.
    names
        Those of the server.
    any_address
        Whether addresses in numbers pass: they cannot be pointed anywhere.

    Raises
    ------
    WrongHostError
        The request was meant for another server.
    """
    hosts = _all(headers, b"host")
    name = host_name(hosts[0]) if len(hosts) == 1 else ""
    if name in names or (any_address and _is_address(name)):
        return
    raise WrongHostError("Host", "is no name of this server", "Start the server with --name and the name that clients use")


def check_protocol(headers: Headers) -> None:
    """Refuse another version of the protocol, in the words that the client shows to its user.

    Raises
    ------
    VersionError
        The client says that it speaks another one.
    """
    from napari_lightbox import __version__

    told = _all(headers, b"lightbox-protocol")
    if not told:
        return
    number = told[0].decode("latin-1")
    if len(told) > 1 or not (number.isascii() and number.isdigit() and len(number) < 6):
        raise VersionError("protocol", "is told in a way nobody understands", "Update napari-lightbox here")
    version = b"".join(_all(headers, b"lightbox-version")[:1]).decode("latin-1")[:40]
    client = Greeting(version if version.isprintable() else "", int(number))
    client.meet(Greeting(__version__, PROTOCOL))


def host_name(host: bytes) -> str:
    """Return the name in a Host header, without the port; empty when it is none."""
    text = host.decode("latin-1").lower()
    if text.startswith("["):
        name, closing, port = text[1:].partition("]")
        port = port.removeprefix(":")
    else:
        name, _, port = text.partition(":")
        closing = "]"
    return name if closing and (not port or (port.isascii() and port.isdigit())) else ""


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def _all(headers: Iterable[tuple[bytes, bytes]], name: bytes) -> list[bytes]:
    return [value for key, value in headers if key == name]
