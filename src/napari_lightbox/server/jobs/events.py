"""What happens to jobs, told to everybody who listens."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Literal

from napari_lightbox.server.jobs.job import UNFINISHED

# nobody sees more of a bar that grows
STATE_SECONDS = 0.05

Name = Literal["state", "wanted", "outputs"]


@dataclass(frozen=True)
class Event:
    """One event of a job, as the protocol sends it."""

    name: Name
    data: Mapping[str, Any]

    @property
    def is_last(self) -> bool:
        """Whether nothing comes after it."""
        return self.name == "state" and self.data["status"] not in UNFINISHED


Present = Callable[[str], Sequence[Event]]


class Events:
    """Fans events out from any thread to any number of listeners.

    A listener that is slow misses states in between, never the last one, and no chunk that is still wanted: what waits
    for it does not grow. Others hear of a state that is followed by another one at once no more than it.

    Parameters
    ----------
    present
        Gives the events that tell a new listener where a job stands, the state first.
    """

    def __init__(self, present: Present) -> None:
        self._present = present
        self._listeners: dict[str, list[_Listener]] = {}
        self._lock = threading.Lock()

    def publish(self, job_id: str, event: Event) -> None:
        """Tell everybody who listens to a job; may be called from any thread."""
        for listener in self._of(job_id):
            listener.offer(event)

    def withdraw(self, job_id: str, source: str, chunks: Iterable[int]) -> None:
        """Take back that some chunks are wanted, from those who were not told yet."""
        numbers = list(chunks)
        for listener in self._of(job_id):
            listener.withdraw(source, numbers)

    async def subscribe(self, job_id: str) -> AsyncIterator[Event]:
        """Yield where a job stands, then what happens to it, until it is over."""
        listener = _Listener(asyncio.get_running_loop())
        with self._lock:
            self._listeners.setdefault(job_id, []).append(listener)
        try:
            for event in await asyncio.to_thread(self._present, job_id):
                yield event
                if event.is_last:
                    return
            while True:
                for event in await listener.next():
                    yield event
                    if event.is_last:
                        return
        finally:
            self._leave(job_id, listener)

    def _of(self, job_id: str) -> list[_Listener]:
        with self._lock:
            return list(self._listeners.get(job_id, ()))

    def _leave(self, job_id: str, listener: _Listener) -> None:
        with self._lock:
            rest = [other for other in self._listeners.get(job_id, ()) if other is not listener]
            if rest:
                self._listeners[job_id] = rest
            else:
                self._listeners.pop(job_id, None)


@dataclass
class _Waiting:
    """What one listener has not been told yet."""

    state: Event | None = None
    outputs: Event | None = None
    wanted: dict[str, dict[int, None]] = field(default_factory=dict)

    def events(self) -> list[Event]:
        wanted = [Event("wanted", {"source": source, "chunks": list(chunks)}) for source, chunks in self.wanted.items() if chunks]
        return [*wanted, *(e for e in (self.outputs, self.state) if e is not None)]


class _Listener:
    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._ready = asyncio.Event()
        self._pressing = asyncio.Event()
        self._waiting = _Waiting()
        self._next_state = 0.0
        self._lock = threading.Lock()

    def offer(self, event: Event) -> None:
        pressing = event.is_last or event.name != "state"
        with self._lock:
            known = not pressing and self._waiting.state is not None
            if event.name == "wanted":
                chunks = self._waiting.wanted.setdefault(event.data["source"], {})
                chunks.update(dict.fromkeys(event.data["chunks"]))
            else:
                setattr(self._waiting, event.name, event)
        if known:
            return
        # a loop that has been closed has nobody left to tell
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._wake, pressing)

    def withdraw(self, source: str, chunks: Iterable[int]) -> None:
        with self._lock:
            wanted = self._waiting.wanted.get(source, {})
            for chunk in chunks:
                wanted.pop(chunk, None)

    async def next(self) -> list[Event]:
        await self._ready.wait()
        # a state alone waits for the next one, as it costs both sides as much to tell as a small block to compute
        with suppress(TimeoutError):
            async with asyncio.timeout_at(self._next_state):
                await self._pressing.wait()
        self._ready.clear()
        self._pressing.clear()
        with self._lock:
            waiting, self._waiting = self._waiting, _Waiting()
        self._next_state = self._loop.time() + STATE_SECONDS
        return waiting.events()

    def _wake(self, pressing: bool) -> None:
        self._ready.set()
        if pressing:
            self._pressing.set()
