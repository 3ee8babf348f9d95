"""Compiled parts of joining labels across block faces; importing this loads numba."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray


@njit(nogil=True, cache=True)
def first_pixels(labels: NDArray[np.int32], count: int) -> NDArray[np.int64]:
    """Return the flat index of the first pixel of labels 1 ... count in a contiguous block."""
    first = np.full(count, -1, np.int64)
    flat = labels.ravel()
    missing = count
    for i in range(flat.size):
        label = flat[i]
        if label > 0 and first[label - 1] < 0:
            first[label - 1] = i
            missing -= 1
            if missing == 0:
                break
    return first


@njit(nogil=True, cache=True)
def find_root(parent: NDArray[np.int64], node: int) -> int:
    """Return the root of a node and shorten the path to it."""
    while parent[node] != node:
        parent[node] = parent[parent[node]]
        node = parent[node]
    return node


@njit(nogil=True, cache=True)
def join_planes(
    low: NDArray[np.int64], high: NDArray[np.int64], low_values: Any, high_values: Any, reach: int, parent: NDArray[np.int64]
) -> None:
    """Join labels of two planes that face each other; `reach` axes may differ besides the one across."""
    rows, columns = low.shape
    for r in range(rows):
        for c in range(columns):
            mine = low[r, c]
            if mine == 0:
                continue
            for dr in range(-1, 2):
                for dc in range(-1, 2):
                    if abs(dr) + abs(dc) > reach or not (0 <= r + dr < rows and 0 <= c + dc < columns):
                        continue
                    theirs = high[r + dr, c + dc]
                    if theirs != 0 and low_values[r, c] == high_values[r + dr, c + dc]:
                        a, b = find_root(parent, mine), find_root(parent, theirs)
                        if a != b:
                            parent[max(a, b)] = min(a, b)


@njit(nogil=True, cache=True)
def final_ids(parent: NDArray[np.int64], first: NDArray[np.int64]) -> NDArray[np.int32]:
    """Return the final id of every node: roots numbered by the first pixel of all their members."""
    n = parent.size
    earliest = np.full(n, np.iinfo(np.int64).max, np.int64)
    for node in range(1, n):
        root = find_root(parent, node)
        earliest[root] = min(earliest[root], first[node])
    roots = np.array([node for node in range(1, n) if parent[node] == node])
    ids = np.zeros(n, np.int32)
    if roots.size:
        for number, position in enumerate(np.argsort(earliest[roots])):
            ids[roots[position]] = number + 1
        for node in range(1, n):
            ids[node] = ids[find_root(parent, node)]
    return ids


@njit(nogil=True, cache=True)
def relabel(labels: NDArray[np.int32], ids: NDArray[np.int32]) -> NDArray[np.int32]:
    """Return the labels of a contiguous block with every id looked up."""
    out = np.empty(labels.size, np.int32)
    flat = labels.ravel()
    for i in range(flat.size):
        out[i] = ids[flat[i]]
    return out.reshape(labels.shape)
