"""One run seen from the GUI: what a job reports in any thread arrives as Qt signals in the GUI's thread."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from qtpy.QtCore import QObject, Signal

from napari_lightbox.engine.runner import Job
from napari_lightbox.errors import ServerError
from napari_lightbox.widgets.courtesy import rest, window_first
from napari_lightbox.widgets.doorbell import in_gui_thread

_ENDS = ("done", "failed", "cancelled")


class Watch(QObject):  # type: ignore[misc]
    """Follow one job until it ends or `release` is called.

    Emits `progressed(fraction, message)`, then exactly one of `finished(outcome)`, `failed(error)`, `cancelled()`.

    Parameters
    ----------
    job
        What to follow.
    lasting
        Whether the job goes on when nobody follows it any more, as runs on a server do.
    """

    progressed = Signal(float, str)
    finished = Signal(object)
    failed = Signal(object)
    cancelled = Signal()

    def __init__(self, job: Job, *, lasting: bool = False) -> None:
        super().__init__()
        self._job: Job | None = job
        self._lasting = lasting
        self._courtesy = window_first()
        ring = in_gui_thread(self._read)
        self._unsubscribe: Callable[[], Any] = job.subscribe(ring)
        ring(job)

    @property
    def running(self) -> bool:
        """Whether the job may still report something."""
        return self._job is not None

    def cancel(self) -> None:
        """Ask the job to stop; `cancelled` follows."""
        if self._job is not None:
            self._job.cancel()

    def release(self) -> None:
        """Hear no more of the job, and cancel it unless it is a lasting one."""
        job = self._job
        self._end()
        if job is not None and not self._lasting:
            job.cancel()

    def _read(self, job: Job) -> None:
        """Pass a report on."""
        if self._job is None:
            return
        status = job.status
        if status not in _ENDS:
            self.progressed.emit(job.fraction, job.message)
            return
        self._end()
        if status == "cancelled":
            self.cancelled.emit()
            return
        try:
            outcome = job.result(0)
            if status == "failed":
                # a lazy result was there before the run broke off
                raise _reason(job)
        except Exception as error:  # noqa: BLE001 - whatever the run raised is shown to the user
            self.failed.emit(error)
        else:
            self.finished.emit(outcome)

    def _end(self) -> None:
        self._job = None
        self._unsubscribe()
        rest(self._courtesy)


def _reason(job: Job) -> BaseException:
    known = getattr(job, "error", None)
    return known if isinstance(known, Exception) else ServerError("run", "broke off", "Run it again, or tell who runs the server")
