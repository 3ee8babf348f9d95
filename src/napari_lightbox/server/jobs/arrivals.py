"""Chunks that jobs wait for: asked for when a graph names them, waited for until the client has sent them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from napari_lightbox.engine.control import Control
from napari_lightbox.errors import ConnectionLostError
from napari_lightbox.server.jobs.events import Event, Events

STEP = 0.05
_LOOKS = 20


class Arrivals:
    """Which chunks of which sources are wanted by which jobs.

    Parameters
    ----------
    sources
        Tells which chunks are missing.
    events
        Where `wanted` is published.
    dead
        Seconds without any chunk after which the client counts as gone.
    clock
        Seconds that only go forward.
    """

    def __init__(self, sources: Any, events: Events, dead: float = 120.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._sources = sources
        self._events = events
        self._dead = dead
        self._clock = clock
        self._open: dict[str, dict[str, dict[int, bool]]] = {}
        self._heard: dict[str, float] = {}
        self._changed = threading.Condition()

    def ask(self, job_id: str, source: str, chunks: Iterable[int]) -> None:
        """Tell whoever follows a job which of these chunks are missing, and return at once."""
        with self._changed:
            known = self._open.setdefault(job_id, {}).setdefault(source, {})
            new = [chunk for chunk in chunks if chunk not in known]
            # before looking, so that a chunk that comes in between is noticed
            known.update(dict.fromkeys(new, False))
        missing = set(self._sources.missing(source, new)) if new else set()
        with self._changed:
            wanted = [chunk for chunk in new if chunk in known and chunk in missing]
            known.update(dict.fromkeys(wanted, True))
            for chunk in new:
                if chunk not in missing:
                    known.pop(chunk, None)
        if wanted:
            self._events.publish(job_id, Event("wanted", {"source": source, "chunks": wanted}))

    def wait(self, job_id: str, source: str, chunks: Sequence[int], control: Control) -> None:
        """Return when all chunks are there.

        Raises
        ------
        ConnectionLostError
            No chunk came for so long that the client must be gone.
        CancelledError
            The job was cancelled.
        """
        self.ask(job_id, source, chunks)
        self.seen(job_id)
        looks = 0
        while True:
            control.check()
            with self._changed:
                known = self._open.get(job_id, {}).get(source, {})
                missing = [chunk for chunk in chunks if chunk in known]
                if not missing:
                    return
                silent = self._clock() - self._heard.get(job_id, 0.0)
                if silent > self._dead:
                    raise ConnectionLostError(
                        "client",
                        f"sent none of {len(missing)} chunks for {silent:.0f} s",
                        "Start the job again, and keep the client running until the images are sent",
                    )
                self._changed.wait(STEP)
            looks += 1
            if looks % _LOOKS == 0:
                self._look(job_id, source, missing)

    def arrived(self, source: str, chunks: Iterable[int]) -> None:
        """Note that some chunks are there."""
        came = set(chunks)
        with self._changed:
            jobs = {job_id: came & sources[source].keys() for job_id, sources in self._open.items() if source in sources}
            for job_id in [job_id for job_id, found in jobs.items() if not found]:
                del jobs[job_id]
            for job_id, found in jobs.items():
                for chunk in found:
                    del self._open[job_id][source][chunk]
                self._heard[job_id] = self._clock()
            if jobs:
                self._changed.notify_all()
        for job_id, found in jobs.items():
            self._events.withdraw(job_id, source, sorted(found))

    def wanted(self, job_id: str) -> list[Event]:
        """Return what is still wanted, for somebody who starts to listen."""
        with self._changed:
            missing = {
                source: [chunk for chunk, sure in chunks.items() if sure] for source, chunks in self._open.get(job_id, {}).items()
            }
        return [Event("wanted", {"source": source, "chunks": chunks}) for source, chunks in missing.items() if chunks]

    def seen(self, job_id: str) -> None:
        """Note that the client of a job is there."""
        with self._changed:
            if job_id in self._open:
                self._heard[job_id] = self._clock()

    def forget(self, job_id: str) -> None:
        """Stop wanting anything for a job."""
        with self._changed:
            self._open.pop(job_id, None)
            self._heard.pop(job_id, None)

    def _look(self, job_id: str, source: str, chunks: Sequence[int]) -> None:
        """Find chunks that came in by another way."""
        missing = set(self._sources.missing(source, chunks))
        with self._changed:
            known = self._open.get(job_id, {}).get(source, {})
            for chunk in chunks:
                if chunk not in missing:
                    known.pop(chunk, None)
