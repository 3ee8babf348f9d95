"""States of sequences, kept within a share of the memory budget."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Any

import numpy as np

from napari_lightbox.settings import settings

SHARE = 0.125


class Checkpoints:
    """Least recently used states by link; when room is short, every other one of a chain goes first."""

    def __init__(self) -> None:
        self._states: OrderedDict[Any, tuple[Any, int]] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def holds(self, link: Any) -> bool:
        """Tell whether the state after a block is at hand."""
        with self._lock:
            return link in self._states

    def get(self, link: Any) -> Any:
        """Return the state after a block."""
        with self._lock:
            self._states.move_to_end(link)
            return self._states[link][0]

    def put(self, link: Any, state: Any) -> None:
        """Keep the state after a block."""
        size = _size(state)
        with self._lock:
            if link in self._states:
                return
            self._states[link] = (state, size)
            self._bytes += size
            self._thin()

    def clear(self) -> None:
        """Forget all states."""
        with self._lock:
            self._states.clear()
            self._bytes = 0

    def _thin(self) -> None:
        room = settings().memory_budget * SHARE
        if self._bytes <= room:
            return
        # dropping every second state keeps the way to any frame short, unlike dropping the oldest ones
        for link in list(self._states)[:-1:2]:
            self._bytes -= self._states.pop(link)[1]


def _size(state: Any) -> int:
    if isinstance(state, dict):
        return sum(map(_size, state.values()))
    return int(state.nbytes) if isinstance(state, np.ndarray) else 64


checkpoints = Checkpoints()
