"""Run, cancel, progress and message of one dock."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from napari_lightbox.engine.runner import Job, Outcome
from napari_lightbox.widgets.plain_label import PlainLabel
from napari_lightbox.widgets.progress_bar import ProgressBar
from napari_lightbox.widgets.worker import Watch


class RunBar(QWidget):  # type: ignore[misc]
    """Buttons and progress; follows one job at a time.

    Emits `asked` when the user presses Run, `failed(error)` when a run fails.
    """

    asked = Signal()
    failed = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self._watch: Watch | None = None
        self.run = QPushButton("Run")
        self.run.setToolTip("Run on the whole image")
        self.cancel = QPushButton("Cancel")
        self.cancel.setToolTip("Stop at the next chunk; nothing half-done is left")
        self.reset = QPushButton("Reset")
        self.reset.setToolTip("Set all parameters to their defaults")
        self.help = QPushButton("Help")
        self.progress = ProgressBar()
        self.message = PlainLabel()
        buttons = QHBoxLayout()
        buttons.addWidget(self.run, 2)
        for button in (self.cancel, self.reset, self.help):
            buttons.addWidget(button, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(buttons)
        column.addWidget(self.progress)
        column.addWidget(self.message)
        self.run.clicked.connect(self.asked.emit)
        self.cancel.clicked.connect(self._cancel)
        self._show_state(False)

    @property
    def busy(self) -> bool:
        """Whether a job is being followed."""
        return self._watch is not None and self._watch.running

    def follow(self, job: Job, then: Callable[[Outcome], Any], *, lasting: bool = False) -> Watch:
        """Show how a job goes, hand its outcome to `then` and return what follows it; the one followed before is dropped."""
        self.drop()
        watch = Watch(job, lasting=lasting)
        self._watch = watch
        self._show_state(True)
        self.message.setText("Waiting…")
        watch.progressed.connect(self._progress)
        watch.finished.connect(lambda outcome: self._end("", lambda: then(outcome)))
        watch.failed.connect(lambda error: self._end(str(error), lambda: self.failed.emit(error)))
        watch.cancelled.connect(lambda: self._end("Cancelled; nothing was changed."))
        return watch

    def drop(self) -> None:
        """Hear no more of the job, and cancel it unless it is a lasting one."""
        if self._watch is not None:
            self._watch.release()
            self._watch = None

    def _cancel(self) -> None:
        if self._watch is not None:
            self.message.setText("Stopping…")
            self._watch.cancel()

    def _progress(self, fraction: float, message: str) -> None:
        self.progress.show_fraction(fraction)
        self.message.setText(f"{message} · {fraction:.0%}" if message else f"{fraction:.0%}")

    def _end(self, message: str, then: Callable[[], Any] = lambda: None) -> None:
        self._watch = None
        self._show_state(False)
        self.message.setText(message)
        then()

    def _show_state(self, running: bool) -> None:
        self.run.setEnabled(not running)
        self.cancel.setEnabled(running)
        self.progress.show_fraction(0.0)
        self.progress.setVisible(running)
