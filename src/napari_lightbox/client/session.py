"""Keep what was sent from being cleared away while this process lives."""

from __future__ import annotations

import threading
import time
import weakref
from collections import OrderedDict
from collections.abc import Sequence
from contextlib import suppress
from typing import Protocol

from napari_lightbox.client.answers import field, identity
from napari_lightbox.client.connection import Connection
from napari_lightbox.client.uploading import Registration, register
from napari_lightbox.errors import GoneError, LightboxError, NotFoundError
from napari_lightbox.wire import ArrayCard

MOST_SOURCES = 32
_KEEP_SECONDS = 600.0
_SHORTEST_BEAT, _LONGEST_BEAT = 0.2, 30.0


class Kept(Protocol):
    """A job whose results somebody still looks at."""

    def keep(self) -> None:
        """Have the server keep them for longer."""


class Session:
    """A lease on the arrays that were sent last, renewed by a heartbeat.

    When the server ends it, because nobody did anything for long or because the heartbeat did not come through, it is opened
    again at the next use: the server is told about the same arrays, and nothing that it still has is sent twice.

    Parameters
    ----------
    connection
        Way to the server.

    Raises
    ------
    LightboxError
        The server does not let us in.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._held: OrderedDict[str, Registration] = OrderedDict()
        self._kept: weakref.WeakSet[Kept] = weakref.WeakSet()
        self._lock = threading.Lock()
        # a list of all that is to be kept must not cross with one more
        self._telling = threading.Lock()
        self._wake = threading.Event()
        self._closed = False
        self._active = self._changed = False
        # what the server keeps and need not is told with the next heartbeat
        self._surplus = False
        self._renewed = time.monotonic()
        self._id: str | None = None
        self._beat_seconds = _LONGEST_BEAT
        self._open()
        self._thread = threading.Thread(target=self._work, name="lightbox-session", daemon=True)
        self._thread.start()

    def register(self, card: ArrayCard, hashes: Sequence[str] | None) -> tuple[Registration, list[int]]:
        """Tell the server about an array that it is to keep; returns its name there and the chunks that are missing."""
        with self._telling:
            registration, missing, held = register(self._connection, card, hashes, self._id)
            self._note(registration, told=held)
        return registration, missing

    def hold(self, registration: Registration) -> None:
        """Keep an array on the server, and let go of the one that was not used for longest."""
        self._note(registration, told=False)

    def holds(self, id: str) -> bool:  # noqa: A002
        """Tell whether the server was asked to keep an array."""
        with self._lock:
            return id in self._held

    def forget(self, id: str) -> None:  # noqa: A002
        """Hear that the server does not have an array any more."""
        with self._lock:
            self._held.pop(id, None)

    def keep(self, job: Kept) -> None:
        """Have the results of a job kept as long as somebody here holds it."""
        self._kept.add(job)

    def touch(self) -> None:
        """Say that somebody is at work."""
        self._active = True
        if self._changed or self._id is None:
            self._wake.set()

    def close(self) -> None:
        """Let go of everything."""
        self._closed = True
        self._wake.set()
        session, self._id = self._id, None
        if session is not None:
            with suppress(LightboxError):
                self._connection.ask("DELETE", f"/v1/sessions/{session}", patience=0.0)

    def _note(self, registration: Registration, told: bool) -> None:
        with self._lock:
            self._changed |= registration.id not in self._held and not told
            self._held[registration.id] = registration
            self._held.move_to_end(registration.id)
            while len(self._held) > MOST_SOURCES:
                self._held.popitem(last=False)
                self._surplus = True
        self.touch()

    def _work(self) -> None:
        while not self._closed:
            self._wake.wait(self._beat_seconds)
            self._wake.clear()
            if self._closed or self._connection.closed.is_set():
                return
            with suppress(LightboxError):
                self._beat()

    def _beat(self) -> None:
        active, self._active = self._active, False
        if self._changed or self._surplus or (self._id is None and active):
            self._open()
        elif self._id is not None:
            try:
                self._connection.post(f"/v1/sessions/{self._id}/beat", {"active": active})
            except (GoneError, NotFoundError):
                self._id = None
                if active:
                    self._restore()
        if time.monotonic() - self._renewed > _KEEP_SECONDS:
            self._renewed = time.monotonic()
            for job in list(self._kept):
                with suppress(LightboxError):
                    job.keep()

    def _open(self) -> None:
        """Have the server keep what is held now, in the session that there is or in a new one."""
        with self._telling:
            self._tell_all()

    def _tell_all(self) -> None:
        with self._lock:
            self._changed = self._surplus = False
            ids = list(self._held)
        try:
            try:
                self._tell(ids)
            except (GoneError, NotFoundError):
                self._restore()
        except LightboxError:
            self._changed = True
            raise

    def _tell(self, ids: list[str]) -> None:
        if self._id is None:
            self._enter(ids)
        else:
            self._connection.post(f"/v1/sessions/{self._id}/sources", {"sources": ids})

    def _enter(self, ids: list[str]) -> None:
        answer = self._connection.post("/v1/sessions", {"sources": ids})
        self._id = identity(field(answer, "id", str))
        dead = answer.get("dead_s")
        known = isinstance(dead, (int, float)) and dead > 0
        self._beat_seconds = min(max(dead / 4, _SHORTEST_BEAT), _LONGEST_BEAT) if known else _LONGEST_BEAT

    def _restore(self) -> None:
        """Tell the server about the arrays again; those that were computed bit by bit are forgotten until their next use."""
        with self._lock:
            held = list(self._held.values())
        for registration in held:
            if registration.hashes is None:
                self.forget(registration.id)
                continue
            again, *_ = register(self._connection, registration.card, registration.hashes)
            if again.id != registration.id:
                self.forget(registration.id)
        with self._lock:
            ids = list(self._held)
        before = self._id
        self._enter(ids)
        if before is not None:
            with suppress(LightboxError):
                self._connection.delete(f"/v1/sessions/{before}")
