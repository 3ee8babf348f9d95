"""Work in the GUI's thread that never holds it up: a generator advanced a few milliseconds at a time."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from functools import partial
from typing import Any

from qtpy.QtCore import QObject, QTimer, Signal

_SLICE_SECONDS = 0.02

Steps = Generator[None, None, Any]


class Stepper(QObject):  # type: ignore[misc]
    """Runs one generator at a time between the events of the window.

    Pixels that a person may paint meanwhile are read and written within one step, so no step sees them half changed.
    Emits `changed` when it begins and ends.
    """

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._steps: Steps | None = None
        self._then: Callable[[Any], Any] = lambda _: None
        self._failed: Callable[[Exception], Any] = lambda _: None
        self._timer = QTimer(self)
        self._timer.setInterval(0)
        self._timer.timeout.connect(self._advance)

    @property
    def busy(self) -> bool:
        """Whether something is being done."""
        return self._steps is not None

    def run(self, steps: Steps, then: Callable[[Any], Any], failed: Callable[[Exception], Any]) -> None:
        """Begin; `then` gets what the generator returns, `failed` what it raises."""
        self.drop()
        self._steps, self._then, self._failed = steps, then, failed
        self._timer.start()
        self.changed.emit()

    def drop(self) -> None:
        """Stop at once; the generator can tidy up where it stands."""
        self._timer.stop()
        steps, self._steps = self._steps, None
        if steps is not None:
            steps.close()
            self.changed.emit()

    def _advance(self) -> None:
        steps, end = self._steps, time.perf_counter() + _SLICE_SECONDS
        if steps is None:
            return
        try:
            while time.perf_counter() < end:
                next(steps)
        except StopIteration as stop:
            self._end(partial(self._then, stop.value))
        except Exception as error:  # noqa: BLE001 - whatever went wrong is shown to the user
            self._end(partial(self._failed, error))

    def _end(self, report: Callable[[], Any]) -> None:
        self._timer.stop()
        self._steps = None
        report()
        self.changed.emit()
