"""How firmly touching pixels hold together, from the contrast between them: the boundary terms of graph cuts."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from napari_lightbox.kernels.max_flow import GridGraph
from napari_lightbox.kernels.slabs import run_slabs
from napari_lightbox.kernels.slope import slope

Term = Literal["linear", "exponential", "division", "power"]
_TERMS: tuple[Term, ...] = ("linear", "exponential", "division", "power")
_FLOOR = sys.float_info.min  # a pair without any weight would cut a pixel off for nothing
_MOST_ENTRIES = 1 << 17


def boundary_graph(
    image: NDArray[Any],
    idle: NDArray[np.bool_],
    *,
    maximum: bool,
    gradient: bool,
    term: Term,
    sigma: float,
    spacing: Sequence[float],
) -> GridGraph:
    """Return the grid of weights between touching pixels, each divided by their distance.

    Parameters
    ----------
    image
        Array (y, x) or (z, y, x); a further last axis is colour, whose differences add up as the sides of a box.
    idle
        Pixels without any weight to their neighbours.
    maximum
        The contrast is the larger of two absolute values instead of their difference.
    gradient
        With `maximum`, take the slope of the image first.
    term
        linear ``1 - c / greatest c``, exponential ``exp(-(c / sigma)^2)``, division ``1 / (1 + c / sigma)``, power
        ``(1 / (1 + c))^sigma`` of the contrast c.
    sigma
        See `term`.
    spacing
        Distance between pixels along each axis.
    """
    from napari_lightbox.kernels.boundary_weights_compiled import write_arcs, write_table

    ndim = idle.ndim
    contrasts = slope(image, spacing) if maximum and gradient else image
    shape = (1,) * (3 - ndim) + idle.shape
    volume = np.ascontiguousarray(contrasts, np.float32 if contrasts.dtype == np.float16 else None).reshape(*shape, -1)
    lowest, highest = _ends(volume, idle.reshape(shape))
    greatest = max(abs(lowest), abs(highest)) if maximum else highest - lowest
    chosen, width = _TERMS.index(term), greatest if term == "linear" else sigma
    whole = volume.dtype.kind in "iub" and volume.shape[-1] == 1 and greatest < _MOST_ENTRIES
    table = np.empty(int(greatest) + 1 if whole else 0)
    write_table(table, chosen, width, _FLOOR)
    graph = GridGraph(idle.shape)
    rule, lengths = (maximum, chosen, float(width), _FLOOR), np.array([1.0] * (3 - ndim) + list(spacing))
    still, strides = idle.reshape(shape), graph.row_strides

    def write(start: int, stop: int) -> None:
        write_arcs(volume, still, lengths, table, rule, graph.capacity, strides, graph.steps, start, stop)

    run_slabs(write, shape[0] * shape[1], 32)
    return graph


def _ends(volume: NDArray[Any], idle: NDArray[np.bool_]) -> tuple[float, float]:
    """Return the smallest and largest value that takes part; of the colours' distances a box that holds them all."""
    values = volume[~idle] if idle.any() else volume
    if not values.size:
        return 0.0, 0.0
    if volume.shape[-1] == 1:
        return float(values.min()), float(values.max())
    spans = values.reshape(-1, volume.shape[-1]).astype(np.float64)
    return 0.0, float(np.linalg.norm(spans.max(axis=0) - spans.min(axis=0)))
