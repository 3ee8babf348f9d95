"""The visible slice first: what local steps give there is shown before they have run on the whole stack."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from dask.delayed import Delayed
from napari.layers import Image, Layer
from qtpy.QtCore import QObject, Signal

from napari_lightbox.axes import Volume
from napari_lightbox.contract import Halo, Plane, Pointwise, registry
from napari_lightbox.contract.recipe_refs import parse
from napari_lightbox.engine.request import Request
from napari_lightbox.engine.runner import Outcome, Runner
from napari_lightbox.engine.wrap import wrap_all, wrapped
from napari_lightbox.errors import LightboxError
from napari_lightbox.widgets.preview import visible_region
from napari_lightbox.widgets.recipe_update import RecipeUpdate
from napari_lightbox.widgets.worker import Watch

if TYPE_CHECKING:
    from napari.components import ViewerModel

SMALLEST = 2_000_000
_LARGEST = 2**28
_LOCAL = (Pointwise, Halo, Plane)


class Glimpse(QObject):  # type: ignore[misc]
    """Runs the local steps at the beginning of an update lazily and computes the slices that the viewer shows.

    Emits `seen(layer, region, values)` for each of them, then `finished()`. What fails here fails again in the update, and is
    told there.
    """

    seen = Signal(object, object, object)
    finished = Signal()

    def __init__(
        self, viewer: ViewerModel, runner: Runner, update: RecipeUpdate, shown: dict[tuple[str, str], list[Layer]]
    ) -> None:
        super().__init__()
        self._viewer = viewer
        self._runner = runner
        self._update = update
        self._watch: Watch | None = None
        self._done: dict[int, dict[str, Any]] = {}
        self._steps = _local_steps(update)
        self._layers = [
            (number, output, layer)
            for number in self._steps
            for (tag, output), layers in shown.items()
            for layer in layers
            if tag == update.tags[number] and self._is_large_stack(layer)
        ]
        last = max((number for number, _, _ in self._layers), default=-1)
        self._steps = [number for number in self._steps if number <= last]

    def start(self) -> None:
        """Make the next step lazily, then compute slice after slice."""
        self._watch = None  # it refers to this object: kept, the two would never be freed
        try:
            if self._steps:
                number = self._steps.pop(0)
                self._follow(self._lazy_request(number), lambda outcome: self._take_step(number, outcome))
            elif self._layers:
                self._look(*self._layers.pop(0))
            else:
                self.finished.emit()
        except LightboxError:
            self.finished.emit()

    def release(self) -> None:
        """Stop and say nothing more."""
        if self._watch is not None:
            self._watch.release()
            self._watch = None
        self.blockSignals(True)

    def _look(self, number: int, output: str, layer: Layer) -> None:
        value = self._done[number].get(output)
        if (
            not isinstance(value, Volume)
            or not isinstance(layer, Image)
            or value.shape != layer.data.shape
            or value.dtype != layer.dtype
        ):
            self.start()
            return
        region = visible_region(self._viewer, layer)
        request = replace(self._lazy_request(number), region=region, preview=True, lazy=False)
        self._follow(request, lambda outcome: self._take_slice(layer, region, outcome.outputs.get(output)))

    def _lazy_request(self, number: int) -> Request:
        request = self._update.request(number, self._done)
        mask = None if request.mask is None else wrapped(request.mask)
        return replace(request, inputs=wrap_all(request.inputs), mask=mask)

    def _take_step(self, number: int, outcome: Outcome) -> None:
        self._done[number] = dict(outcome.outputs)
        self.start()

    def _take_slice(self, layer: Layer, region: Any, value: Any) -> None:
        if isinstance(value, Volume) and layer in self._viewer.layers:
            self.seen.emit(layer, region, np.asarray(value.data))
        self.start()

    def _follow(self, request: Request, then: Callable[[Outcome], None]) -> None:
        watch = self._watch = Watch(self._runner.submit(request))
        watch.finished.connect(then)
        watch.failed.connect(lambda _error: self.finished.emit())

    def _is_large_stack(self, layer: Layer) -> bool:
        data = layer.data
        hidden = layer.ndim > len(self._viewer.dims.displayed)
        return hidden and isinstance(data, np.ndarray) and data.size >= SMALLEST and data.nbytes <= _LARGEST


def _local_steps(update: RecipeUpdate) -> list[int]:
    """Return the steps to run that need no more than the neighbourhood of a slice, from the first on."""
    found: list[int] = []
    for number in update.queue:
        step = update.recipe.steps[number]
        before = {ref.number for ref in map(parse, step.sources()) if ref.kind == "step"}
        local = isinstance(registry.get(step.technique).locality, _LOCAL)
        if local and not any(n in update.queue and n not in found for n in before) and not _waits(update, before):
            found.append(number)
    return found


def _waits(update: RecipeUpdate, before: set[int]) -> bool:
    """Tell whether something that is no image has to be computed first."""
    return any(isinstance(v, Delayed) for n in before for v in update.known(n).values())
