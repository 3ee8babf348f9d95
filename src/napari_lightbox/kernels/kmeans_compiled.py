"""Compiled sampling and assignment for `kernels.kmeans`."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

_STRETCH = 1024


@njit(nogil=True, cache=True)
def _mixed(value: Any) -> Any:
    """Scramble 64 bits one to one (the finaliser of SplitMix64)."""
    value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return value ^ (value >> np.uint64(31))


@njit(nogil=True, cache=True)
def _sift(keys: Any, places: Any, length: int) -> None:
    """Restore the heap (largest key first) after its root has changed."""
    at = 0
    while 2 * at + 1 < length:
        child = 2 * at + 1
        if child + 1 < length and keys[child + 1] > keys[child]:
            child += 1
        if keys[at] >= keys[child]:
            return
        keys[at], keys[child] = keys[child], keys[at]
        places[at], places[child] = places[child], places[at]
        at = child


@njit(nogil=True, cache=True)
def _row_keys(values: Any, factors: Any, first: Any, keys: Any) -> None:
    """Write the keys of a row (x, channel) whose pixels are counted from `first`; no branches, so that several go at once."""
    keys[:] = np.uint64(0)
    for c in range(values.shape[1]):
        for x in range(keys.size):
            keys[x] ^= np.float64(values[x, c]).view(np.uint64) * factors[c]
    for x in range(keys.size):
        keys[x] = _mixed(_mixed(first + np.uint64(x)) ^ keys[x])


@njit(nogil=True, cache=True)
def lowest_keys(
    values: Any, factors: Any, usable: Any, start: Any, whole: Any, seed: Any, keys: Any, places: Any, top: int, bottom: int
) -> int:
    """Find the usable pixels with the lowest keys in rows `top` to `bottom` of a block; return how many were found.

    `values` is (z, y, x, channel), rows are planes and rows counted together. A key depends on a pixel's place in the whole
    image, its values (as float64, each times the `factors` of its channel) and the seed, never on the block.
    """
    _, height, width, _ = values.shape
    limit = keys.size
    keys[:] = np.uint64(0xFFFFFFFFFFFFFFFF)
    fresh = np.empty(width, np.uint64)
    found = 0
    for row in range(top, bottom):
        z, y = row // height, row % height
        line = ((z + start[0]) * whole[1] + y + start[1]) * whole[2] + start[2]
        _row_keys(values[z, y], factors, np.uint64(line) + seed, fresh)
        for x in range(width):
            if fresh[x] < keys[0] and usable[z, y, x]:
                keys[0] = fresh[x]
                places[0] = row * width + x
                _sift(keys, places, limit)
                found += 1
    return int(min(found, limit))


@njit(nogil=True, cache=True)
def assign(features: Any, usable: Any, centres: Any, labels: Any, start: int, stop: int) -> None:
    """Write 1 + the number of the nearest centre for rows `start` to `stop` of features (pixel, feature), 0 where not usable.

    Centres run outside of a stretch of pixels, so that several pixels are compared at once.
    """
    count, width = centres.shape
    least, distance = np.empty(_STRETCH), np.empty(_STRETCH)
    for first in range(start, stop, _STRETCH):
        last = min(first + _STRETCH, stop)
        rows, found, counted = features[first:last], labels[first:last], usable[first:last]
        size = last - first
        least[:] = np.inf
        found[:] = 1
        for k in range(count):
            distance[:] = 0.0
            for f in range(width):
                centre = centres[k, f]
                for i in range(size):
                    difference = np.float64(rows[i, f]) - centre
                    distance[i] += difference * difference
            for i in range(size):
                nearer = distance[i] < least[i]
                found[i] = k + 1 if nearer else found[i]
                least[i] = distance[i] if nearer else least[i]
        for i in range(size):
            found[i] = found[i] if counted[i] else 0


@njit(nogil=True, cache=True)
def look_up(table: Any, features: Any, usable: Any, labels: Any, start: int, stop: int) -> None:
    """Write the label of each single feature from a table of all its values, 0 where not usable."""
    for i in range(start, stop):
        labels[i] = table[features[i, 0]] if usable[i] else 0
