"""Compiled running sums over boxes."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit


@njit(nogil=True, cache=True)
def box_means(
    block: Any, index_z: Any, index_y: Any, index_x: Any, sums: Any, scale: float, half: float, out: Any, start: int, stop: int
) -> None:
    """Write box sums times `scale` for the planes ``start:stop``.

    Parameters
    ----------
    block, out
        Input and output (z, y, x).
    index_z, index_y, index_x
        Sample that stands at each position of the extended axis, from ``-radius`` on.
    sums
        Scratch plane (y, x) whose type the sums are kept in.
    scale, half
        One over the number of samples; 0.5 to round to the nearest integer, 0 for floating output.
    """
    height, width = block.shape[1], block.shape[2]
    size_z, size_y, size_x = (index_z.size - block.shape[0], index_y.size - height, index_x.size - width)
    line = np.empty(width, sums.dtype)
    extended = np.empty(width + size_x, sums.dtype)
    sums[:] = 0
    for k in range(start, start + size_z):
        _add(sums, block[index_z[k]])
    for z in range(start, stop):
        _add(sums, block[index_z[z + size_z]])
        if z > start:
            _subtract(sums, block[index_z[z - 1]])
        line[:] = 0
        for k in range(size_y):
            line += sums[index_y[k]]
        for y in range(height):
            line += sums[index_y[y + size_y]]
            if y > 0:
                line -= sums[index_y[y - 1]]
            _slide_row(line, index_x, extended, size_x, scale, half, out[z, y])


@njit(nogil=True, cache=True)
def _slide_row(line: Any, index_x: Any, extended: Any, size_x: int, scale: float, half: float, out: Any) -> None:
    """Write the means along one row from its column sums."""
    for k in range(extended.size):
        extended[k] = line[index_x[k]]
    if size_x == 2:
        for x in range(out.size):
            _store(extended[x] + extended[x + 1] + extended[x + 2], scale, half, out, x)
    elif size_x == 4:
        for x in range(out.size):
            total = extended[x] + extended[x + 1] + extended[x + 2] + extended[x + 3] + extended[x + 4]
            _store(total, scale, half, out, x)
    else:
        total = extended[0] - extended[0]
        for k in range(size_x):
            total += extended[k]
        for x in range(out.size):
            total += extended[x + size_x]
            _store(total, scale, half, out, x)
            total -= extended[x]


@njit(nogil=True, cache=True)
def _store(total: Any, scale: float, half: float, out: Any, x: int) -> None:
    out[x] = np.floor(total * scale + half) if half > 0 else total * scale


@njit(nogil=True, cache=True)
def _add(sums: Any, plane: Any) -> None:
    for y in range(sums.shape[0]):
        for x in range(sums.shape[1]):
            sums[y, x] += plane[y, x]


@njit(nogil=True, cache=True)
def _subtract(sums: Any, plane: Any) -> None:
    for y in range(sums.shape[0]):
        for x in range(sums.shape[1]):
            sums[y, x] -= plane[y, x]
