"""Maximum flow and minimum cut on a pixel grid whose pixels touch through faces."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from napari_lightbox.kernels.neighbours import flat_steps, inner, padded

_FREE, _NO_PARENT = 0, -3


class Cut(NamedTuple):
    """The pixels on the source's side, as few as there can be, and the flow; it equals the capacity of the cut."""

    source_side: NDArray[np.bool_]
    flow: float


class GridGraph:
    """What the arcs between touching pixels take, in either direction; solved for as many terminals as wanted.

    Parameters
    ----------
    shape
        Two or three axes.
    """

    def __init__(self, shape: Sequence[int]) -> None:
        self.shape = tuple(shape)
        self._padded = tuple(n + 2 for n in self.shape)
        self.steps = flat_steps(self._padded, 1)
        self.capacity: NDArray[np.float64] = np.zeros(int(np.prod(self._padded)) * len(self.steps))

    @classmethod
    def of(cls, weights: Sequence[NDArray[np.float64]]) -> GridGraph:
        """Return the graph with one array of weights per axis, shorter by one along that axis."""
        ndim = len(weights)
        graph = cls([n + (axis == 0) for axis, n in enumerate(weights[0].shape)])
        arcs = graph.capacity.reshape(*graph._padded, 2 * ndim)
        for axis, weight in enumerate(weights):
            before = tuple(slice(1, -2) if a == axis else slice(1, -1) for a in range(ndim))
            behind = tuple(slice(2, -1) if a == axis else slice(1, -1) for a in range(ndim))
            arcs[..., 2 * ndim - 1 - axis][before] = weight
            arcs[..., axis][behind] = weight
        return graph

    @property
    def row_strides(self) -> tuple[int, int, int]:
        """Node of the first pixel, and how many nodes lie between planes and between rows (0 planes in 2D)."""
        plane = int(self.steps[-1]) if len(self.shape) == 3 else 0
        row = self._padded[-1]
        return plane + row + 1, plane, row

    def cut(self, source: NDArray[np.bool_], sink: NDArray[np.bool_]) -> Cut:
        """Return the cheapest set of arcs to remove so that no path leads from `source` to `sink` pixels.

        A pixel that is both belongs to the sink. Of several equally cheap cuts, the one with the fewest pixels on the
        source's side is returned.
        """
        return self.cut_between(np.where(sink, -np.inf, np.where(source, np.inf, 0.0)))

    def cut_between(self, terminal: NDArray[np.float64]) -> Cut:
        """Return the minimum cut when each pixel takes this much from the source (above 0) or gives it to the sink (below 0)."""
        from napari_lightbox.kernels.max_flow_compiled import Search, solve

        taken = padded(terminal, 0.0, np.float64).ravel()
        number = taken.size
        if number >= 2**31:
            raise ValueError("more than 2**31 pixels")
        side, parent = np.full(number, _FREE, np.int8), np.full(number, _NO_PARENT, np.int8)
        stamp, distance, orphans = np.zeros((3, number), np.int32)
        follow = np.full(number, -1, np.int32)
        search = Search(
            self.capacity.copy(), taken, self.steps, side, parent, stamp, distance, follow, orphans, np.zeros(5, np.int64)
        )
        flow = solve(search)
        return Cut(np.ascontiguousarray(side.reshape(self._padded)[inner(len(self.shape))] > 0), float(flow))

    def between(self, labels: NDArray[Any]) -> float:
        """Return the capacity between touching pixels of different labels; pixels of label 0 do not count."""
        from napari_lightbox.kernels.max_flow_compiled import capacity_between

        return float(capacity_between(self.capacity, padded(labels, 0).ravel(), self.steps))
