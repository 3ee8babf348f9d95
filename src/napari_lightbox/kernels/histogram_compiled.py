"""Compiled counting loops."""

from __future__ import annotations

from typing import Any

from numba import njit


@njit(nogil=True, cache=True)
def count_offsets(flat: Any, low: Any, counts: Any) -> None:
    """Add the number of pixels per integer level above `low` to `counts`; none may lie outside."""
    for i in range(flat.size):
        counts[flat[i] - low] += 1


@njit(nogil=True, cache=True)
def count_bins(flat: Any, edges: Any, slack: float, counts: Any) -> None:
    """Add the number of pixels per bin to `counts`, by numpy.histogram's rule; NaN and what lies outside is skipped.

    `slack` is the uncertainty of a position in bins; only positions that close to an edge are compared with it.
    """
    last = counts.size - 1
    low = float(edges[0])
    high = float(edges[last + 1])
    scale = counts.size / (high - low)
    for i in range(flat.size):
        value = float(flat[i])
        if not (low <= value <= high):
            continue
        position = (value - low) * scale
        k = min(int(position), last)
        rest = position - k
        if rest < slack or rest > 1 - slack:
            if value < edges[k]:
                k -= 1
            elif k < last and value >= edges[k + 1]:
                k += 1
        counts[k] += 1
