"""Runs engines on what was painted: one run per stroke, the newest wins."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from qtpy.QtCore import QObject, QTimer, Signal

from napari_lightbox.axes import Volume
from napari_lightbox.axes.order import CHANNEL
from napari_lightbox.engine.request import Region, Request
from napari_lightbox.engine.runner import Outcome, Runner
from napari_lightbox.errors import InputError, LightboxError
from napari_lightbox.widgets.annotate.plan import Piece, Plan, Planner
from napari_lightbox.widgets.annotate.scope import joined
from napari_lightbox.widgets.plugin_settings import apply_settings
from napari_lightbox.widgets.run_bar import RunBar

_STROKE_MS = 5
DRAWING_MS = 200


class Live(QObject):  # type: ignore[misc]
    """Turns strokes into runs.

    Emits `found(piece)` for a result that fits the seeds as they are now, `refused(error, region)` when a run cannot be made.

    Parameters
    ----------
    runner, bar
        Who runs, and where its progress is shown.
    plan
        Returns what the dock shows; raises while something is missing.
    """

    found = Signal(object)
    refused = Signal(object, object)

    def __init__(self, runner: Runner, bar: RunBar, plan: Callable[[], Plan]) -> None:
        super().__init__()
        self._runner = runner
        self._bar = bar
        self._plan = plan
        self.planner = Planner()
        self._stroke: Region | None = None
        self._last: Region | None = None
        self._failing: Region | None = None
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._start)

    @property
    def busy(self) -> bool:
        """Whether a run is on its way."""
        return self._timer.isActive() or self._bar.busy

    def painted(self, box: Sequence[slice]) -> None:
        """Run for a stroke once the event that brought it is over; what ran before is out of date."""
        self._stroke = joined(self._stroke, tuple(box))
        self._after(_STROKE_MS)

    def again(self, delay: int = _STROKE_MS) -> None:
        """Run for what is there, a moment from now."""
        self._after(delay)

    def now(self) -> None:
        """Run at once, on the seeds as they are."""
        self._timer.stop()
        self._start()

    def outdated(self) -> None:
        """Stop a run whose seeds are being changed; the end of the stroke starts the next."""
        self._bar.interrupt()

    def missed(self) -> None:
        """Run for the last stroke again with the next one: what it gave was not shown."""
        if self._last is not None:
            self._stroke = joined(self._stroke, self._last)

    def stop(self) -> None:
        """Stop whatever is on its way."""
        self._timer.stop()
        self._stroke = self._last = None
        self._bar.interrupt()

    def _after(self, delay: int) -> None:
        self._bar.interrupt()
        self._timer.start(max(delay, self._timer.remainingTime()))

    def _start(self) -> None:
        stroke, self._failing = self._stroke or self._last, None
        self._bar.interrupt()
        try:
            apply_settings()
            plan = self._plan()
            request, region = self.planner.request(plan, stroke)
            self._failing = region
            job = self._runner.submit(request)
        except LightboxError as error:
            self.failed(error)
            return
        except MemoryError:
            self.failed(InputError("Seeds", "of this kind do not fit into memory", "Paint seeds in a new layer: press New"))
            return
        began = time.perf_counter()
        self._bar.follow(job, lambda outcome: self._take(plan, request, region, outcome, time.perf_counter() - began))

    def failed(self, error: Exception) -> None:
        """Pass on that the run could not be done."""
        self.refused.emit(error, self._failing)

    def _take(self, plan: Plan, request: Request, region: Region, outcome: Outcome, seconds: float) -> None:
        self._stroke, self._last = None, self._stroke or self._last
        try:
            labels = labels_of(outcome, plan, region)
        except LightboxError as error:
            self.refused.emit(error, region)
            return
        self.found.emit(Piece(plan, request, region, labels, seconds))


def labels_of(outcome: Outcome, plan: Plan, region: Region) -> Any:
    """Return the labels of a run over the axes of the seeds.

    Raises
    ------
    InputError
        The engine gave something else.
    """
    main = outcome.main
    axes = plan.axes.replace(CHANNEL, "")
    if not isinstance(main, Volume) or sorted(main.axes) != sorted(axes):
        raise InputError(plan.engine.name, "gave no labels for this image", "Choose another engine")
    labels = np.asarray(main.data).transpose([main.axes.index(a) for a in axes])
    if labels.shape != tuple(s.stop - s.start for s in region):
        raise InputError(plan.engine.name, "gave labels of another size", "Choose another engine")
    return labels
