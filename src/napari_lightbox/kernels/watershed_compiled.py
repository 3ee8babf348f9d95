"""Compiled flooding for `kernels.watershed`: flat arrays with a border of one blocked pixel."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit


@njit(nogil=True, cache=True)
def _push(heads: Any, tails: Any, follow: Any, level: int, pixel: int) -> None:
    """Append a pixel to the queue of its level; the queues are linked lists through `follow`."""
    if heads[level] < 0:
        heads[level] = pixel
    else:
        follow[tails[level]] = pixel
    tails[level] = pixel
    follow[pixel] = -1


@njit(nogil=True, cache=True)
def _push_shores(levels: Any, labels: Any, blocked: Any, steps: Any, heads: Any, tails: Any, follow: Any) -> None:
    """Queue every pixel beside a marker."""
    for pixel in range(labels.size):
        if labels[pixel] == 0:
            continue
        blocked[pixel] = True
        for step in steps:
            near = pixel + step
            if not blocked[near] and labels[near] == 0:
                _push(heads, tails, follow, levels[near], near)
                blocked[near] = True


@njit(nogil=True, cache=True)
def _only_label(labels: Any, pixel: int, steps: Any) -> Any:
    """Return the one label among the neighbours, 0 when there are several."""
    found = labels[pixel]
    for step in steps:
        other = labels[pixel + step]
        if other != 0:
            if found != 0 and other != found:
                return labels[pixel]
            found = other
    return found


@njit(nogil=True, cache=True)
def flood_with_line(levels: Any, labels: Any, blocked: Any, steps: Any, heads: Any, tails: Any, follow: Any) -> None:
    """Flood as Meyer does: a pixel that meets two labels when its turn comes stays 0 and stops the water.

    `blocked` is used up: it marks pixels that need no further queueing.
    """
    _push_shores(levels, labels, blocked, steps, heads, tails, follow)
    for level in range(heads.size):
        while heads[level] >= 0:
            pixel = heads[level]
            heads[level] = follow[pixel]
            labels[pixel] = _only_label(labels, pixel, steps)
            if labels[pixel] == 0:
                continue
            for step in steps:
                near = pixel + step
                if not blocked[near]:
                    blocked[near] = True
                    _push(heads, tails, follow, max(level, levels[near]), near)


@njit(nogil=True, cache=True)
def flood_without_line(levels: Any, labels: Any, blocked: Any, steps: Any, heads: Any, tails: Any, follow: Any) -> None:
    """Flood as Beucher does: the first label that reaches a pixel takes it."""
    for pixel in range(labels.size):
        if labels[pixel] == 0:
            continue
        for step in steps:
            if labels[pixel + step] == 0 and not blocked[pixel + step]:
                _push(heads, tails, follow, levels[pixel], pixel)
                break
    for level in range(heads.size):
        while heads[level] >= 0:
            pixel = heads[level]
            heads[level] = follow[pixel]
            for step in steps:
                near = pixel + step
                if labels[near] == 0 and not blocked[near]:
                    labels[near] = labels[pixel]
                    _push(heads, tails, follow, max(level, levels[near]), near)


@njit(nogil=True, cache=True)
def _count_digits(keys: Any, shift: int) -> Any:
    counts = np.zeros(65536, np.int64)
    for key in keys:
        counts[(key >> np.uint32(shift)) & np.uint32(0xFFFF)] += 1
    total = 0
    for digit in range(65536):
        here = counts[digit]
        counts[digit] = total
        total += here
    return counts


@njit(nogil=True, cache=True)
def rank(keys: Any) -> Any:
    """Return the dense rank (equal keys, equal rank) of uint32 keys and the number of ranks, by radix sort."""
    half = np.empty(keys.size, np.int32)
    places = _count_digits(keys, 0)
    for i in range(keys.size):
        digit = keys[i] & np.uint32(0xFFFF)
        half[places[digit]] = i
        places[digit] += 1
    order = np.empty(keys.size, np.int32)
    places = _count_digits(keys, 16)
    for i in half:
        digit = keys[i] >> np.uint32(16)
        order[places[digit]] = i
        places[digit] += 1
    ranks = np.empty(keys.size, np.int32)
    current = -1
    for place in range(order.size):
        i = order[place]
        if place == 0 or keys[i] != keys[order[place - 1]]:
            current += 1
        ranks[i] = current
    return ranks, current + 1
