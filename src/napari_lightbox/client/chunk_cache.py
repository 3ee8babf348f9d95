"""Chunks of results that were fetched lately, as many as fit."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Any

from numpy.typing import NDArray

Key = tuple[str, tuple[int, ...]]


class ChunkCache:
    """Read-only chunks by array and index; those not asked for longest go first.

    A chunk of a result never changes once it is written, so what is here need not be asked for again.

    Parameters
    ----------
    most
        Bytes to keep.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._held = 0
        self._chunks: OrderedDict[Key, tuple[NDArray[Any], int]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Key) -> NDArray[Any] | None:
        """Return a chunk, None when it is not here."""
        with self._lock:
            if key not in self._chunks:
                return None
            self._chunks.move_to_end(key)
            return self._chunks[key][0]

    def put(self, key: Key, values: NDArray[Any], size: int) -> None:
        """Keep a chunk that takes so many bytes."""
        with self._lock:
            before = self._chunks.pop(key, None)
            self._held += size - (0 if before is None else before[1])
            self._chunks[key] = values, size
            while self._held > self._most:
                _, (_, freed) = self._chunks.popitem(last=False)
                self._held -= freed

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._chunks.clear()
            self._held = 0
