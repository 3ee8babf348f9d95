"""Linear interpolation along a straight row that stays inside one plane: the bulk of every rotation or resampling."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

STRETCH = 256


@njit(nogil=True, cache=True, error_model="numpy")
def inner_span(block: Any, places: Any, start: Any) -> tuple[int, int]:
    """Return where a straight row of positions has all four neighbours in one plane; nothing when it leaves the plane."""
    columns = places.shape[1]
    z = places[0, 0]
    if z != places[0, columns - 1] or z != np.floor(z) or not 0 <= z - start[0] < block.shape[0]:
        return 0, 0
    first, last = 0, columns
    while first < last and not _inside(block, places, start, first):
        first += 1
    while last > first and not _inside(block, places, start, last - 1):
        last -= 1
    return first, last


@njit(nogil=True, cache=True, error_model="numpy")
def _inside(block: Any, places: Any, start: Any, i: int) -> bool:
    b, c = int(np.floor(places[1, i])) - start[1], int(np.floor(places[2, i])) - start[2]
    return bool(0 <= b < block.shape[1] - 1 and 0 <= c < block.shape[2] - 1)


@njit(nogil=True, cache=True, error_model="numpy")
def linear_inside(block: Any, places: Any, values: Any, start: Any, first: int, last: int, at: Any, scratch: Any) -> None:
    """Write the values from `first` to `last`, an `inner_span`.

    Places, neighbours and mixing are loops of their own over short stretches, so that all but the look-up become vector
    instructions. `at` (unsigned, which saves the test for negative indices) and the six rows of `scratch` hold `STRETCH`
    numbers each.
    """
    plane = block[int(places[0, 0]) - start[0]].reshape(-1)
    width = block.shape[2]
    share_y, share_x, above, after, below, across = scratch
    one, line = np.uintp(1), np.uintp(width)
    for begin in range(first, last, STRETCH):
        end = min(begin + STRETCH, last)
        ys, xs, target = places[1, begin:end], places[2, begin:end], values[begin:end]
        for i in range(target.size):
            y, x = np.floor(ys[i]), np.floor(xs[i])
            share_y[i], share_x[i] = ys[i] - y, xs[i] - x
            at[i] = np.uintp((int(y) - start[1]) * width + int(x) - start[2])
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
