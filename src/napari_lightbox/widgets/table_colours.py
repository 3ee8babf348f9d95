"""Objects in the colours of a column, and selected objects highlighted; one step brings the layer's own colours back."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from napari.layers import Labels, Layer, Points
from napari.qt.threading import create_worker
from napari.utils.colormaps import DirectLabelColormap, ensure_colormap
from numpy.typing import NDArray

COLORMAPS = ("viridis", "magma", "turbo", "PiYG", "gray")
_STEPS = 256
_MISSING = (0.5, 0.5, 0.5, 1.0)
_DIMMED = (0.5, 0.5, 0.5, 0.3)
_SELECTED = (1.0, 0.8, 0.0, 1.0)
_NOTHING = (0.0, 0.0, 0.0, 0.0)
_AT_ONCE = 1000


class ObjectColours:
    """The colours of one layer while a table speaks of it.

    Large maps are made in the background; a newer wish replaces the one before.
    """

    def __init__(self, layer: Layer | None) -> None:
        self._layer = layer
        self._own: Any = None
        self._ours: Any = None
        self._column: Any = None
        self._highlit = False
        self._turn = 0

    @property
    def changed(self) -> bool:
        """Whether the layer shows the colours of a column."""
        return self._column is not None

    def by_column(self, ids: NDArray[Any], values: NDArray[Any], colormap: str, then: Callable[[], Any] = lambda: None) -> None:
        """Colour labels by a value each; those without one become gray, those without a row transparent."""
        if not isinstance(self._layer, Labels):
            return

        def keep(made: Any) -> None:
            self._column = made
            self._show(made)
            then()

        self._make(partial(column_colours, ids, values, colormap), len(ids), keep)

    def highlight(self, ids: NDArray[Any]) -> None:
        """Show these objects brightly and all others dimmed; no ids bring the colours before back."""
        layer = self._layer
        if not isinstance(layer, Labels):
            return
        if len(ids):
            self._highlit = True
            self._make(partial(_highlighting, ids), len(ids), self._show)
        elif self._highlit:
            self._turn += 1
            self._highlit = False
            self._show(self._column)

    def mark_points(self, rows: NDArray[np.intp]) -> None:
        """Select points, where the rows are those of a Points layer."""
        if isinstance(self._layer, Points) and (not len(rows) or rows.max() < len(self._layer.data)):
            self._layer.selected_data = {int(row) for row in rows}

    def reset(self) -> None:
        """Give the layer its own colours back."""
        self._turn += 1
        self._column, self._highlit = None, False
        self._show(None)

    def _make(self, work: Callable[[], Any], size: int, then: Callable[[Any], Any]) -> None:
        self._turn += 1
        if size <= _AT_ONCE:
            then(work())
            return
        turn, dtype = self._turn, self._layer.data.dtype if self._layer is not None else np.int32

        def prepare() -> Any:
            made = work()
            made.map(np.zeros((1, 1), dtype))  # fills napari's table of ids here rather than while drawing
            return made

        worker = create_worker(prepare)
        worker.returned.connect(lambda made: then(made) if turn == self._turn else None)
        worker.start()

    def _show(self, colours: Any) -> None:
        """Put colours of ours, or the layer's own for None, on the layer."""
        layer = self._layer
        if layer is None or not isinstance(layer, Labels):
            return
        if self._ours is None or layer.colormap is not self._ours:
            if colours is None:
                return
            self._own = layer.colormap
        self._ours = colours
        layer.colormap = self._own if colours is None else colours


def _highlighting(ids: NDArray[Any]) -> DirectLabelColormap:
    colours: dict[int | None, Any] = {None: _DIMMED, 0: _NOTHING}
    return DirectLabelColormap(color_dict=colours | dict.fromkeys(ids.tolist(), _SELECTED))


def column_colours(ids: NDArray[Any], values: NDArray[Any], colormap: str) -> DirectLabelColormap:
    """Return the colours of labels by a value each, from the lowest to the highest value."""
    numbers = np.asarray(values, float)
    finite = np.isfinite(numbers)
    low, high = (numbers[finite].min(), numbers[finite].max()) if finite.any() else (0.0, 1.0)
    steps = np.zeros(len(numbers), int)
    steps[finite] = np.round((numbers[finite] - low) / ((high - low) or 1.0) * (_STEPS - 1)).astype(int)
    palette = np.vstack([ensure_colormap(colormap).map(np.linspace(0, 1, _STEPS)), [_MISSING]])
    steps[~finite] = _STEPS
    colours: dict[int | None, Any] = {int(i): palette[s] for i, s in zip(ids.tolist(), steps.tolist(), strict=True)}
    return DirectLabelColormap(color_dict=colours | {None: _NOTHING, 0: _NOTHING})
