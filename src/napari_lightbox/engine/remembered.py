"""Small results that are worth keeping between computations of one process."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Any


class Remembered:
    """Small results by key; those not asked for longest go first."""

    def __init__(self, size: int) -> None:
        self._values: OrderedDict[Any, Any] = OrderedDict()
        self._size = size
        self._lock = threading.Lock()

    def get(self, key: Any) -> tuple[bool, Any]:
        """Return whether the key is known, and its value."""
        with self._lock:
            if key not in self._values:
                return False, None
            self._values.move_to_end(key)
            return True, self._values[key]

    def put(self, key: Any, value: Any) -> None:
        """Keep a value."""
        with self._lock:
            self._values[key] = value
            self._values.move_to_end(key)
            while len(self._values) > self._size:
                self._values.popitem(last=False)

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._values.clear()


#: finished statistics and label joins, by the name of what they were taken of
cache = Remembered(4096)

#: single values of blocks that were computed for the sake of their arrays
memo = Remembered(200_000)
