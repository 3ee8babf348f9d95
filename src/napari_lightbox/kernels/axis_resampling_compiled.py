"""Weighted sums of samples along one axis."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit


@njit(nogil=True, cache=True, inline="always")
def _store(row: Any, target: Any, low: Any, high: Any, whole: bool) -> None:
    if whole:
        for i in range(row.size):
            value = min(max(row[i], low), high)
            target[i] = np.rint(value)
    else:
        for i in range(row.size):
            target[i] = row[i]


@njit(nogil=True, cache=True, error_model="numpy")
def along_lines(source: Any, index: Any, weight: Any, out: Any, low: Any, high: Any, whole: bool, start: int, stop: int) -> None:
    """Resample the middle axis of (outer, n, inner); each output line is a sum of input lines.

    Works on the outputs `start` to `stop` of the flattened (outer, count) range.
    """
    count, taps = weight.shape
    inner = source.shape[2]
    row = np.zeros(inner, weight.dtype)
    for place in range(start, stop):
        o, k = place // count, place % count
        line, factor = source[o, index[k, 0]], weight[k, 0]
        for i in range(inner):
            row[i] = factor * line[i]
        for tap in range(1, taps):
            factor = weight[k, tap]
            if factor == 0:
                continue
            line = source[o, index[k, tap]]
            for i in range(inner):
                row[i] += factor * line[i]
        _store(row, out[o, k], low, high, whole)


@njit(nogil=True, cache=True, error_model="numpy")
def within_lines(source: Any, index: Any, weight: Any, out: Any, low: Any, high: Any, whole: bool, start: int, stop: int) -> None:
    """Resample the last axis of (outer, n); `index` and `weight` have taps first."""
    taps, count = weight.shape
    row = np.zeros(count, weight.dtype)
    line = np.zeros(source.shape[1], weight.dtype)
    for o in range(start, stop):
        for i in range(line.size):
            line[i] = source[o, i]
        for k in range(count):
            row[k] = weight[0, k] * line[index[0, k]]
        for tap in range(1, taps):
            for k in range(count):
                row[k] += weight[tap, k] * line[index[tap, k]]
        _store(row, out[o], low, high, whole)
