"""Read what a server answers, and believe nothing of it."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from math import isfinite
from typing import Any

from napari_lightbox.client.http import GRACE, httpx
from napari_lightbox.errors import LightboxError, ServerError, WireError
from napari_lightbox.wire import decode_error

Body = bytes | bytearray

NOT_OURS = "Is this address a Lightbox server?"
MOST_ERROR = 2**16
_SLOWEST_RATE = 2.0**11
_SHORTEST_PAUSE, _LONGEST_PAUSE = 0.1, 30.0


def read(answer: httpx.Response, most: int) -> bytearray:
    """Take at most so many bytes, as long as they do not merely drip.

    Raises
    ------
    WireError
        There are more, or they are not plain.
    """
    body = bytearray()
    for piece in _pieces(answer, most):
        body += piece
    return body


def read_into(answer: httpx.Response, target: memoryview) -> None:
    """Fill some memory with an answer of just that length.

    Raises
    ------
    WireError
        It is longer or shorter, or not plain.
    """
    size = 0
    for piece in _pieces(answer, len(target)):
        target[size : size + len(piece)] = piece
        size += len(piece)
    if size != len(target):
        raise WireError("chunk", f"has {size} bytes instead of {len(target)}", "Run it again, or tell who runs the server")


def _pieces(answer: httpx.Response, most: int) -> Iterator[bytes]:
    if answer.headers.get("Content-Encoding", "identity") != "identity":
        raise WireError("answer", "is compressed, which nobody asked for", NOT_OURS)
    size, begin = 0, time.monotonic()
    for piece in answer.iter_raw():
        size += len(piece)
        if size > most:
            raise WireError("answer", f"is longer than {most} bytes", NOT_OURS)
        elapsed = time.monotonic() - begin
        if elapsed > GRACE and size < elapsed * _SLOWEST_RATE:
            raise httpx.ReadTimeout("the answer comes too slowly")
        yield piece


def parsed(body: Body | str) -> Any:
    """Return the JSON that an answer holds.

    Raises
    ------
    ServerError
        It holds none.
    """
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise ServerError("server", "answered with something that is no answer", NOT_OURS) from None


def error_of(url: str, answer: httpx.Response, body: Body) -> LightboxError:
    """Return what went wrong at the other side."""
    with suppress(ServerError):
        said = parsed(body)
        if isinstance(said, Mapping) and "error" in said:
            return decode_error(said)
    return ServerError(url, f"answers {answer.status_code} {answer.reason_phrase}".rstrip(), NOT_OURS)


def delay_of(answer: httpx.Response) -> float | None:
    """Return after how many seconds to ask again; None when that would not help."""
    if answer.status_code in (408, 502, 504):
        return 0.0
    if answer.status_code not in (429, 503):
        return None
    try:
        seconds = float(answer.headers["Retry-After"])
    except (KeyError, ValueError):
        return 1.0 if answer.status_code == 503 else None
    return min(max(seconds, _SHORTEST_PAUSE), _LONGEST_PAUSE) if isfinite(seconds) else _LONGEST_PAUSE


def hanging_up(answer: httpx.Response) -> Callable[[], None]:
    """Return a function that ends an answer which another thread is reading."""

    def hang_up() -> None:
        network = answer.extensions.get("network_stream")
        line = None if network is None else network.get_extra_info("socket")
        if isinstance(line, socket.socket):
            # merely closing it would not wake up who waits for it
            with suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)

    return hang_up
