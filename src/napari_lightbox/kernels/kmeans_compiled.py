"""Compiled sampling and assignment for `kernels.kmeans`."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit


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
def lowest_keys(bits: Any, usable: Any, start: Any, whole: Any, seed: Any, keys: Any, places: Any) -> int:
    """Find the usable pixels of a (z, y, x) block with the lowest keys; return how many were found.

    A key depends on a pixel's place in the whole image, its value (`bits`) and the seed, never on the block.
    """
    depth, height, width = usable.shape
    limit = keys.size
    keys[:] = np.uint64(0xFFFFFFFFFFFFFFFF)
    found = 0
    for z in range(depth):
        for y in range(height):
            line = ((z + start[0]) * whole[1] + y + start[1]) * whole[2] + start[2]
            for x in range(width):
                if not usable[z, y, x]:
                    continue
                key = _mixed(_mixed(np.uint64(line + x) + seed) ^ bits[z, y, x])
                if key < keys[0]:
                    keys[0] = key
                    places[0] = (z * height + y) * width + x
                    _sift(keys, places, limit)
                    found += 1
    return int(min(found, limit))


@njit(nogil=True, cache=True)
def assign(features: Any, usable: Any, centres: Any, labels: Any, start: int, stop: int) -> None:
    """Write 1 + the number of the nearest centre for rows `start` to `stop` of features (pixel, feature)."""
    count, width = centres.shape
    for i in range(start, stop):
        if not usable[i]:
            continue
        nearest, least = 0, np.inf
        for k in range(count):
            distance = 0.0
            for f in range(width):
                difference = np.float64(features[i, f]) - centres[k, f]
                distance += difference * difference
            if distance < least:
                nearest, least = k, distance
        labels[i] = nearest + 1
