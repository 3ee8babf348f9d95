"""Compiled passes of the exact Euclidean distance transform of masks whose background is never far away."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

TILE = 16
# lets the compiler take extremes of several values at once
_NO_NAN = {"nnan", "nsz"}


@njit(nogil=True, cache=True)
def along_rows(mask: NDArray[Any], out: NDArray[np.float32], begin: int, end: int) -> None:
    """Write the squared distance to the next zero of the same row, infinite without any, in rows `begin` ... `end`."""
    width = mask.shape[1]
    for line in range(begin, end):
        row, found = mask[line], out[line]
        a = 0
        while a < width:
            if row[a] == 0:
                found[a] = 0
                a += 1
                continue
            b = a + 1
            while b < width and row[b] != 0:
                b += 1
            for i in range(a, b):
                left = np.float32(i - a + 1) if a > 0 else np.float32(np.inf)
                right = np.float32(b - i) if b < width else np.float32(np.inf)
                steps = min(left, right)
                found[i] = steps * steps
            a = b


@njit(nogil=True, cache=True, fastmath=_NO_NAN)
def _nearer(best: NDArray[np.float32], above: NDArray[np.float32], below: NDArray[np.float32], square: Any) -> Any:
    """Lower `best` to the smaller of both rows plus `square`; return its largest value."""
    top = np.float32(0)
    for c in range(TILE):
        best[c] = min(best[c], min(above[c], below[c]) + square)
        top = max(top, best[c])
    return top


@njit(nogil=True, cache=True)
def along_columns(squares: NDArray[np.float32], reach: int, begin: int, end: int) -> bool:
    """Extend squared distances along the middle axis of (outer, n, inner), in place; False when one exceeds `reach`.

    Tiles of neighbouring columns `begin` ... `end` go together: every pixel looks further and further until nothing at that
    distance could be nearer for any of its tile.
    """
    _, n, inner = squares.shape
    before = np.full((n + 2 * reach, TILE), np.inf, np.float32)
    before[reach : reach + n] = 0
    best = np.empty(TILE, np.float32)
    tiles = (inner + TILE - 1) // TILE
    for tile in range(begin, end):
        o, x = tile // tiles, tile % tiles * TILE
        width = min(TILE, inner - x)
        for i in range(n):
            for c in range(width):
                before[reach + i, c] = squares[o, i, x + c]
        for i in range(reach, reach + n):
            best[:] = before[i]
            top, k = _nearer(best, before[i], before[i], np.float32(0)), 1
            while k * k < top:
                if k > reach:
                    return False
                top = _nearer(best, before[i - k], before[i + k], np.float32(k * k))
                k += 1
            for c in range(width):
                squares[o, i - reach, x + c] = best[c]
    return True
