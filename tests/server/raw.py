"""Requests as bytes, for what no well-behaved client would send."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterable, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from tests.server.live import TOKENS, Live


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    raw: bytes = field(repr=False)

    @property
    def error(self) -> Mapping[str, str]:
        return json.loads(self.body)


@contextmanager
def connected(live: Live):
    with socket.create_connection(("127.0.0.1", live.port), timeout=60) as connection:
        yield connection


def head(
    live: Live,
    method: str,
    path: str,
    headers: Iterable[tuple[str, str | bytes]] = (),
    token: str | None = TOKENS["alice"],
    host: str | None = "",
) -> bytes:
    """Return the head of a request; no host or token at all for None."""
    lines = [f"{method} {path} HTTP/1.1".encode()]
    if host is not None:
        lines.append(b"Host: " + (host or f"127.0.0.1:{live.port}").encode())
    if token is not None:
        lines.append(b"Authorization: Bearer " + token.encode())
    lines.append(b"Connection: close")
    for name, value in headers:
        lines.append(name.encode() + b": " + (value if isinstance(value, bytes) else value.encode()))
    return b"\r\n".join(lines) + b"\r\n\r\n"


def exchange(live: Live, request: bytes) -> Answer:
    """Send bytes and return the answer."""
    with connected(live) as connection:
        with suppress(BrokenPipeError, ConnectionResetError):
            connection.sendall(request)
        return answer_of(connection)


def answer_of(connection: socket.socket) -> Answer:
    """Read until the server is done."""
    raw = b""
    with suppress(ConnectionResetError):
        while piece := connection.recv(65536):
            raw += piece
    start, _, body = raw.partition(b"\r\n\r\n")
    first, *lines = start.decode("latin-1").split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    return Answer(int(first.split(" ")[1]), headers, body, raw)


def ask(live: Live, method: str, path: str, body: bytes | Any = b"", headers: Any = (), **options: Any) -> Answer:
    """Send one request; what is no bytes goes as JSON."""
    extra = list(headers)
    if not isinstance(body, bytes):
        body = json.dumps(body).encode()
    names = {name.lower() for name, _ in extra}
    if body and "content-type" not in names:
        extra.append(("Content-Type", "application/json"))
    if body and not names & {"content-length", "transfer-encoding"}:
        extra.append(("Content-Length", str(len(body))))
    return exchange(live, head(live, method, path, extra, **options) + body)


def in_pieces(*pieces: bytes) -> bytes:
    """Return a body in chunked transfer coding."""
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in (*pieces, b""))
