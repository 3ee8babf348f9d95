"""Where a chunked input holds anything but zeros, found by looking through it once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import dask.array as da
import numpy as np
from numpy.typing import NDArray

from napari_lightbox.engine.boxes import Bounds, Box, parts_of
from napari_lightbox.engine.control import Control
from napari_lightbox.engine.gather import Gather, Input
from napari_lightbox.engine.remembered import cache
from napari_lightbox.engine.schedule import scheduler

CELL = 32


@dataclass(frozen=True, eq=False)
class Occupied:
    """Which cells of an array, `CELL` samples wide and counted from the corner of each chunk, hold a value other than zero.

    `found` has the cells of every chunk that is not all zeros; `order` names the axes of the boxes asked about.
    """

    axes: str
    order: str
    bounds: Bounds
    found: Mapping[tuple[int, ...], NDArray[np.bool_]]

    def reaches(self, mapped: Box, over: Box) -> bool:
        """Tell whether the part of the array that belongs to a block may hold anything but zeros."""
        if not self.found:
            return False
        wanted = dict(zip(self.order, (*mapped, *over), strict=True))
        box = tuple(wanted.get(a, slice(0, edges[-1])) for a, edges in zip(self.axes, self.bounds, strict=True))
        return any(
            part.index in self.found
            and bool(self.found[part.index][tuple(slice(s.start // CELL, -(-s.stop // CELL)) for s in part.inside)].any())
            for part in parts_of(box, self.bounds)
        )


def occupied(name: str, gather: Gather) -> Occupied:
    """Return where the input of this name is not zero, remembered by its array; nowhere when it is absent."""
    order = gather.mapped + gather.over
    source: Input | None = next((i for i in gather.inputs if i.label == name), None)
    if source is None:
        return Occupied("", order, (), {})
    key = (source.array.name, "occupied")
    known, found = cache.get(key)
    if not known:
        found = _look_through(source.array)
        cache.put(key, found)
    return Occupied(source.axes, order, source.bounds, found)


def _look_through(array: da.Array) -> dict[tuple[int, ...], NDArray[np.bool_]]:
    """Return the filled cells of each chunk that is not all zeros; one chunk per thread is in memory at a time."""
    cells = array.map_blocks(_filled_cells, dtype=object, meta=np.empty((0,) * array.ndim, object))
    indices = list(np.ndindex(*array.numblocks))
    keys = [(cells.name, *index) for index in indices]
    graph = da.Array.__dask_optimize__(cells.__dask_graph__(), keys)
    values = scheduler().get(graph, keys, Control())
    return {index: value for index, value in zip(indices, values, strict=True) if value is not None}


def _filled_cells(block: NDArray[Any]) -> NDArray[np.bool_] | None:
    filled: NDArray[np.bool_] = np.asarray(block) != 0
    if not filled.any():
        return None
    for axis, length in enumerate(filled.shape):
        filled = np.logical_or.reduceat(filled, np.arange(0, length, CELL), axis=axis)
    return filled
