"""Compiled Gaussian smoothing whose result at a pixel is the same bits however the image is cut.

Every output is a sum in a fixed order of plain products, so that neither the place in a vector register nor the size of the
block has an influence; library filters give that up for fused operations.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit


@njit(nogil=True, cache=True, error_model="numpy")
def smooth_planes(source: Any, index: Any, taps: Any, window: Any, out: Any, start: int, stop: int) -> None:
    """Smooth along the first axis for the lines `start` to `stop` of the second.

    Parameters
    ----------
    source, out
        Arrays (z, y, x); `out` covers only the part that is wanted.
    index
        Sample of `source` that stands at each position, from one radius before the first output to one after the last.
    taps
        Weight of the middle sample, then of the pairs around it.
    window
        First y and first x of `out` in `source`.
    """
    reach, width, left = len(taps) - 1, out.shape[2], window[1]
    for y in range(start, stop):
        line = y + window[0]
        for z in range(out.shape[0]):
            target = out[z, y]
            middle = source[index[z + reach], line]
            for x in range(width):
                target[x] = taps[0] * middle[left + x]
            for k in range(1, reach + 1):
                before, after = source[index[z + reach - k], line], source[index[z + reach + k], line]
                for x in range(width):
                    target[x] += taps[k] * (before[left + x] + after[left + x])


@njit(nogil=True, cache=True, error_model="numpy")
def smooth_lines(source: Any, index: Any, taps: Any, out: Any, start: int, stop: int) -> None:
    """Smooth along the second axis for the planes `start` to `stop`; see `smooth_planes`."""
    reach, width = len(taps) - 1, out.shape[2]
    for z in range(start, stop):
        for y in range(out.shape[1]):
            target = out[z, y]
            middle = source[z, index[y + reach]]
            for x in range(width):
                target[x] = taps[0] * middle[x]
            for k in range(1, reach + 1):
                before, after = source[z, index[y + reach - k]], source[z, index[y + reach + k]]
                for x in range(width):
                    target[x] += taps[k] * (before[x] + after[x])


@njit(nogil=True, cache=True, error_model="numpy")
def smooth_columns(source: Any, index: Any, taps: Any, out: Any, start: int, stop: int) -> None:
    """Smooth along the last axis for the lines `start` to `stop`, counted over z and y; see `smooth_planes`."""
    reach, height, width = len(taps) - 1, out.shape[1], out.shape[2]
    extended = np.empty(width + 2 * reach, source.dtype)
    for line in range(start, stop):
        row, target = source[line // height, line % height], out[line // height, line % height]
        for x in range(width + 2 * reach):
            extended[x] = row[index[x]]
        for x in range(width):
            target[x] = taps[0] * extended[x + reach]
        for k in range(1, reach + 1):
            low, high = reach - k, reach + k
            for x in range(width):
                target[x] += taps[k] * (extended[x + low] + extended[x + high])


@njit(nogil=True, cache=True, error_model="numpy")
def slope_products(source: Any, spacing: Any, out: Any, start: int, stop: int) -> None:
    """Write the products of the central differences of the planes `start` to `stop`; at the border the image is reflected.

    `out` is (products, z, y, x): yy, yx, xx of a plane (depth 1), zz, zy, zx, yy, yx, xx of a volume.
    """
    depth, height, width = source.shape
    first = 3 if out.shape[0] == 6 else 0
    for z in range(start, stop):
        for y in range(height):
            here = source[z, y]
            back, front = source[z, max(y - 1, 0)], source[z, min(y + 1, height - 1)]
            up, down = source[max(z - 1, 0), y], source[min(z + 1, depth - 1), y]
            for x in range(width):
                dx = (here[min(x + 1, width - 1)] - here[max(x - 1, 0)]) * spacing[2]
                dy = (front[x] - back[x]) * spacing[1]
                out[first, z, y, x] = dy * dy
                out[first + 1, z, y, x] = dy * dx
                out[first + 2, z, y, x] = dx * dx
                if first:
                    dz = (down[x] - up[x]) * spacing[0]
                    out[0, z, y, x] = dz * dz
                    out[1, z, y, x] = dz * dy
                    out[2, z, y, x] = dz * dx
