"""Which chunks of pushed sources lie on the disk: those in use, and the last ones that were."""

from __future__ import annotations

import threading
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

from napari_lightbox.errors import NotFoundError

Chunk = tuple[str, int]


class Held:
    """Lets the disk forget chunks that a client can send again, those not used longest first.

    Parameters
    ----------
    sources
        Where they are.
    disk
        Counts them.
    room
        Bytes of unused chunks that stay.
    free
        Gives the disk what was forgotten.
    """

    def __init__(self, sources: Any, disk: Any, room: int, free: Callable[[], None]) -> None:
        self._sources = sources
        self._disk = disk
        self._room = room
        self._free = free
        self._forgotten = 0
        self._uses: Counter[Chunk] = Counter()
        self._idle: OrderedDict[Chunk, int] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def hold(self, source: str, chunks: Iterable[int]) -> None:
        """Keep some chunks until they are released."""
        with self._lock:
            for chunk in chunks:
                self._uses[source, chunk] += 1
                self._bytes -= self._idle.pop((source, chunk), 0)

    def release(self, source: str, chunks: Iterable[int], nbytes: int) -> None:
        """Let go of some chunks of so many bytes each."""
        dropped: dict[str, list[int]] = {}
        with self._lock:
            for chunk in chunks:
                self._uses[source, chunk] -= 1
                if self._uses[source, chunk] <= 0:
                    del self._uses[source, chunk]
                    self._idle[source, chunk] = nbytes
                    self._bytes += nbytes
            while self._bytes > self._room:
                (other, chunk), size = self._idle.popitem(last=False)
                self._bytes -= size
                self._forgotten += size
                dropped.setdefault(other, []).append(chunk)
            # while nobody else can start to hold them
            for other, numbers in dropped.items():
                with suppress(NotFoundError):
                    self._drop(other, numbers)
            freeing = self._forgotten > self._room
            if freeing:
                self._forgotten = 0
        if freeing:
            self._free()

    def _drop(self, name: str, chunks: Iterable[int]) -> None:
        """Forget some chunks, so that they can be asked for again."""
        source, owners = self._sources.get(name), self._sources.owners(name)
        for chunk in chunks:
            if source.table[chunk] is not None:
                source.table[chunk] = None
                for owner in owners:
                    self._disk.add(owner, -source.nbytes(chunk))
