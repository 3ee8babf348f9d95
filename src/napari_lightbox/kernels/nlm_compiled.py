"""Compiled non-local means."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from napari_lightbox.kernels.exponential_compiled import exp_negative

_CUTOFF = np.float32(5)


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def nlm_band(
    padded: Any, taps_z: Any, taps_y: Any, taps_x: Any, first: Any, search: Any, inside: bool, shift: Any, out: Any,
    z: int, start: int, stop: int,
) -> None:  # fmt: skip
    """Write rows ``start:stop`` of plane `z`.

    Parameters
    ----------
    padded, out
        Floating images (z, y, x), the first with the reach of search and patch around it.
    taps_z, taps_y, taps_x
        Weights of the patch along each axis, already divided by what makes the distance comparable with 1.
    first, search
        Offset of the patch's first sample, and half width of the search, per axis.
    inside
        Search within the image only; otherwise its mirror images count as well.
    shift
        What is taken off every distance for the noise.
    """
    depth, height, width = out.shape
    reach_z, reach_y, reach_x = ((padded.shape[0] - depth) // 2, (padded.shape[1] - height) // 2, (padded.shape[2] - width) // 2)
    rows = stop - start
    squares = np.empty((rows + taps_y.size - 1, width + taps_x.size - 1), out.dtype)
    sums = np.zeros((rows, width), out.dtype)
    weights = np.zeros((rows, width), out.dtype)
    column = np.empty(width + taps_x.size - 1, out.dtype)
    distance = np.empty(width, out.dtype)
    for tz in range(-search[0], search[0] + 1):
        if inside and not 0 <= z + tz < depth:
            continue
        for ty in range(-search[1], search[1] + 1):
            for tx in range(-search[2], search[2] + 1):
                squares[:] = 0
                for k in range(taps_z.size):
                    plane_z = z + reach_z + first[0] + k
                    for j in range(squares.shape[0]):
                        y = start + reach_y + first[1] + j
                        left = reach_x + first[2]
                        here = padded[plane_z, y, left : left + squares.shape[1]]
                        there = padded[plane_z + tz, y + ty, left + tx : left + tx + squares.shape[1]]
                        _add_squares(squares[j], here, there, taps_z[k])
                for j in range(rows):
                    if inside and not 0 <= start + j + ty < height:
                        continue
                    column[:] = 0
                    for k in range(taps_y.size):
                        _add_scaled(column, squares[j + k], taps_y[k])
                    distance[:] = -shift
                    for k in range(taps_x.size):
                        _add_scaled(distance, column[k : k + width], taps_x[k])
                    low, high = (max(0, -tx), min(width, width - tx)) if inside else (0, width)
                    other = padded[z + reach_z + tz, start + j + reach_y + ty, reach_x + tx : reach_x + tx + width]
                    _add_weighted(distance[low:high], other[low:high], sums[j, low:high], weights[j, low:high])
    for j in range(rows):
        for x in range(width):
            out[z, start + j, x] = sums[j, x] / weights[j, x]


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _add_squares(line: Any, here: Any, there: Any, tap: Any) -> None:
    for x in range(line.size):
        difference = here[x] - there[x]
        line[x] += tap * (difference * difference)


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _add_scaled(line: Any, other: Any, tap: Any) -> None:
    for x in range(line.size):
        line[x] += tap * other[x]


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _add_weighted(distance: Any, other: Any, sums: Any, weights: Any) -> None:
    """Add the other pixels by their weight; beyond the cutoff the weight is zero."""
    for x in range(distance.size):
        d = max(np.float32(distance[x]), np.float32(0))
        weight = exp_negative(d) if d <= _CUTOFF else np.float32(0)
        distance[x] = weight
        weights[x] += weight
    for x in range(distance.size):
        sums[x] += distance[x] * other[x]
