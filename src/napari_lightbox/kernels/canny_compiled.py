"""Compiled stages of Canny's edge detector.

Sums run in float64 and in the same order as in scipy.ndimage, and each stage is stored in the image's floating type, so
that gradients and magnitudes equal SciPy's bit for bit: thinning compares neighbours and must break ties alike.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

WEAK, STRONG = 1, 2


@njit(nogil=True, cache=True)
def smooth_columns(image: Any, index: Any, taps: Any, out: Any, start: int, stop: int) -> None:
    """Correlate rows ``start:stop`` along y; `index` is -1 where the border is constant zero."""
    radius = taps.size // 2
    width = image.shape[1]
    total = np.empty(width, np.float64)
    zero = np.zeros(width, image.dtype)
    for y in range(start, stop):
        total[:] = taps[radius] * image[y]
        for k in range(radius):
            above, below = index[y + k], index[y + 2 * radius - k]
            first = image[above] if above >= 0 else zero
            second = image[below] if below >= 0 else zero
            for x in range(width):
                total[x] += (np.float64(first[x]) + np.float64(second[x])) * taps[k]
        out[y, :] = total


@njit(nogil=True, cache=True)
def smooth_rows(image: Any, index: Any, taps: Any, out: Any, start: int, stop: int) -> None:
    """Correlate rows ``start:stop`` along x; `index` is -1 where the border is constant zero."""
    radius = taps.size // 2
    width = image.shape[1]
    line = np.empty(index.size, np.float64)
    total = np.empty(width, np.float64)
    for y in range(start, stop):
        for k in range(index.size):
            line[k] = image[y, index[k]] if index[k] >= 0 else 0.0
        for x in range(width):
            total[x] = line[x + radius] * taps[radius]
        for k in range(radius):
            mirrored = 2 * radius - k
            for x in range(width):
                total[x] += (line[x + k] + line[x + mirrored]) * taps[k]
        out[y, :] = total


@njit(nogil=True, cache=True)
def gradients(smoothed: Any, down: Any, right: Any, magnitude: Any, start: int, stop: int) -> None:
    """Write the Sobel derivatives along y and x and their norm for rows ``start:stop``; the border is reflected."""
    height, width = smoothed.shape
    step = np.empty((3, width), smoothed.dtype)
    mixed = np.empty((3, width), smoothed.dtype)
    for y in range(start, stop):
        above, below = smoothed[max(y - 1, 0)], smoothed[min(y + 1, height - 1)]
        here = smoothed[y]
        for x in range(width):
            step[0, x] = np.float64(below[x]) - np.float64(above[x])
        _differences(above, mixed[0])
        _differences(here, mixed[1])
        _differences(below, mixed[2])
        for x in range(width):
            left, after = max(x - 1, 0), min(x + 1, width - 1)
            down[y, x] = 2.0 * step[0, x] + (np.float64(step[0, left]) + np.float64(step[0, after]))
        for x in range(width):
            right[y, x] = 2.0 * mixed[1, x] + (np.float64(mixed[0, x]) + np.float64(mixed[2, x]))
        for x in range(width):
            magnitude[y, x] = np.sqrt(down[y, x] * down[y, x] + right[y, x] * right[y, x])


@njit(nogil=True, cache=True)
def _differences(line: Any, out: Any) -> None:
    width = line.size
    for x in range(1, width - 1):
        out[x] = np.float64(line[x + 1]) - np.float64(line[x - 1])
    last = width - 1
    out[0] = np.float64(line[min(1, last)]) - np.float64(line[0])
    out[last] = np.float64(line[last]) - np.float64(line[max(last - 1, 0)])


@njit(nogil=True, cache=True)
def thin(down: Any, right: Any, magnitude: Any, allowed: Any, low: Any, high: float, out: Any, start: int, stop: int) -> None:
    """Mark the ridges of the magnitude in rows ``start:stop`` as weak or strong edges.

    A ridge is not exceeded on either side along the gradient, where the magnitude is interpolated between the two
    neighbours that enclose the direction. `allowed` keeps off the border, so neighbours always exist.
    """
    for y in range(start, stop):
        for x in range(magnitude.shape[1]):
            out[y, x] = 0
            value = magnitude[y, x]
            if not (allowed[y, x] and value >= low):
                continue
            dy, dx = down[y, x], right[y, x]
            steep, flat = abs(dy), abs(dx)
            slope = 1 if (dy > 0) == (dx > 0) else -1
            # on equal slopes the rising diagonal looks along x first, the falling one along y
            if steep > flat or (steep == flat and slope < 0):
                share = flat / steep
                step_y, step_x = slope, 0
            else:
                share = steep / flat
                step_y, step_x = 0, 1
            ahead = magnitude[y + slope, x + 1] * share + magnitude[y + step_y, x + step_x] * (1.0 - share)
            if ahead > value:
                continue
            behind = magnitude[y - slope, x - 1] * share + magnitude[y - step_y, x - step_x] * (1.0 - share)
            if not behind > value:
                out[y, x] = STRONG if value >= high else WEAK


@njit(nogil=True, cache=True)
def connect(state: Any, edges: Any) -> None:
    """Set `edges` to 1 on strong pixels and on weak ones that reach them through 8-connected edge pixels."""
    height, width = state.shape
    stack = np.empty(state.size, np.int64)
    for seed_y in range(height):
        for seed_x in range(width):
            if state[seed_y, seed_x] != STRONG or edges[seed_y, seed_x]:
                continue
            edges[seed_y, seed_x] = 1
            stack[0] = seed_y * width + seed_x
            filled = 1
            while filled:
                filled -= 1
                y, x = stack[filled] // width, stack[filled] % width
                for near_y in range(max(y - 1, 0), min(y + 2, height)):
                    for near_x in range(max(x - 1, 0), min(x + 2, width)):
                        if state[near_y, near_x] and not edges[near_y, near_x]:
                            edges[near_y, near_x] = 1
                            stack[filled] = near_y * width + near_x
                            filled += 1
