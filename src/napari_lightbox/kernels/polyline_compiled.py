"""Compiled lengths and areas of many lines whose vertices lie one line after the other."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit


@njit(nogil=True, cache=True)
def ring_measures(vertices: Any, counts: Any) -> tuple[Any, Any, Any]:
    """Return per line the length along its vertices, the length of the way back to the first, and the area of that ring."""
    lengths, gaps, areas = np.zeros(len(counts)), np.zeros(len(counts)), np.zeros(len(counts))
    start = 0
    for line in range(len(counts)):
        stop = start + counts[line]
        length, twice = 0.0, 0.0
        for i in range(start, stop - 1):
            y, x, below, right = vertices[i, 0], vertices[i, 1], vertices[i + 1, 0], vertices[i + 1, 1]
            length += np.sqrt((below - y) * (below - y) + (right - x) * (right - x))
            twice += y * right - x * below
        y, x, first, left = vertices[stop - 1, 0], vertices[stop - 1, 1], vertices[start, 0], vertices[start, 1]
        lengths[line] = length
        gaps[line] = np.sqrt((first - y) * (first - y) + (left - x) * (left - x))
        areas[line] = abs(twice + y * left - x * first) / 2
        start = stop
    return lengths, gaps, areas
