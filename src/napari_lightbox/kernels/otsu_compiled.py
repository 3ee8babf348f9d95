"""The best split of a histogram of exact levels, in one compiled pass."""

from __future__ import annotations

from typing import Any

from numba import njit


@njit(nogil=True, cache=True, error_model="numpy")
def best_split(offsets: Any, counts: Any) -> int:
    """Return the last position of the lower class when the variance between the classes is largest; the first of equals.

    Parameters
    ----------
    offsets
        Levels counted from the first, int64 or float64.
    counts
        Pixels per level; the first and the last are not zero.
    """
    weight = counts.sum()
    moment = offsets[0] * counts[0]
    for i in range(1, counts.size):
        moment += offsets[i] * counts[i]
    low_weight, low_moment = counts[0] * 0, moment * 0
    best, largest = 0, -1.0
    for i in range(counts.size - 1):
        low_weight += counts[i]
        low_moment += offsets[i] * counts[i]
        rest = float(weight - low_weight)
        apart = low_moment / low_weight - (moment - low_moment) / rest
        between = low_weight * rest * (apart * apart)
        if between > largest:
            best, largest = i, between
    return best
