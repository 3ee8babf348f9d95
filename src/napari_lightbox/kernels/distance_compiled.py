"""Compiled passes of the exact distance transforms: one axis at a time.

Every pass works on segments of equal non-zero values along a line: what ends a segment, except the border of the array,
is background to it. `places` holds the flat index of the nearest background pixel, -1 for none; with no element at all
it is not tracked.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

EUCLIDEAN, CITYBLOCK, CHESSBOARD = range(3)
TILE = 16


@njit(nogil=True, cache=True)
def first_pass(
    values: NDArray[Any], step: float, metric: int, out: NDArray[Any], places: NDArray[np.int64], begin: int, end: int
) -> None:
    """Write the distance (squared for Euclidean) along rows `begin` ... `end` of a (lines, n) array."""
    n = values.shape[1]
    track = len(places) > 0
    for line in range(begin, end):
        row = values[line]
        a = 0
        while a < n:
            b = a + 1
            while b < n and row[b] == row[a]:
                b += 1
            for i in range(a, b):
                left = i - a + 1 if a > 0 else n + n
                right = b - i if b < n else n + n
                count = min(left, right)
                if row[i] == 0:
                    out[line, i] = 0
                    count = 0
                elif count == n + n:
                    out[line, i] = np.inf
                else:
                    along = count * step
                    out[line, i] = along * along if metric == EUCLIDEAN else along
                if track:
                    places[line, i] = -1 if count == n + n else line * n + (i if count == 0 else a - 1 if left <= right else b)
            a = b


@njit(nogil=True, cache=True)
def _parabolas(
    f: NDArray[Any],
    a: int,
    b: int,
    step: float,
    hull: NDArray[np.int32],
    bounds: NDArray[np.float64],
    out: NDArray[Any],
    source: NDArray[np.int32],
) -> None:
    """Write the lower envelope of the parabolas on f[a:b] and the number of the parabola it is made of."""
    square = step * step
    k = -1
    for q in range(a, b):
        if f[q] == np.inf:
            continue
        height = f[q] + square * q * q
        start = -np.inf
        while k >= 0:
            p = hull[k]
            start = (height - (f[p] + square * p * p)) / (2 * square * (q - p))
            if start > bounds[k]:
                break
            k -= 1
            start = -np.inf
        k += 1
        hull[k] = q
        bounds[k] = start
    if k < 0:
        for i in range(a, b):
            out[i] = np.inf
            source[i] = -1
        return
    last, k = k, 0
    for i in range(a, b):
        while k < last and bounds[k + 1] < i:
            k += 1
        p = hull[k]
        out[i] = square * (i - p) * (i - p) + f[p]
        source[i] = p


@njit(nogil=True, cache=True)
def _cones(f: NDArray[Any], a: int, b: int, step: float, out: NDArray[Any], source: NDArray[np.int32]) -> None:
    """Write the smallest ``f[j] + step * |i - j|``: one sweep each way."""
    for i in range(a, b):
        out[i] = f[i]
        source[i] = i if f[i] < np.inf else -1
        if i > a and out[i - 1] + step < out[i]:
            out[i] = out[i - 1] + step
            source[i] = source[i - 1]
    for i in range(b - 2, a - 1, -1):
        if out[i + 1] + step < out[i]:
            out[i] = out[i + 1] + step
            source[i] = source[i + 1]


@njit(nogil=True, cache=True)
def _last_not_worse(f: NDArray[Any], i: int, u: int, step: float) -> float:
    """Return up to where ``max(f[i], step * |x - i|)`` is no larger than the same of a later u."""
    middle = (i + u) / 2
    return float(max(i + f[u] / step, middle) if f[i] <= f[u] else min(u - f[i] / step, middle))


@njit(nogil=True, cache=True)
def _boxes(
    f: NDArray[Any],
    a: int,
    b: int,
    step: float,
    hull: NDArray[np.int32],
    bounds: NDArray[np.float64],
    out: NDArray[Any],
    source: NDArray[np.int32],
) -> None:
    """Write the smallest ``max(f[j], step * |i - j|)``, from the points that win somewhere and where they begin to."""
    k = -1
    for u in range(a, b):
        if f[u] == np.inf:
            continue
        while k >= 0 and max(f[hull[k]], step * abs(bounds[k] - hull[k])) > max(f[u], step * abs(bounds[k] - u)):
            k -= 1
        start = a if k < 0 else 1 + np.floor(_last_not_worse(f, hull[k], u, step))
        if start < b:
            k += 1
            hull[k] = u
            bounds[k] = start
    for i in range(b - 1, a - 1, -1):
        if k < 0:
            out[i] = np.inf
            source[i] = -1
            continue
        p = hull[k]
        out[i] = max(f[p], step * abs(i - p))
        source[i] = p
        if i == bounds[k]:
            k -= 1


@njit(nogil=True, cache=True)
def _ends(n: int, a: int, b: int, step: float, metric: int, out: NDArray[Any], source: NDArray[np.int32]) -> None:
    """Take the pixels beside a segment where they are nearer."""
    for i in range(a, b):
        for end, count in ((a - 1, i - a + 1), (b, b - i)):
            along = count * step
            along = along * along if metric == EUCLIDEAN else along
            if 0 <= end < n and along < out[i]:
                out[i] = along
                source[i] = end


@njit(nogil=True, cache=True)
def _line(
    kinds: NDArray[Any],
    f: NDArray[Any],
    step: float,
    metric: int,
    hull: NDArray[np.int32],
    bounds: NDArray[np.float64],
    out: NDArray[Any],
    source: NDArray[np.int32],
) -> None:
    n = len(kinds)
    a = 0
    while a < n:
        b = a + 1
        while b < n and kinds[b] == kinds[a]:
            b += 1
        if kinds[a] == 0:
            for i in range(a, b):
                out[i] = 0
                source[i] = i
        else:
            if metric == EUCLIDEAN:
                _parabolas(f, a, b, step, hull, bounds, out, source)
            elif metric == CITYBLOCK:
                _cones(f, a, b, step, out, source)
            else:
                _boxes(f, a, b, step, hull, bounds, out, source)
            _ends(n, a, b, step, metric, out, source)
        a = b


@njit(nogil=True, cache=True)
def _follow(kinds: NDArray[Any], source: NDArray[np.int32], column: NDArray[np.int64], first: int, inner: int) -> None:
    """Take over the place of the pixel that each pixel of a column got its distance from; `first` is its flat index."""
    old = column.copy()
    for i in range(len(column)):
        j = source[i]
        if j >= 0 and kinds[j] == kinds[i]:
            column[i] = old[j]
        else:
            column[i] = -1 if j < 0 else first + j * inner


@njit(nogil=True, cache=True)
def next_pass(
    values: NDArray[Any], step: float, metric: int, distance: NDArray[Any], places: NDArray[np.int64], begin: int, end: int
) -> None:
    """Extend distances along the middle axis of (outer, n, inner) arrays, in place.

    Columns are worked on in tiles, so that every line of cache read is used whole; `begin` and `end` count tiles.
    """
    _, n, inner = values.shape
    kinds = np.empty((TILE, n), values.dtype)
    before = np.empty((TILE, n), distance.dtype)
    after = np.empty((TILE, n), distance.dtype)
    source = np.empty((TILE, n), np.int32)
    hull = np.empty(n, np.int32)
    bounds = np.empty(n, np.float64)
    tiles = (inner + TILE - 1) // TILE
    for tile in range(begin, end):
        o, x = tile // tiles, tile % tiles * TILE
        width = min(TILE, inner - x)
        for i in range(n):
            for c in range(width):
                kinds[c, i] = values[o, i, x + c]
                before[c, i] = distance[o, i, x + c]
        for c in range(width):
            _line(kinds[c], before[c], step, metric, hull, bounds, after[c], source[c])
            if len(places) > 0:
                _follow(kinds[c], source[c], places[o, :, x + c], o * n * inner + x + c, inner)
        for i in range(n):
            for c in range(width):
                distance[o, i, x + c] = after[c, i]
