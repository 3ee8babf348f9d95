"""Whoever wants to hear of every change of a job or a training."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

Callback = Callable[[Any], None]


class Observers:
    """Callbacks, in the order in which they came."""

    def __init__(self) -> None:
        self._callbacks: list[Callback] = []
        self._lock = threading.Lock()

    def add(self, callback: Callback) -> Callable[[], None]:
        """Add a callback and return the function that takes it out again."""
        with self._lock:
            self._callbacks.append(callback)

        def end() -> None:
            with self._lock:
                if callback in self._callbacks:
                    self._callbacks.remove(callback)

        return end

    def tell(self, job: Any) -> None:
        """Call all of them."""
        with self._lock:
            callbacks = list(self._callbacks)
        for callback in callbacks:
            callback(job)
