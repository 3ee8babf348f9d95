"""Calls from any thread, answered in the GUI's thread."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import cache
from typing import Any
from weakref import WeakMethod

from qtpy.QtCore import QObject, Qt, Signal


class _Doorbell(QObject):  # type: ignore[misc]
    """Lives as long as the application, so that no thread can be the last to let go of it."""

    rung = Signal(object, object)

    def __init__(self) -> None:
        super().__init__()
        self.rung.connect(self._answer, Qt.ConnectionType.QueuedConnection)

    def _answer(self, method: WeakMethod[Callable[..., Any]], arguments: tuple[Any, ...]) -> None:
        call = method()
        if call is not None:
            call(*arguments)


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
