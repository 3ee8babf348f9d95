"""Live preview: the visible slice only, recomputed a moment after the last change."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Layer
from qtpy.QtCore import QObject, QTimer, Signal

from napari_lightbox.axes import Volume
from napari_lightbox.contract import Technique
from napari_lightbox.engine.request import Region, Request
from napari_lightbox.engine.runner import Outcome, Runner
from napari_lightbox.errors import LightboxError
from napari_lightbox.widgets.arrival import bring_in
from napari_lightbox.widgets.layers import METADATA, data_shape
from napari_lightbox.widgets.lifeline import Lifeline
from napari_lightbox.widgets.results import Origin, array_layer
from napari_lightbox.widgets.worker import Watch

if TYPE_CHECKING:
    from napari.components import ViewerModel

DELAY_MS = 150
_DATA_EVENTS = ("data", "set_data", "labels_update", "paint", "features", "affine", "scale", "translate")

Ask = Callable[[], tuple[Request, Origin]]


class Preview(QObject):  # type: ignore[misc]
    """Keeps one temporary layer in step with the form, the slider and the data.

    Parameters
    ----------
    technique, viewer, runner
        What runs, where it is shown, who runs it.
    ask
        Returns the request for the whole image and what it starts from; raises while the form is incomplete.
    """

    said = Signal(str)

    def __init__(self, technique: Technique, viewer: ViewerModel, runner: Runner, ask: Ask) -> None:
        super().__init__()
        self._technique = technique
        self._viewer = viewer
        self._runner = runner
        self._ask = ask
        self._watch: Watch | None = None
        self._lifeline: Lifeline | None = None
        self._origin: Origin | None = None
        self.layer: Layer | None = None
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(DELAY_MS)
        self._timer.timeout.connect(self._compute)

    @property
    def active(self) -> bool:
        """Whether the preview is switched on."""
        return self._lifeline is not None

    @property
    def busy(self) -> bool:
        """Whether a new picture is on its way."""
        return self._timer.isActive() or (self._watch is not None and self._watch.running)

    def start(self, inputs: list[Layer]) -> None:
        """Begin to follow the viewer and these layers."""
        self.stop()
        self._lifeline = Lifeline()
        dims = self._viewer.dims.events
        for emitter in (dims.current_step, dims.ndisplay, dims.order):
            self._lifeline.connect(emitter, self.refresh)
        for layer in inputs:
            for name in _DATA_EVENTS:
                if name in layer.events:
                    self._lifeline.connect(layer.events[name], self.refresh)
        self.refresh()

    def stop(self) -> None:
        """Stop following, stop computing and take the layer away."""
        self._timer.stop()
        self._drop_watch()
        if self._lifeline is not None:
            self._lifeline.cut()
            self._lifeline = None
        self._remove_layer()

    def refresh(self, event: Any = None) -> None:
        """Compute again a moment from now; a newer change puts it off."""
        if self.active:
            self._timer.start()

    def _compute(self) -> None:
        if not self.active:
            return
        self._drop_watch()
        try:
            request, origin = self._ask()
            region = visible_region(self._viewer, origin.layer)
            self._origin = origin
            job = self._runner.submit(replace(request, region=region, preview=True, lazy=False))
        except LightboxError as error:
            self.said.emit(str(error))
            return
        self._watch = Watch(job)
        self._watch.finished.connect(self._show)
        self._watch.failed.connect(lambda error: self.said.emit(str(error)))

    def _show(self, outcome: Outcome) -> None:
        volume = next((v for v in outcome.outputs.values() if isinstance(v, Volume)), None)
        if volume is None or self._origin is None or not self.active:
            return
        fresh = array_layer(volume, f"{self._technique.title} preview", self._origin)
        fresh.metadata = {METADATA: {"preview": True}}
        old = self.layer if self.layer in self._viewer.layers else None
        if old is not None and type(old) is type(fresh) and old.data.shape == fresh.data.shape and old.dtype == fresh.dtype:
            old.data = fresh.data
            _take_place(old, fresh)
        else:
            self._replace_layer(fresh)
        self.said.emit("")

    def _replace_layer(self, fresh: Layer) -> None:
        self._remove_layer()
        self.layer = bring_in(self._viewer, fresh)

    def _remove_layer(self) -> None:
        layer, self.layer = self.layer, None
        if layer is not None and layer in self._viewer.layers:
            self._viewer.layers.remove(layer)

    def _drop_watch(self) -> None:
        if self._watch is not None:
            self._watch.release()
            self._watch = None


def visible_region(viewer: ViewerModel, layer: Layer) -> Region:
    """Return the part of a layer that the viewer shows: one index along hidden axes, all along displayed ones."""
    shape = data_shape(layer)
    hidden = set(range(viewer.dims.ndim)) - set(viewer.dims.displayed)
    offset = viewer.dims.ndim - layer.ndim
    here = np.rint(layer.world_to_data(viewer.dims.point[-layer.ndim :])).astype(int)
    region = []
    for axis, length in enumerate(shape):
        if axis + offset in hidden and axis < layer.ndim:
            index = int(np.clip(here[axis], 0, length - 1))
            region.append(slice(index, index + 1))
        else:
            region.append(slice(0, length))
    return tuple(region)


def _take_place(layer: Layer, other: Layer) -> None:
    for name in ("scale", "translate", "rotate", "shear"):
        if not np.allclose(getattr(layer, name), getattr(other, name)):
            setattr(layer, name, getattr(other, name))
    if not np.allclose(layer.affine.affine_matrix, other.affine.affine_matrix):
        layer.affine = other.affine
