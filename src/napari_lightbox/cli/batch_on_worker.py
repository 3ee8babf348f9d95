"""What a worker of a cluster does for a batch: one task is one file, read and written there."""

from __future__ import annotations

import threading
from contextlib import ExitStack
from typing import Any

import dask
from distributed import Reschedule, get_worker
from distributed.core import Status

from napari_lightbox.cli.batch_attempts import Attempts
from napari_lightbox.cli.batch_file import FileTask, run_file
from napari_lightbox.cli.batch_work import Work
from napari_lightbox.engine.control import Control
from napari_lightbox.errors import CancelledError
from napari_lightbox.io.batch_report import Entry
from napari_lightbox.settings import settings

_ENDING = (Status.closing, Status.closed, Status.failed)


def run_on_worker(work: Work, task: FileTask, attempts: Attempts, most: int) -> Entry | None:
    """Work on one file; returns None when that has ended so many workers before."""
    if attempts.count() >= most:
        return None
    worker = get_worker()
    control = _WorkerControl(worker, worker.get_current_task())
    attempts.begin()
    try:
        with _HERE:
            return run_file(work, task, control)
    except CancelledError:
        # nobody listens, or this worker ends and another one is to try
        raise Reschedule from None
    finally:
        attempts.end()


class _WorkerControl(Control):
    """Stops when the scheduler takes the task back: the batch was stopped, or it died."""

    def __init__(self, worker: Any, key: Any) -> None:
        super().__init__()
        self._worker = worker
        self._key = key

    @property
    def cancelled(self) -> bool:
        """Whether nobody wants the task any more."""
        task = self._worker.state.tasks.get(self._key)
        return task is None or task.state == "cancelled" or self._worker.status in _ENDING

    def check(self) -> None:
        """Raise when nobody wants the task any more."""
        if self.cancelled:
            self.cancel()
        super().check()


class _Here:
    """Has lazy arrays computed by threads of this worker while it works on files.

    From inside of a task dask would send them to the scheduler otherwise. Its setting is one for the whole process, so the last
    file that ends takes it back.
    """

    def __init__(self) -> None:
        self._files = 0
        self._lock = threading.Lock()
        self._scope = ExitStack()

    def __enter__(self) -> None:
        with self._lock:
            if self._files == 0:
                self._scope.enter_context(dask.config.set(scheduler="threads", num_workers=settings().threads))
            self._files += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._files -= 1
            if self._files == 0:
                self._scope.close()


_HERE = _Here()
