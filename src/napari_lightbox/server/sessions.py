"""Clients that are there: what they sent is kept for them until they leave, fall silent, or do nothing for long."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from napari_lightbox.errors import GoneError, NotFoundError


@dataclass
class Session:
    """A client: whose it is, when it gave a sign of life, when it last did something, and what it keeps."""

    owner: str
    heard: float
    acted: float
    sources: frozenset[str] = frozenset()


class Sessions:
    """All clients that are there.

    Parameters
    ----------
    sources
        Keeps what clients sent.
    idle
        Seconds without work after which a session ends.
    dead
        Seconds without a sign of life after which a session ends.
    clock
        Seconds that only go forward.
    """

    def __init__(self, sources: Any, idle: float, dead: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.idle = idle
        self.dead = dead
        self._sources = sources
        self._clock = clock
        self._sessions: dict[str, Session] = {}
        self._lock = threading.Lock()

    def create(self, owner: str, sources: Sequence[str]) -> str:
        """Begin a session and keep some sources for it; return its name.

        Raises
        ------
        NotFoundError
            There is no such source, or it is somebody else's.
        """
        self._check(owner, sources)
        name, now = secrets.token_hex(16), self._clock()
        with self._lock:
            self._sessions[name] = Session(owner, now, now)
        self.hold(name, owner, sources)
        return name

    def hold(self, name: str, owner: str, sources: Sequence[str]) -> None:
        """Keep some sources for a session, and let go of all others that it kept.

        Raises
        ------
        GoneError
            The session is over.
        NotFoundError
            There is no such source, or it is somebody else's; nothing changes.
        """
        # a session that ends meanwhile lets go of what it held when it ended
        with self._lock:
            self._hold(self._own(name, owner), name, frozenset(sources))

    def add(self, name: str, owner: str, source: str) -> bool:
        """Keep one more source for a session; tells whether there is this session."""
        with self._lock:
            try:
                session = self._own(name, owner)
            except GoneError:
                return False
            self._hold(session, name, session.sources | {source})
        return True

    def beat(self, name: str, owner: str, active: bool = False) -> None:
        """Note a sign of life, and whether the client does something.

        Raises
        ------
        GoneError
            The session is over.
        """
        self.sweep()
        with self._lock:
            session = self._own(name, owner)
            session.heard = self._clock()
            if active:
                session.acted = session.heard

    def end(self, name: str, owner: str) -> None:
        """End a session; what it kept may go.

        Raises
        ------
        GoneError
            It is over already.
        """
        with self._lock:
            self._own(name, owner)
            del self._sessions[name]
        self._sources.unpin(_holder(name))

    def sweep(self) -> None:
        """End the sessions whose time is over."""
        with self._lock:
            over = [name for name, session in self._sessions.items() if self._is_over(session)]
            for name in over:
                del self._sessions[name]
        for name in over:
            with suppress(NotFoundError):
                self._sources.unpin(_holder(name))

    def _hold(self, session: Session, name: str, wanted: frozenset[str]) -> None:
        self._check(session.owner, wanted - session.sources)
        for source in wanted - session.sources:
            self._sources.pin(source, _holder(name))
        for source in session.sources - wanted:
            self._sources.unpin(_holder(name), source)
        session.sources = wanted
        session.heard = session.acted = self._clock()

    def _check(self, owner: str, sources: Iterable[str]) -> None:
        for source in sources:
            if not self._is_of(source, owner):
                raise NotFoundError("source", f"{source[:40]} is not there", "Send the array again")

    def _is_of(self, source: str, owner: str) -> bool:
        try:
            return owner in self._sources.owners(source)
        except NotFoundError:
            # said in the same words as of those of others, which must not be found by asking
            return False

    def _is_over(self, session: Session) -> bool:
        now = self._clock()
        return now - session.heard > self.dead or now - session.acted > self.idle

    def _own(self, name: str, owner: str) -> Session:
        session = self._sessions.get(name)
        if session is None or session.owner != owner:
            raise GoneError("session", "is over", "Begin a new one, and send again what is missing")
        return session


def _holder(name: str) -> str:
    return f"session-{name}"
