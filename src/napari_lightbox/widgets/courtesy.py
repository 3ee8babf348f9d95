"""How Python shares itself out while work goes on: the window first.

A full garbage collection visits every object of napari and its libraries, half a million of them, with the interpreter's
lock held: the window is deaf for 0.2 to 0.4 s. They are made rare; young garbage is collected as ever, and old garbage
once the result has been on the screen for a moment. Threads that wait for the lock get it after a millisecond, not five.
"""

from __future__ import annotations

import gc
import sys
from contextlib import ExitStack
from threading import Lock

from qtpy.QtCore import QTimer

RARER = 100
SWITCH_SECONDS = 0.001
REST_MS = 1000


class _Courtesy:
    """Holds from the first `__enter__` to the last `__exit__`, then all is as it was."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._inside = 0
        self._before = ExitStack()

    def __enter__(self) -> None:
        with self._lock:
            self._inside += 1
            if self._inside == 1:
                self._before = _set()

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._inside -= 1
            if self._inside == 0:
                self._before.close()


def _set() -> ExitStack:
    before = ExitStack()
    young, middle, old = gc.get_threshold()
    before.callback(gc.set_threshold, young, middle, old)
    before.callback(sys.setswitchinterval, sys.getswitchinterval())
    gc.set_threshold(young, middle, old * RARER)
    sys.setswitchinterval(min(SWITCH_SECONDS, sys.getswitchinterval()))
    return before


_courtesy = _Courtesy()


def window_first() -> ExitStack:
    """Put the window first from now on until the result's `close` is called."""
    stack = ExitStack()
    stack.enter_context(_courtesy)
    return stack


def rest(courtesy: ExitStack) -> None:
    """End a courtesy a second from now, when what the work brought is on the screen."""
    QTimer.singleShot(REST_MS, lambda: courtesy.close())  # Qt would let go of a method when whoever worked is gone
