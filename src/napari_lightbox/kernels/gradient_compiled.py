"""Compiled gradient magnitude by three-point differences with smoothing across; one pass over the image."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit


@njit(nogil=True, cache=True)
def plane_magnitude(block: Any, index_y: Any, index_x: Any, smooth: Any, scale: Any, out: Any, start: int, stop: int) -> None:
    """Write the gradient magnitude of the rows ``start:stop``.

    Parameters
    ----------
    block, out
        Input (y, x) of any real type, output of the floating type that is computed in.
    index_y, index_x
        Sample that stands at each position from -1 to the length.
    smooth
        Weight of the outer and of the middle sample across the derivative.
    scale
        Factor per axis.
    """
    width = block.shape[1]
    rows = np.empty((3, width + 2), out.dtype)
    smoothed = np.empty(width + 2, out.dtype)
    difference = np.empty(width + 2, out.dtype)
    outer, middle = smooth[0], smooth[1]
    for k in range(2):
        _load(block[index_y[start + k]], index_x, rows[k])
    for y in range(start, stop):
        above, here, below = rows[(y - start) % 3], rows[(y - start + 1) % 3], rows[(y - start + 2) % 3]
        _load(block[index_y[y + 2]], index_x, below)
        for x in range(width + 2):
            smoothed[x] = outer * (above[x] + below[x]) + middle * here[x]
            difference[x] = below[x] - above[x]
        line = out[y]
        for x in range(width):
            along_x = (smoothed[x + 2] - smoothed[x]) * scale[1]
            along_y = (outer * (difference[x] + difference[x + 2]) + middle * difference[x + 1]) * scale[0]
            line[x] = np.sqrt(along_x * along_x + along_y * along_y)


@njit(nogil=True, cache=True)
def volume_magnitude(
    block: Any, index_z: Any, index_y: Any, index_x: Any, smooth: Any, scale: Any, out: Any, start: int, stop: int
) -> None:
    """Write the gradient magnitude of the planes ``start:stop``; see `plane_magnitude`."""
    height, width = block.shape[1], block.shape[2]
    rows = np.empty((3, 3, width + 2), out.dtype)
    sums = np.empty((3, width + 2), out.dtype)
    outer, middle = smooth[0], smooth[1]
    for z in range(start, stop):
        for k in range(2):
            for plane in range(3):
                _load(block[index_z[z + plane], index_y[k]], index_x, rows[plane, k])
        for y in range(height):
            for plane in range(3):
                _load(block[index_z[z + plane], index_y[y + 2]], index_x, rows[plane, (y + 2) % 3])
            _volume_sums(rows, y % 3, (y + 1) % 3, (y + 2) % 3, outer, middle, sums)
            smoothed, along_y, along_z = sums[0], sums[1], sums[2]
            line = out[z, y]
            for x in range(width):
                dx = (smoothed[x + 2] - smoothed[x]) * scale[2]
                dy = (outer * (along_y[x] + along_y[x + 2]) + middle * along_y[x + 1]) * scale[1]
                dz = (outer * (along_z[x] + along_z[x + 2]) + middle * along_z[x + 1]) * scale[0]
                line[x] = np.sqrt(dx * dx + dy * dy + dz * dz)


@njit(nogil=True, cache=True)
def _volume_sums(rows: Any, above: int, here: int, below: int, outer: Any, middle: Any, sums: Any) -> None:
    """Write for each x the smoothed value and the y and z differences, smoothed across z and y."""
    before, at, after = rows[0], rows[1], rows[2]
    for x in range(sums.shape[1]):
        front = outer * (before[above, x] + before[below, x]) + middle * before[here, x]
        back = outer * (after[above, x] + after[below, x]) + middle * after[here, x]
        level = outer * (at[above, x] + at[below, x]) + middle * at[here, x]
        sums[0, x] = outer * (front + back) + middle * level
        sums[2, x] = back - front
        top = outer * (before[above, x] + after[above, x]) + middle * at[above, x]
        bottom = outer * (before[below, x] + after[below, x]) + middle * at[below, x]
        sums[1, x] = bottom - top


@njit(nogil=True, cache=True)
def _load(source: Any, index_x: Any, target: Any) -> None:
    """Copy one row with one more sample at each end."""
    width = source.size
    target[0] = source[index_x[0]]
    for x in range(width):
        target[x + 1] = source[x]
    target[width + 1] = source[index_x[width + 1]]
