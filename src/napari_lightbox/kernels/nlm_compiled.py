"""Compiled non-local means."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from napari_lightbox.kernels.exponential_compiled import exp_negative

_CUTOFF = np.float32(5)


@njit(nogil=True, cache=True)
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
    corner = (z + reach_z + first[0], start + reach_y + first[1], reach_x + first[2])
    for tz in range(-search[0], search[0] + 1):
        if inside and not 0 <= z + tz < depth:
            continue
        for ty in range(-search[1], search[1] + 1):
            low, high = (max(start, -ty) - start, min(stop, height - ty) - start) if inside else (0, rows)
            for tx in range(-search[2], search[2] + 1):
                left, right = (max(0, -tx), min(width, width - tx)) if inside else (0, width)
                _squares(padded, corner, (tz, ty, tx), taps_z, squares)
                for j in range(low, high):
                    _distances(squares[j : j + taps_y.size], taps_y, taps_x, shift, column, distance)
                    other = padded[z + reach_z + tz, start + j + reach_y + ty, reach_x + tx : reach_x + tx + width]
                    _add_weighted(distance[left:right], other[left:right], sums[j, left:right], weights[j, left:right])
    for j in range(rows):
        for x in range(width):
            out[z, start + j, x] = sums[j, x] / weights[j, x] if weights[j, x] > 0 else np.nan


@njit(nogil=True, cache=True)
def _squares(padded: Any, corner: Any, step: Any, taps_z: Any, squares: Any) -> None:
    """Write the squared differences between the band and its shifted self, summed over the patch's planes."""
    squares[:] = 0
    height, width = squares.shape
    for k in range(taps_z.size):
        for j in range(height):
            z, y, x = corner[0] + k, corner[1] + j, corner[2]
            here = padded[z, y, x : x + width]
            there = padded[z + step[0], y + step[1], x + step[2] : x + step[2] + width]
            _add_squares(squares[j], here, there, taps_z[k])


@njit(nogil=True, cache=True)
def _distances(squares: Any, taps_y: Any, taps_x: Any, shift: Any, column: Any, distance: Any) -> None:
    """Write the patch distances of one row."""
    column[:] = 0
    for k in range(taps_y.size):
        _add_scaled(column, squares[k], taps_y[k])
    distance[:] = -shift
    for k in range(taps_x.size):
        _add_scaled(distance, column[k : k + distance.size], taps_x[k])


@njit(nogil=True, cache=True)
def _add_squares(line: Any, here: Any, there: Any, tap: Any) -> None:
    for x in range(line.size):
        difference = here[x] - there[x]
        line[x] += tap * (difference * difference)


@njit(nogil=True, cache=True)
def _add_scaled(line: Any, other: Any, tap: Any) -> None:
    for x in range(line.size):
        line[x] += tap * other[x]


@njit(nogil=True, cache=True)
def _add_weighted(distance: Any, other: Any, sums: Any, weights: Any) -> None:
    """Add the other pixels by their weight; beyond the cutoff the weight is zero."""
    for x in range(distance.size):
        d = max(np.float32(distance[x]), np.float32(0))
        weight = exp_negative(d) if d <= _CUTOFF else np.float32(0)
        distance[x] = weight
        weights[x] += weight
    for x in range(distance.size):
        sums[x] += distance[x] * other[x]
