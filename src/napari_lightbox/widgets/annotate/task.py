"""One call in a thread of its own, answered in the GUI's thread; for work that is no technique's run."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from typing import Any

from qtpy.QtCore import QObject, Signal

from napari_lightbox.engine.control import Control
from napari_lightbox.widgets.courtesy import rest, window_first
from napari_lightbox.widgets.doorbell import in_gui_thread


class Task(QObject):  # type: ignore[misc]
    """Runs `call(control)`; emits `finished(value)` or `failed(error)`, and nothing after `release`."""

    finished = Signal(object)
    failed = Signal(object)
    progressed = Signal(float, str)

    def __init__(self, call: Callable[[Control], Any], name: str) -> None:
        super().__init__()
        self._begun = False
        self._over = False
        self._control = Control(in_gui_thread(self._report))
        self._courtesy = ExitStack()
        work = partial(_run, call, self._control, in_gui_thread(self._answer))
        self._thread = threading.Thread(target=work, name=f"lightbox-{name}", daemon=True)

    @property
    def running(self) -> bool:
        """Whether an answer is still to come."""
        return self._begun and not self._over

    def start(self) -> None:
        """Begin."""
        self._begun = True
        self._courtesy = window_first()
        self._thread.start()

    def release(self) -> None:
        """Stop at the next opportunity and report nothing more."""
        self._over = True
        rest(self._courtesy)
        self._control.cancel()

    def _report(self, fraction: float, message: str) -> None:
        if not self._over:
            self.progressed.emit(fraction, message)

    def _answer(self, value: Any, error: Exception | None) -> None:
        if self._over:
            return
        self._over = True
        rest(self._courtesy)
        if error is not None:
            self.failed.emit(error)
        else:
            self.finished.emit(value)


def _run(call: Callable[[Control], Any], control: Control, answer: Callable[..., None]) -> None:
    try:
        value, error = call(control), None
    except Exception as failure:  # noqa: BLE001 - whatever went wrong is shown to the user
        value, error = None, failure
    answer(value, error)
