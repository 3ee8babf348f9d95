"""Correct accepted objects: merge, split, delete, relabel, and come back to any of them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
from napari.layers import Labels
from qtpy.QtCore import QObject

from napari_lightbox.engine.runner import Outcome
from napari_lightbox.errors import InputError, LightboxError
from napari_lightbox.interaction.history import Group
from napari_lightbox.widgets.annotate import edits
from napari_lightbox.widgets.annotate.actions import PixelAction
from napari_lightbox.widgets.annotate.bench import Bench
from napari_lightbox.widgets.annotate.objects_panel import ObjectsPanel
from napari_lightbox.widgets.annotate.painting import Painting
from napari_lightbox.widgets.annotate.plan import Planner
from napari_lightbox.widgets.annotate.record import LayerRecord
from napari_lightbox.widgets.annotate.seeds import check_grid, seeds_volume, start_painting
from napari_lightbox.widgets.annotate.splitting import Split, split
from napari_lightbox.widgets.annotate.steps import Stepper, Steps
from napari_lightbox.widgets.layers import volume_of
from napari_lightbox.widgets.lifeline import Lifeline
from napari_lightbox.widgets.worker import Watch


class Proofreading(QObject):  # type: ignore[misc]
    """What the Objects page does."""

    def __init__(self, bench: Bench, page: ObjectsPanel, painting: Painting) -> None:
        super().__init__()
        self._bench = bench
        self._page = page
        self._painting = painting
        self._planner = Planner()
        self._watch: Watch | None = None
        self._lifeline = Lifeline()
        self._frame = Lifeline()
        self._shown: Labels | None = None
        self.stepper = Stepper()
        page.asked.connect(self.do)
        page.table.picked.connect(self.go_to)
        page.table.failed.connect(bench.fail)
        page.previous.clicked.connect(lambda: self.walk(-1))
        page.next.clicked.connect(lambda: self.walk(1))
        bench.panel.target_changed.connect(self.follow)
        bench.panel.image_changed.connect(self.follow)
        self._frame.connect(bench.viewer.dims.events.current_step, self._on_step)
        self.follow()

    @property
    def busy(self) -> bool:
        """Whether objects are being measured or changed."""
        return self.stepper.busy or self._page.table.busy or (self._watch is not None and self._watch.running)

    def follow(self) -> None:
        """List the objects of the chosen target."""
        target = self._bench.target
        if target is not self._shown:
            self._lifeline.cut()
            self._lifeline = Lifeline()
            self._shown = target
            if target is not None:
                record = self._bench.session.record(target)
                self._lifeline.at_end(record.subscribe(lambda *_: self._page.table.refresh()))
                self._lifeline.connect(target.events.data, lambda _: self._page.table.refresh())
        self._list()

    def go_to(self, label: int) -> None:
        """Come back to an object: its label in the brush, its middle in view."""
        bench = self._bench
        centre = self._page.table.centre(label)
        if bench.target is not None:
            bench.target.selected_label = label
            for i, axis in enumerate(bench.seeds_axes):
                if axis in centre:
                    _show_index(bench, bench.target, i, centre[axis])
        if bench.painted is not None:
            start_painting(bench.viewer, bench.painted, label)
            bench.say(f"Painting object {label}: correct its seeds and accept again.")
        self._page.table.choose(label)
        self._page.enable()

    def walk(self, by: int) -> None:
        """Go to the object before or after."""
        label = self._page.step(by)
        if label is not None:
            self.go_to(label)

    def do(self, what: str) -> None:
        """Merge, split, delete or relabel the selected objects."""
        ids = self._page.table.chosen()
        target = self._bench.target
        if target is None or not ids or self.stepper.busy:
            return
        if self._page.table.busy:
            self._bench.say("The list is being brought up to date; press again in a moment.")
            return
        try:
            if what == "split":
                self._split(target, ids[0])
            elif what == "merge":
                self._relabel(f"merge of {len(ids)} objects", dict.fromkeys(ids[1:], ids[0]))
            elif what == "delete":
                self._relabel(f"deletion of {_several(ids)}", dict.fromkeys(ids, 0))
            else:
                self._relabel(f"new id for object {ids[0]}", {ids[0]: self._wanted(target)})
        except LightboxError as error:
            self._bench.fail(error)

    def stop(self) -> None:
        """Stop and listen no more."""
        self._lifeline.cut()
        self._frame.cut()
        self._page.table.stop()
        self.stepper.drop()
        if self._watch is not None:
            self._watch.release()

    def _list(self) -> None:
        bench, page = self._bench, self._page
        target, region = bench.target, None
        if target is None:
            page.heading.setText("Accepted objects appear here. Choose the layer they are in under Accept into.")
        elif bench.image is not None:
            try:
                check_grid(target, bench.image, bench.axes)
                region = bench.frame()
                page.heading.setText(f"Objects in {target.name}")
            except LightboxError as error:
                page.heading.setText(str(error))
        page.table.show_layer(target if region is not None else None, bench.seeds_axes, region)

    def _on_step(self, event: Any) -> None:
        if "t" in self._bench.axes and self._shown is not None:
            self._list()

    def _wanted(self, target: Labels) -> int:
        new: int = self._page.new_id.value()
        if new in self._page.table.ids:
            raise InputError(f"id {new}", "is taken by another object", "Choose a free id, or select both objects and merge them")
        if new > np.iinfo(target.data.dtype).max:
            raise InputError(f"id {new}", f"does not fit {target.data.dtype}", "Choose a smaller one")
        return new

    def _relabel(self, title: str, mapping: dict[int, int]) -> None:
        """Change ids in the target, and in the seeds too, so that the next run agrees."""
        bench = self._bench
        records = [bench.session.record(layer) for layer in (bench.target, bench.painted) if layer is not None]
        region = bench.frame()

        def steps() -> Steps:
            found: list[Any] = []
            for record in records:
                found += [(yield from edits.relabel(record, region, mapping))]
            return found

        self.stepper.run(steps(), partial(self._finish, title, records), bench.fail)

    def _finish(self, title: str, records: Sequence[LayerRecord], changes: Sequence[Any]) -> None:
        actions = []
        for record, deltas in zip(records, changes, strict=True):
            if deltas:
                record.written(deltas)
                actions.append(PixelAction(title, record, deltas))
        if actions:
            self._bench.session.push(Group(title, actions) if len(actions) > 1 else actions[0])
            self._bench.say(f"Done: {title}.")
        self._page.table.clearSelection()
        self._page.enable()

    def _split(self, target: Labels, label: int) -> None:
        bench = self._bench
        image, seeds = bench.need_image(), bench.seeds
        if seeds is None:
            raise InputError("Seeds", "no layer is chosen", "Press New and paint a stroke in each part of the object")
        frame = dict(zip(bench.seeds_axes, bench.frame(), strict=True)) | self._page.table.box(label)
        region = tuple(frame[a] for a in bench.seeds_axes)
        picture = volume_of(image, bench.axes)
        parts = seeds_volume(seeds, image, bench.axes)
        whole = volume_of(target, bench.seeds_axes)
        work = split(picture, parts, whole, label, region, max(self._painting.free_id(), max(self._page.table.ids) + 1))
        bench.say(f"Splitting object {label}…")
        self._watch = Watch(bench.runner.submit(work.request))
        self._watch.finished.connect(partial(self._put_split, target, label, work))
        self._watch.failed.connect(bench.fail)

    def _put_split(self, target: Labels, label: int, work: Split, outcome: Outcome) -> None:
        if target not in self._bench.viewer.layers:
            self._bench.say(f"{target.name} is gone; nothing was split.")
            return
        if not np.array_equal(target.data[work.region], work.old):
            self._bench.say(f"{target.name} was changed meanwhile; press Split again.")
            return
        record = self._bench.session.record(target)
        steps = edits.put(record, work.region, work.result(np.asarray(outcome.main.data)))
        self.stepper.run(steps, lambda deltas: self._finish(f"split of object {label}", [record], [deltas]), self._bench.fail)


def _show_index(bench: Bench, layer: Labels, axis: int, index: float) -> None:
    """Move the slider of an axis that is not on display to an index of a layer."""
    dims = bench.viewer.dims
    place = np.zeros(layer.ndim)
    place[axis] = index
    shown = axis + dims.ndim - layer.ndim
    if shown not in dims.displayed:
        dims.set_point(shown, float(layer.data_to_world(place)[axis]))


def _several(ids: Sequence[int]) -> str:
    return f"object {ids[0]}" if len(ids) == 1 else f"{len(ids)} objects"
