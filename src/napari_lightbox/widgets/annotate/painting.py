"""The seeds layer: made with a click, painted, followed; which ids were touched since the last accept."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from napari.layers import Labels, Layer, Points, Shapes
from qtpy.QtCore import QObject, Signal

from napari_lightbox.engine.runner import Outcome
from napari_lightbox.errors import LightboxError
from napari_lightbox.interaction.deltas import Delta
from napari_lightbox.widgets.annotate.actions import LayerAction
from napari_lightbox.widgets.annotate.bench import Bench
from napari_lightbox.widgets.annotate.contents import largest
from napari_lightbox.widgets.annotate.mask_seeds import edge_request, seeds_in
from napari_lightbox.widgets.annotate.seeds import (
    background_id,
    blank_layer,
    brush_size,
    can_be_target,
    check_grid,
    start_painting,
)
from napari_lightbox.widgets.annotate.steps import Stepper
from napari_lightbox.widgets.arrival import bring_in
from napari_lightbox.widgets.layers import volume_of
from napari_lightbox.widgets.lifeline import Lifeline
from napari_lightbox.widgets.worker import Watch


class Painting(QObject):  # type: ignore[misc]
    """Emits `painted(box)` after a stroke, `drawn()` after points or shapes changed, `begun()` while a stroke is going on."""

    painted = Signal(object)
    drawn = Signal()
    begun = Signal()

    def __init__(self, bench: Bench) -> None:
        super().__init__()
        self._bench = bench
        self._lifeline = Lifeline()
        self._watch: Watch | None = None
        self._followed: Layer | None = None
        self.stepper = Stepper()
        self.touched: set[int] | None = set()
        panel = bench.panel
        panel.new.clicked.connect(self.new_seeds)
        panel.new.menu().aboutToShow.connect(self._fill_menu)
        panel.next_object.clicked.connect(self.next_object)
        panel.background.clicked.connect(self.paint_background)
        panel.seeds_changed.connect(self.follow)

    @property
    def busy(self) -> bool:
        """Whether seeds are being made from a mask."""
        return self.stepper.busy or (self._watch is not None and self._watch.running)

    def new_seeds(self) -> Labels | None:
        """Add an empty seeds layer for the image, with the brush in hand."""
        try:
            image = self._bench.need_image()
            layer = blank_layer(image, self._bench.axes, f"{image.name} seeds")
        except (LightboxError, MemoryError) as error:
            self._bench.fail(error)
            return None
        self._add(layer)
        start_painting(self._bench.viewer, layer, 1)
        self._bench.say("Paint a stroke inside the object, then one on the background.")
        return layer

    def seeds_from(self, mask: Labels) -> None:
        """Add a seeds layer with what is certain in a mask: its objects and the background, shrunk."""
        bench = self._bench
        try:
            image = bench.need_image()
            check_grid(mask, image, bench.axes)
            region = bench.frame()
            volume = volume_of(mask, bench.seeds_axes)
            job = bench.runner.submit(edge_request(volume, region))
        except LightboxError as error:
            bench.fail(error)
            return
        bench.say(f"Shrinking {mask.name} into seeds…")
        layer = blank_layer(image, bench.axes, f"{mask.name} seeds")

        def shrink(outcome: Outcome) -> None:
            edges = np.asarray(outcome.main.data)
            steps = seeds_in(volume.data, edges, region, background_id(layer), layer.data)
            self.stepper.run(steps, lambda _: self._add_shrunk(layer), bench.fail)

        self._watch = Watch(job)
        self._watch.finished.connect(shrink)
        self._watch.failed.connect(bench.fail)

    def next_object(self) -> None:
        """Take up the next free label."""
        layer = self._bench.painted
        if layer is None:
            self.new_seeds()
            return
        start_painting(self._bench.viewer, layer, self.free_id())
        self._bench.say(f"Painting object {layer.selected_label}.")

    def paint_background(self) -> None:
        """Take up the label that stands for background."""
        layer = self._bench.painted or self.new_seeds()
        if layer is not None:
            start_painting(self._bench.viewer, layer, background_id(layer))
            self._bench.say("Painting background.")

    def free_id(self) -> int:
        """Return the smallest id above all objects in seeds and target; background does not count."""
        top = 0
        for layer in (self._bench.painted, self._bench.target):
            extent = self._bench.session.record(layer).extent if layer is not None else None
            if layer is not None and extent is not None:
                top = max(top, largest(layer.data, extent, background_id(layer)))
        return top + 1

    def follow(self) -> None:
        """Listen to the chosen seeds."""
        layer = self._bench.seeds
        if layer is self._followed:
            return
        self._lifeline.cut()
        self._lifeline = Lifeline()
        self._followed = layer
        self.touched = None if layer is not None else set()
        if isinstance(layer, Labels):
            if layer.multiscale:
                self._bench.say(f"{layer.name} is a pyramid, which napari cannot paint in: press New.")
                return
            record = self._bench.session.record(layer)
            self._lifeline.at_end(record.subscribe(self._on_stroke))
            self._lifeline.connect(layer.events.labels_update, self._on_touch)
            self._lifeline.connect(layer.events.data, self._on_drawing)
        elif isinstance(layer, (Points, Shapes)):
            for emitter in (layer.events.data, layer.events.features):
                self._lifeline.connect(emitter, self._on_drawing)

    def accepted(self) -> None:
        """Begin to count touched ids anew."""
        self.touched = set()

    def stop(self) -> None:
        """Listen no more."""
        self._lifeline.cut()
        self.stepper.drop()
        if self._watch is not None:
            self._watch.release()

    def _add(self, layer: Labels, empty: bool = True) -> None:
        bench = self._bench
        layer.brush_size = brush_size(layer)
        layer.n_edit_dimensions = 2
        bench.viewer.layers.selection.active = bring_in(bench.viewer, layer)
        bench.session.record(layer, empty)
        bench.session.push(LayerAction(f"new layer {layer.name}", bench.viewer, layer, bench.session.hold))
        bench.panel.seeds.choose(layer)
        self.touched = set()

    def _add_shrunk(self, layer: Labels) -> None:
        self._add(layer, empty=False)
        self.touched = None
        start_painting(self._bench.viewer, layer)
        self._bench.say("Paint where the object is wrong; the band along its edge is found anew.")
        self.drawn.emit()

    def _fill_menu(self) -> None:
        menu = self._bench.panel.new.menu()
        menu.clear()
        menu.addAction("Empty seeds", self.new_seeds)
        for layer in filter(can_be_target, self._bench.viewer.layers):
            menu.addAction(f"Seeds from the mask {layer.name}", partial(self.seeds_from, layer))

    def _on_stroke(self, delta: Delta, ids: frozenset[int] | None) -> None:
        background = background_id(self._bench.seeds)
        if ids is None or background in ids:
            self.touched = None
        elif self.touched is not None:
            self.touched |= ids - {0}
        self.painted.emit(delta.box)

    def _on_touch(self, event: Any) -> None:
        self.begun.emit()

    def _on_drawing(self, event: Any) -> None:
        # napari also says so before anything has changed
        if str(getattr(event, "action", "")).endswith("ING"):
            return
        self.touched = None
        self.drawn.emit()
