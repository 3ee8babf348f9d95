"""Files of an allowed web server: no redirects, no more bytes than expected, no host other than the one that was checked."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPResponse
from urllib.parse import quote

from napari_lightbox.errors import AccessError, ReadError
from napari_lightbox.server.store.addresses import Address, resolved
from napari_lightbox.server.store.files import checked_key, too_large, unreadable

_TIMEOUT = 20.0
_LONGEST = 120.0
_BLOCK = 2**16
_MISSING = (404, 410)
_open = threading.local()


@dataclass(frozen=True)
class WebFiles:
    """Files below an address; it travels to workers as a text, and each resolves and checks the host itself."""

    address: Address

    @property
    def name(self) -> str:
        """What to call the place in messages."""
        return str(self.address)

    def get(self, key: str, most: int) -> bytes | None:
        """Return a file."""
        return self._fetch(key, most, {})

    def part(self, key: str, start: int, count: int) -> bytes | None:
        """Return some bytes of a file."""
        wanted = f"bytes={start}" if start < 0 else f"bytes={start}-{start + count - 1}"
        return self._fetch(key, max(count, -start), {"Range": wanted})

    def _fetch(self, key: str, most: int, headers: dict[str, str]) -> bytes | None:
        path = f"{self.address.path}/{quote(checked_key(key))}"
        try:
            answer = _answer(self.address, path, headers)
        except (OSError, HTTPException) as error:
            raise unreadable(self.name, key, str(error) or type(error).__name__) from error
        try:
            return self._content(answer, key, most, bool(headers))
        except (OSError, HTTPException) as error:
            raise unreadable(self.name, key, str(error) or type(error).__name__) from error
        finally:
            if not answer.isclosed():
                # the rest of an answer that nobody wants would be taken for the next one
                _close(self.address)

    def _content(self, answer: HTTPResponse, key: str, most: int, partial: bool) -> bytes | None:
        if 300 <= answer.status < 400:
            raise AccessError(self.name, "leads to another address", "Give the address where the image really lies")
        if answer.status in _MISSING:
            answer.read(_BLOCK)
            return None
        if answer.status != (206 if partial else 200):
            reason = "the server does not send parts of files" if answer.status == 200 else f"status {answer.status}"
            raise unreadable(self.name, key, reason)
        if answer.getheader("Content-Encoding", "identity") != "identity":
            raise unreadable(self.name, key, "it is compressed for the way")
        if (answer.length or 0) > most:
            raise too_large(self.name, key, most)
        return self._read(answer, key, most)

    def _read(self, answer: HTTPResponse, key: str, most: int) -> bytes:
        deadline, content, expected = time.monotonic() + _LONGEST, bytearray(), answer.length
        while (expected is None or len(content) < expected) and (block := answer.read1(_BLOCK)):
            content += block
            if len(content) > most:
                raise too_large(self.name, key, most)
            if time.monotonic() > deadline:
                raise ReadError(self.name, f"{key} takes longer than {_LONGEST:g} seconds", "Try again when the server is faster")
        if expected is not None and len(content) < expected:
            raise unreadable(self.name, key, "the connection ended early")
        return bytes(content)


def _answer(address: Address, path: str, headers: dict[str, str]) -> HTTPResponse:
    """Ask on the connection of this thread; one that went stale since the last time is made anew."""
    known = _connections().get(address.origin)
    if known is not None:
        try:
            return _ask(known, address, path, headers)
        except (OSError, HTTPException):
            _close(address)
    return _ask(_connected(address), address, path, headers)


def _ask(connection: HTTPConnection, address: Address, path: str, headers: dict[str, str]) -> HTTPResponse:
    sent = {"Host": address.header, "Accept-Encoding": "identity", "User-Agent": "napari-lightbox", **headers}
    connection.putrequest("GET", path, skip_host=True, skip_accept_encoding=True)
    for name, value in sent.items():
        connection.putheader(name, value)
    connection.endheaders()
    return connection.getresponse()


def _connected(address: Address) -> HTTPConnection:
    """Connect to a network address that was just checked, never to one that is looked up again."""
    failed: OSError = OSError("no address")
    for number in resolved(address):
        try:
            sock = socket.create_connection((number, address.port), _TIMEOUT)
        except OSError as error:
            failed = error
            continue
        if address.scheme == "https":
            sock = ssl.create_default_context().wrap_socket(sock, server_hostname=address.host)
        connection = HTTPConnection(address.host, address.port, timeout=_TIMEOUT)
        connection.sock = sock
        connection.auto_open = 0
        _connections()[address.origin] = connection
        return connection
    raise failed


def _close(address: Address) -> None:
    connection = _connections().pop(address.origin, None)
    if connection is not None:
        connection.close()


def _connections() -> dict[str, HTTPConnection]:
    if not hasattr(_open, "connections"):
        _open.connections = {}
    found: dict[str, HTTPConnection] = _open.connections
    return found
