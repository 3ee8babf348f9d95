"""Where the object of a row lies: from the table's own columns where it has them, else measured in the background."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from napari.layers import Labels, Layer, Points
from numpy.typing import NDArray
from qtpy.QtCore import QObject, Signal

from napari_lightbox.contract.values import Table
from napari_lightbox.engine.request import Request
from napari_lightbox.engine.runner import Outcome
from napari_lightbox.widgets.layers import finest, suggest_axes, volume_of
from napari_lightbox.widgets.runners import shared_runner
from napari_lightbox.widgets.worker import Watch

_MOST_PIXELS = 2**21
_Position = NDArray[np.float64]


class Objects(QObject):  # type: ignore[misc]
    """Positions of a table's objects in a layer; emits `failed(error)` when they cannot be measured.

    A table without boxes or centroids is completed once by measuring the labels block by block, in the background.
    """

    failed = Signal(object)

    def __init__(self, table: Table, layer: Layer | None) -> None:
        super().__init__()
        self._table = table
        self._layer = layer
        self._measured: Table | None = None
        self._watch: Watch | None = None

    @property
    def busy(self) -> bool:
        """Whether positions are being measured."""
        return self._watch is not None and self._watch.running

    def find(self, row: int, then: Callable[[_Position], Any]) -> None:
        """Hand the index position of a row's object to `then`: at once where it is known, else when it is measured."""
        layer, table = self._layer, self._table
        if isinstance(layer, Points) and len(layer.data) == len(table):
            then(np.asarray(layer.data[row], float))
            return
        if not isinstance(layer, Labels) or "label" not in table:
            return
        axes = suggest_axes(layer)[0]
        if _is_placed(table, axes):
            then(_inside(layer, _box(table, row, axes), int(table["label"][row])))
        elif self._measured is not None:
            self._from_measured(row, axes, then)
        elif isinstance(finest(layer), np.ndarray) and finest(layer).size <= _MOST_PIXELS:
            box = _scanned(finest(layer), int(table["label"][row]))
            if box is not None:
                then(_inside(layer, box, int(table["label"][row])))
        else:
            self._measure(lambda: self._from_measured(row, axes, then))

    def stop(self) -> None:
        """Stop measuring."""
        if self._watch is not None:
            self._watch.release()
            self._watch = None

    def _measure(self, then: Callable[[], Any]) -> None:
        """Measure where all objects are; a newer question replaces the one before."""
        self.stop()
        request = Request("region_properties", (volume_of(self._layer),), {"scope": "element"}, lazy=False)
        watch = self._watch = Watch(shared_runner().submit(request))

        def keep(outcome: Outcome) -> None:
            self._measured = outcome.main
            then()

        watch.finished.connect(keep)
        watch.failed.connect(self.failed.emit)

    def _from_measured(self, row: int, axes: str, then: Callable[[_Position], Any]) -> None:
        assert self._measured is not None
        label = self._table["label"][row]
        rows = np.flatnonzero(self._measured["label"] == label)
        for axis in axes:
            if axis in self._table and axis in self._measured:
                rows = rows[self._measured[axis][rows] == self._table[axis][row]]
        if len(rows) and self._layer is not None:
            then(_inside(self._layer, _box(self._measured, int(rows[0]), axes), int(label)))


def _is_placed(table: Table, axes: str) -> bool:
    return all(f"first_{a}" in table or f"centroid_{a}" in table or a in table for a in axes)


def _box(table: Table, row: int, axes: str) -> list[tuple[int, int]]:
    """Return first and last index of an object along every axis; of an object with a centroid alone, that pixel."""
    box = []
    for axis in axes:
        if f"first_{axis}" in table:
            box.append((int(table[f"first_{axis}"][row]), int(table[f"last_{axis}"][row])))
        else:
            place = int(np.rint(table[f"centroid_{axis}" if f"centroid_{axis}" in table else axis][row]))
            box.append((place, place))
    return box


def _inside(layer: Labels, box: list[tuple[int, int]], label: int) -> _Position:
    """Return the pixel of the object nearest to the middle of its box; of lazy labels the middle, so that nothing is read."""
    middle: _Position = np.array([(low + high) / 2 for low, high in box])
    rounded: _Position = np.rint(middle)
    data = finest(layer)
    part = tuple(slice(low, high + 1) for low, high in box)
    if not isinstance(data, np.ndarray) or np.prod([s.stop - s.start for s in part]) > _MOST_PIXELS:
        return rounded
    where = np.argwhere(data[part] == label) + [s.start for s in part]
    if not len(where):
        return rounded
    nearest: _Position = where[np.argmin(((where - middle) ** 2).sum(axis=1))].astype(float)
    return nearest


def _scanned(data: NDArray[Any], label: int) -> list[tuple[int, int]] | None:
    where = np.nonzero(data == label)
    return [(int(w.min()), int(w.max())) for w in where] if len(where[0]) else None
