"""Send chunks, a few at a time and small ones together, those first that the server waits for."""

from __future__ import annotations

import heapq
import threading
from collections import Counter
from collections.abc import Iterable
from itertools import count
from typing import Protocol

from napari_lightbox.client.connection import Connection
from napari_lightbox.client.uploading import Upload
from napari_lightbox.engine.remembered import Remembered
from napari_lightbox.errors import ConnectionLostError

THREADS, MOST_THREADS, KINDS = 3, 8, 64

Key = tuple[str, int]
Item = tuple[int, int, Upload, int]


class Owner(Protocol):
    """Whoever needs chunks to be sent."""

    @property
    def is_over(self) -> bool:
        """Whether they are not needed any more."""

    def fail(self, error: BaseException) -> None:
        """Hear that a chunk cannot be sent."""


class Sender:
    """Threads that send chunks; never are more of them in memory than there are threads, unless they are small.

    No array takes all threads, so that one that is slow to compute does not hold up the others.

    Parameters
    ----------
    connection
        Way to the server.
    threads
        How many chunks of one array to send at once.
    """

    def __init__(self, connection: Connection, threads: int = THREADS) -> None:
        self._connection = connection
        self._most = threads
        self._threads: list[threading.Thread] = []
        self._queues: dict[str, list[Item]] = {}
        self._owners: dict[Key, list[Owner]] = {}
        self._running: set[Key] = set()
        self._busy: Counter[str] = Counter()
        self._order = count()
        self._change = threading.Condition()
        self._closed = False
        self._bunches = Remembered(KINDS)

    def send(self, upload: Upload, chunks: Iterable[int], owner: Owner, *, urgent: bool) -> None:
        """Have chunks sent, each once; those that somebody waits for go before all others."""
        with self._change:
            # a film is like the one before it; of what somebody looks at no more than that is asked for anyway
            upload.expect(self._bunches.get(upload.kind)[1] or 1)
            queue = self._queues.setdefault(upload.id, [])
            for number in chunks:
                owners = self._owners.setdefault((upload.id, number), [])
                if owner not in owners:
                    owners.append(owner)
                elif not urgent:
                    continue
                heapq.heappush(queue, (0 if urgent else 1, next(self._order), upload, number))
            self._start()
            self._change.notify_all()

    def close(self) -> None:
        """Stop sending."""
        with self._change:
            self._closed = True
            self._queues.clear()
            self._owners.clear()
            self._change.notify_all()

    def _start(self) -> None:
        """Have a thread for whatever may be sent now; those that have not begun yet are spoken for too."""
        names = self._queues.keys() | self._busy.keys()
        wanted = sum(min(self._most, self._busy[name] + len(self._queues.get(name, ()))) for name in names)
        while len(self._threads) < min(wanted, MOST_THREADS) and not self._closed:
            thread = threading.Thread(target=self._work, name="lightbox-send", daemon=True)
            self._threads.append(thread)
            thread.start()

    def _work(self) -> None:
        while (found := self._next()) is not None:
            upload, chunks = found
            self._send(upload, chunks)
            with self._change:
                self._busy -= Counter([upload.id])
                self._change.notify()
            # an idle thread must not keep the last volume in memory
            del upload, found

    def _send(self, upload: Upload, chunks: list[int]) -> None:
        try:
            upload.send(self._connection, chunks)
            self._bunches.put(upload.kind, upload.bunch)
        except BaseException as error:  # noqa: BLE001 - whatever happens belongs to whoever needs the chunk
            if len(chunks) == 1 or isinstance(error, ConnectionLostError):
                for owner in self._end(upload, chunks):
                    owner.fail(error)
                return
        else:
            self._end(upload, chunks)
            return
        # one of them is the cause: the others must not suffer
        for chunk in chunks:
            with self._change:
                needed = self._is_needed((upload.id, chunk))
            if needed:
                self._send(upload, [chunk])
            else:
                self._end(upload, [chunk])

    def _next(self) -> tuple[Upload, list[int]] | None:
        """Return the next chunks that are still needed and that no other thread sends; None when it is over."""
        with self._change:
            while not self._closed:
                # what it looked at is forgotten before the wait, which may be long
                found = self._needed()
                if found is not None:
                    return found
                self._change.wait()
        return None

    def _needed(self) -> tuple[Upload, list[int]] | None:
        """Return chunks of one array to send, and note that they are being sent; None when there are none now."""
        while (queue := self._best()) is not None:
            urgency, _, upload, _ = queue[0]
            chunks: list[int] = []
            while queue and queue[0][0] == urgency and len(chunks) < upload.bunch:
                number = heapq.heappop(queue)[-1]
                if self._take(upload, number):
                    chunks.append(number)
            if chunks:
                self._busy[upload.id] += 1
                return upload, chunks
        return None

    def _take(self, upload: Upload, number: int) -> bool:
        """Note that a chunk is being sent; tells whether it is still needed and no other thread sends it."""
        key = (upload.id, number)
        if key in self._running:
            return False
        if not self._is_needed(key):
            self._owners.pop(key, None)
            return False
        self._running.add(key)
        return True

    def _is_needed(self, key: Key) -> bool:
        return any(not owner.is_over for owner in self._owners.get(key, ()))

    def _best(self) -> list[Item] | None:
        """Return the queue whose first chunk comes next, of those whose array has not its share of threads yet."""
        self._queues = {name: queue for name, queue in self._queues.items() if queue}
        open_queues = [queue for name, queue in self._queues.items() if self._busy[name] < self._most]
        return min(open_queues, key=lambda queue: queue[0][:2], default=None)

    def _end(self, upload: Upload, chunks: list[int]) -> list[Owner]:
        """Note that chunks are no longer being sent, and return whoever needed them, each once."""
        keys = [(upload.id, number) for number in chunks]
        with self._change:
            self._running.difference_update(keys)
            return list(dict.fromkeys(owner for key in keys for owner in self._owners.pop(key, [])))
