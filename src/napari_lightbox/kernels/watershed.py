"""Flooding of a landscape from markers, in the order of ITK's hierarchical queue."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_lightbox.kernels.neighbours import flat_steps, inner, padded


def watershed(
    landscape: NDArray[Any],
    markers: NDArray[Any],
    blocked: NDArray[np.bool_] | None = None,
    *,
    connectivity: int = 1,
    line: bool = False,
) -> NDArray[Any]:
    """Flood `landscape` from `markers` and return the label of every pixel.

    The lowest pixels are flooded first, equal ones in the order in which the water reached them, a pixel below the
    water level at once. The result is that of ``SimpleITK.MorphologicalWatershedFromMarkers``, equal values included.

    Parameters
    ----------
    landscape
        Height of every pixel; NaN is flooded last.
    markers
        Labels above 0 where the water comes in, 0 elsewhere; their type is kept.
    blocked
        Pixels that the water never enters; they come out as 0.
    connectivity
        1 for faces, up to the number of axes for corners.
    line
        Leave a line of 0 where two labels meet.
    """
    from napari_lightbox.kernels.watershed_compiled import flood_with_line, flood_without_line

    levels, count = _levels(landscape)
    walls = padded(np.zeros(landscape.shape, bool) if blocked is None else blocked, True)
    labels = padded(markers if blocked is None else np.where(blocked, 0, markers), 0, markers.dtype)
    heights = padded(levels, 0, levels.dtype)
    index = np.int32 if labels.size < 2**31 else np.int64
    heads, tails = np.full(count, -1, index), np.empty(count, index)
    flood = flood_with_line if line else flood_without_line
    steps = flat_steps(labels.shape, connectivity)
    flood(heights.ravel(), labels.ravel(), walls.ravel(), steps, heads, tails, np.empty(labels.size, index))
    return np.ascontiguousarray(labels[inner(labels.ndim)])


def _levels(landscape: NDArray[Any]) -> tuple[NDArray[Any], int]:
    """Return one queue number per pixel, in the order of the values, and the number of queues."""
    kind = landscape.dtype
    if kind.kind == "b" or kind in (np.uint8, np.uint16):
        return landscape.astype(np.uint16), 65536 if kind == np.uint16 else 256
    if kind in (np.int8, np.int16):
        return (landscape.astype(np.int32) + 32768).astype(np.uint16), 65536
    if kind in (np.float16, np.float32) and landscape.size < 2**31:
        from napari_lightbox.kernels.watershed_compiled import rank

        ranks, count = rank(_ordered_bits(landscape).ravel())
        return ranks.reshape(landscape.shape), max(count, 1)
    values, ranks = np.unique(landscape, return_inverse=True)
    return ranks.reshape(landscape.shape), max(len(values), 1)


def _ordered_bits(values: NDArray[Any]) -> NDArray[np.uint32]:
    """Return unsigned integers in the order of the floats; -0 equals 0 and NaN is the largest."""
    floats = values.astype(np.float32) + np.float32(0)
    bits = floats.view(np.uint32)
    ordered = np.where(bits >> 31, ~bits, bits | np.uint32(0x80000000))
    return np.where(np.isnan(floats), np.uint32(0xFFFFFFFF), ordered)
