"""Linear interpolation along a straight row that keeps its depth: the bulk of every rotation or resampling."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

STRETCH = 256


@njit(nogil=True, cache=True, error_model="numpy")
def inner_span(block: Any, places: Any, start: Any) -> tuple[int, int]:
    """Return where a straight row of positions has all its neighbours in the block; nothing when its depth changes."""
    columns = places.shape[1]
    z = places[0, 0]
    k = int(np.floor(z)) - start[0]
    if z != places[0, columns - 1] or not 0 <= k < block.shape[0] - (z != np.floor(z)):
        return 0, 0
    first, last = 0, columns
    top, bottom = float(start[1]), float(start[1] + block.shape[1] - 1)
    left, right = float(start[2]), float(start[2] + block.shape[2] - 1)
    ys, xs = places[1], places[2]
    while first < last and not (top <= ys[first] < bottom and left <= xs[first] < right):
        first += 1
    while last > first and not (top <= ys[last - 1] < bottom and left <= xs[last - 1] < right):
        last -= 1
    return first, last


@njit(nogil=True, cache=True, error_model="numpy")
def linear_inside(block: Any, places: Any, values: Any, start: Any, first: int, last: int, at: Any, scratch: Any) -> None:
    """Write the values from `first` to `last`, an `inner_span`.

    Places, neighbours and mixing are loops of their own over short stretches, so that all but the look-up become vector
    instructions. `at` (unsigned, which saves the test for negative indices) and the seven rows of `scratch` hold `STRETCH`
    numbers each.
    """
    z = places[0, 0]
    k = int(np.floor(z)) - start[0]
    depth, width = z - np.floor(z), block.shape[2]
    front = block[k].reshape(-1)
    back = block[k + 1].reshape(-1) if depth > 0.0 else front
    share_y, share_x, behind = scratch[4], scratch[5], scratch[6]
    for begin in range(first, last, STRETCH):
        end = min(begin + STRETCH, last)
        ys, xs, target = places[1, begin:end], places[2, begin:end], values[begin:end]
        for i in range(target.size):
            y, x = np.floor(ys[i]), np.floor(xs[i])
            share_y[i], share_x[i] = ys[i] - y, xs[i] - x
            at[i] = np.uintp((int(y) - start[1]) * width + int(x) - start[2])
        _mix_in_plane(front, at, np.uintp(width), scratch, target)
        if depth > 0.0:
            _mix_in_plane(back, at, np.uintp(width), scratch, behind[: target.size])
            for i in range(target.size):
                target[i] += depth * (behind[i] - target[i])


@njit(nogil=True, cache=True, error_model="numpy")
def _mix_in_plane(plane: Any, at: Any, line: Any, scratch: Any, target: Any) -> None:
    """Write the values between the four samples of a plane at each of `at`, whose lines are `line` samples apart."""
    above, after, below, across, share_y, share_x, _ = scratch
    one = np.uintp(1)
    for i in range(target.size):
        p = at[i]
        above[i], after[i] = plane[p], plane[p + one]
        below[i], across[i] = plane[p + line], plane[p + line + one]
    for i in range(target.size):
        t = share_x[i]
        top, bottom = above[i] + t * (after[i] - above[i]), below[i] + t * (across[i] - below[i])
        # a NaN or an infinity next to a whole position has no weight
        top, bottom = (above[i] if t == 0.0 else top), (below[i] if t == 0.0 else bottom)
        value = top + share_y[i] * (bottom - top)
        target[i] = top if share_y[i] == 0.0 else value
