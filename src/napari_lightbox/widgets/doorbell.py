"""Calls from any thread, answered in the GUI's thread, each in a turn of the event loop that is not also used for drawing."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from typing import Any
from weakref import WeakMethod

from qtpy.QtCore import QObject, Qt, QTimer, Signal

TURN_SECONDS, REST_MS = 0.01, 1

Call = tuple[WeakMethod[Callable[..., Any]], tuple[Any, ...]]


class _Doorbell(QObject):  # type: ignore[misc]
    """Lives as long as the application, so that no thread can be the last to let go of it."""

    rung = Signal(object, object)

    def __init__(self) -> None:
        super().__init__()
        self._calls: deque[Call] = deque()
        # Qt draws what changed in a signal's turn in that same turn, what changed in a timer's turn in the next one
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._answer)
        self.rung.connect(self._hear, Qt.ConnectionType.QueuedConnection)

    def _hear(self, method: WeakMethod[Callable[..., Any]], arguments: tuple[Any, ...]) -> None:
        self._calls.append((method, arguments))
        if not self._timer.isActive():
            self._timer.start(REST_MS)

    def _answer(self) -> None:
        end = time.perf_counter() + TURN_SECONDS
        try:
            while self._calls and time.perf_counter() < end:
                method, arguments = self._calls.popleft()
                call = method()
                if call is not None:
                    call(*arguments)
        finally:
            if self._calls:
                self._timer.start(REST_MS)


@cache
def _doorbell() -> _Doorbell:
    return _Doorbell()


def in_gui_thread(method: Callable[..., Any]) -> Callable[..., None]:
    """Return a function for any thread that has a method of an object called later in the GUI's thread.

    It does not keep the object alive: a thread that let go of a Qt object last would destroy it under the GUI's hands.
    Must be called in the GUI's thread; when the object is gone, or the window, nothing is called.
    """
    bell, weak = _doorbell(), WeakMethod(method)

    def ring(*arguments: Any) -> None:
        with suppress(RuntimeError):
            bell.rung.emit(weak, arguments)

    return ring
