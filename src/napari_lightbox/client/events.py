"""Follow a job: the lines of its event stream, opened again whenever it breaks."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from napari_lightbox.client.connection import MOST_MESSAGE, Connection
from napari_lightbox.client.http import httpx
from napari_lightbox.client.patience import Patience
from napari_lightbox.client.replies import parsed
from napari_lightbox.errors import BusyError, ConnectionLostError, LightboxError, QuotaError, WireError


@dataclass(frozen=True)
class Event:
    """Something that happened to a job: a name and what came with it."""

    name: str
    data: Any


def read_events(pieces: Iterable[bytes]) -> Iterator[Event]:
    """Yield the events of a stream in the format of ``text/event-stream``.

    Raises
    ------
    LightboxError
        A line or an event has no end, or holds no JSON.
    """
    name, size = "", 0
    lines: list[str] = []
    for line in _lines(pieces):
        if not line:
            if lines:
                yield Event(name or "message", parsed("\n".join(lines)))
            name, lines, size = "", [], 0
            continue
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if field == "event":
            name = value
        elif field == "data":
            size += len(value)
            _check_size(size)
            lines.append(value)


def _lines(pieces: Iterable[bytes]) -> Iterator[str]:
    rest = bytearray()
    for piece in pieces:
        rest += piece
        _check_size(len(rest))
        if b"\n" not in piece:
            continue
        *whole, last = rest.split(b"\n")
        for line in whole:
            yield line.rstrip(b"\r").decode("utf-8", "replace")
        rest = last


def _check_size(size: int) -> None:
    if size > MOST_MESSAGE:
        raise WireError("event", f"is longer than {MOST_MESSAGE} bytes", "Tell who runs the server")


class EventStream:
    """The events of one job, until somebody stops it.

    Parameters
    ----------
    connection
        Way to the server.
    job_id
        Which job.
    begun
        Its events as the answer to something else, which is read first.
    """

    def __init__(self, connection: Connection, job_id: str, begun: httpx.Response | None = None) -> None:
        self._connection = connection
        self._path = f"/v1/jobs/{job_id}/events"
        self._stopped = threading.Event()
        self._hang_up: Any = None
        self._begun = begun

    def stop(self) -> None:
        """End the iteration, from any thread."""
        self._stopped.set()
        begun, self._begun = self._begun, None
        if begun is not None:
            begun.close()
        hang_up = self._hang_up
        if hang_up is not None:
            hang_up()

    def __iter__(self) -> Iterator[Event]:
        """Yield events; the first one tells the present state.

        Raises
        ------
        LightboxError
            The job is gone, or the server stays away for longer than the connection's patience.
        """
        waits = Patience(self._connection.patience, self._stopped)
        while not self._stopped.is_set():
            problem: LightboxError = ConnectionLostError(
                self._connection.url, "ends the news of a job before the job ends", "See the log of the server"
            )
            try:
                for event in self._once():
                    waits.reset()
                    yield event
            except (ConnectionLostError, BusyError, QuotaError) as error:
                problem = error
            if self._connection.closed.is_set():
                raise problem
            try:
                waits.pause(problem)
            except LightboxError:
                if not self._stopped.is_set():
                    raise

    def _once(self) -> Iterator[Event]:
        begun, self._begun = self._begun, None
        with self._connection.stream(self._path, begun) as (pieces, hang_up):
            self._hang_up = hang_up
            try:
                if not self._stopped.is_set():
                    yield from read_events(pieces)
            finally:
                self._hang_up = None
