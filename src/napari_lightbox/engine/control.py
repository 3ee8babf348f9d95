"""Follow and stop a run: one object the engine reports to and asks."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from dask.callbacks import Callback

from napari_lightbox.errors import CancelledError

Report = Callable[[float, str], None]


class Control:
    """Progress and cancel of one run.

    Parameters
    ----------
    report
        Called with (fraction, message); may be called from any thread.
    """

    def __init__(self, report: Report | None = None) -> None:
        self._report = report
        self._cancelled = threading.Event()

    def cancel(self) -> None:
        """Ask the run to stop at the next chunk boundary."""
        self._cancelled.set()

    @property
    def cancelled(self) -> bool:
        """Whether somebody asked to stop."""
        return self._cancelled.is_set()

    def check(self) -> None:
        """Raise when somebody asked to stop.

        Raises
        ------
        CancelledError
            The run was cancelled.
        """
        if self._cancelled.is_set():
            raise CancelledError("run", "was cancelled", "Nothing was changed; start it again when you are ready")

    def report(self, fraction: float, message: str = "") -> None:
        """Tell how far the run is, and stop it here if asked to."""
        self.check()
        if self._report is not None:
            self._report(min(max(fraction, 0.0), 1.0), message)


class Part(Control):
    """One of several equal parts of a run: reports its share of the whole and stops with it.

    Parameters
    ----------
    whole
        What the whole run reports to.
    number, total
        Which part of how many.
    name
        What it is, put in front of its messages.
    """

    def __init__(self, whole: Control, number: int, total: int, name: str = "") -> None:
        super().__init__()
        self._whole = whole
        self._number = number
        self._total = total
        self._name = name

    @property
    def cancelled(self) -> bool:
        """Whether somebody asked to stop the whole."""
        return self._whole.cancelled

    def check(self) -> None:
        """Raise when the whole was cancelled."""
        self._whole.check()

    def report(self, fraction: float, message: str = "") -> None:
        """Report the part's share."""
        said = ": ".join(text for text in (self._name, message) if text)
        self._whole.report((self._number + min(max(fraction, 0.0), 1.0)) / self._total, said)


class TaskProgress(Callback):  # type: ignore[misc]
    """Reports finished tasks of a dask computation between two fractions and stops it between tasks."""

    def __init__(self, control: Control, begin: float = 0.0, end: float = 1.0, message: str = "") -> None:
        super().__init__()
        self._control = control
        self._span = (begin, end)
        self._message = message

    def _pretask(self, key: Any, dsk: Any, state: Any) -> None:
        self._control.check()

    def _posttask(self, key: Any, result: Any, dsk: Any, state: Any, worker_id: Any) -> None:
        done = len(state["finished"])
        total = done + sum(len(state[k]) for k in ("ready", "waiting", "running"))
        begin, end = self._span
        self._control.report(begin + (end - begin) * done / max(total, 1), self._message)
