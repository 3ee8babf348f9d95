"""Bodies of requests: how large, how slow and how many at once."""

from __future__ import annotations

import asyncio
import re
import time
from collections import Counter
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager
from typing import Protocol

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from napari_lightbox.errors import BusyError
from napari_lightbox.server.config import Limits
from napari_lightbox.server.faults import TooLargeError, TooSlowError

SMALL = 2**16
_CHUNK = re.compile(r"/v1/sources/[^/]+/chunks(?:/[^/]+)?")


class Clock(Protocol):
    """Time, as far as bodies need it."""

    def now(self) -> float:
        """Return seconds that only grow."""

    async def within(self, seconds: float | None, message: Awaitable[Message]) -> Message:
        """Return the message when it comes in time.

        Raises
        ------
        TimeoutError
            It does not.
        """


class RealClock:
    """The clock of this machine."""

    def now(self) -> float:
        """Return seconds that only grow."""
        return time.monotonic()

    async def within(self, seconds: float | None, message: Awaitable[Message]) -> Message:
        """Return the message when it comes in time."""
        async with asyncio.timeout(seconds):
            return await message


class Bodies:
    """Keeps bodies within the limits; a refusal comes before the first byte where it can.

    Parameters
    ----------
    app
        What reads the bodies.
    limits
        How large, how slow, how many.
    clock
        Measures how slow they are.
    """

    def __init__(self, app: ASGIApp, limits: Limits, clock: Clock | None = None) -> None:
        self._app = app
        self._limits = limits
        self._clock = clock or RealClock()
        self._reading: Counter[str] = Counter()
        self._held = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let one request through."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        most = self._limits.body if is_chunk(scope) else self._limits.message
        declared = declared_bytes(scope)
        if declared is not None and declared > most:
            raise _too_large(most)
        with self._place(scope, most if declared is None else declared):
            body = Body(receive, most, self._limits, self._clock)
            await self._app(scope, body.receive, send)

    @contextmanager
    def _place(self, scope: Scope, size: int) -> Iterator[None]:
        """Hold a place among those that send something large."""
        if size <= SMALL:
            yield
            return
        owner = scope.get("state", {}).get("owner", "")
        if self._reading[owner] >= self._limits.bodies or self._held + size > max(self._limits.body_memory, size):
            raise BusyError("server", "reads as many bodies as it can", "Send this one again in a moment")
        self._reading[owner] += 1
        self._held += size
        try:
            yield
        finally:
            self._held -= size
            self._reading[owner] -= 1
            if not self._reading[owner]:
                del self._reading[owner]


class Body:
    """One body on its way in.

    Parameters
    ----------
    receive
        Where it comes from.
    most
        Most bytes of it.
    limits
        How slow it may be.
    clock
        Measures only the time that is spent waiting for the client.
    """

    def __init__(self, receive: Receive, most: int, limits: Limits, clock: Clock) -> None:
        self._receive = receive
        self._most = most
        self._limits = limits
        self._clock = clock
        self._bytes = 0
        self._spent = 0.0
        self._complete = False

    async def receive(self) -> Message:
        """Return the next part.

        Raises
        ------
        TooLargeError
            More came than is allowed.
        TooSlowError
            It comes too slowly.
        """
        if self._complete:
            return await self._receive()
        begin = self._clock.now()
        try:
            message = await self._clock.within(self._patience(), self._receive())
        except TimeoutError:
            raise TooSlowError("body", "comes in too slowly", "Send it again over a faster connection") from None
        self._spent += self._clock.now() - begin
        self._bytes += len(message.get("body", b""))
        self._complete = message["type"] == "http.disconnect" or not message.get("more_body", False)
        if self._bytes > self._most:
            raise _too_large(self._most)
        return message

    def _patience(self) -> float | None:
        """Return how long the next part may take."""
        rate = self._limits.slowest_rate
        return max(0.0, self._limits.grace + self._bytes / rate - self._spent) if rate else None


def is_chunk(scope: Scope) -> bool:
    """Return whether the body is a chunk of an array, or several."""
    return scope["method"] == "PUT" and _CHUNK.fullmatch(scope["path"]) is not None


def declared_bytes(scope: Scope) -> int | None:
    """Return how large the body says that it is; None when it does not say."""
    headers = dict(scope["headers"])
    if b"transfer-encoding" in headers:
        return None
    length = headers.get(b"content-length", b"0")
    return int(length) if length.isdigit() and len(length) < 20 else None


def _too_large(most: int) -> TooLargeError:
    return TooLargeError("body", f"is larger than the {most} bytes that are taken", "Send less at once")
