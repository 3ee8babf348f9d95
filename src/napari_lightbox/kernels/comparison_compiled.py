"""Compiled comparison loops."""

from __future__ import annotations

from typing import Any

from numba import njit

_STRETCH = 4096


@njit(nogil=True, cache=True)
def label_within(flat: Any, low: Any, high: Any, inside: Any, outside: Any, out: Any) -> None:
    """Write `inside` where ``low <= flat <= high``, else `outside`."""
    for i in range(flat.size):
        value = flat[i]
        out[i] = inside if (value >= low) & (value <= high) else outside


@njit(nogil=True, cache=True)
def label_first_band(flat: Any, limits: Any, labels: Any, out: Any) -> None:
    """Write the label of the first band that holds each value, 0 where none does.

    Bands run outermost, the last first, so that the inner loop has no branch; stretches stay in the cache.
    """
    for start in range(0, flat.size, _STRETCH):
        values, found = flat[start : start + _STRETCH], out[start : start + _STRETCH]
        found[:] = 0
        for k in range(labels.size - 1, -1, -1):
            low, high, label = limits[k, 0], limits[k, 1], labels[k]
            for i in range(values.size):
                value = float(values[i])
                found[i] = label if (value >= low) & (value <= high) else found[i]
