"""Compiled labelling of connected components by runs and union-find."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray


@njit(nogil=True, cache=True)
def count_runs(values: NDArray[Any], background: Any) -> int:
    """Count the runs of equal foreground values along the rows of a (z, y, x) array."""
    total = 0
    planes, rows, width = values.shape
    for z in range(planes):
        for y in range(rows):
            row = values[z, y]
            total += row[0] != background
            for x in range(1, width):
                total += (row[x] != background) & (row[x] != row[x - 1])
    return total


@njit(nogil=True, cache=True)
def find_runs(
    values: NDArray[Any], background: Any, starts: NDArray[np.int32], stops: NDArray[np.int32], first: NDArray[np.int64]
) -> None:
    """Write start and stop column of every run, and the number of each row's first run."""
    planes, rows, width = values.shape
    run = 0
    for z in range(planes):
        for y in range(rows):
            first[z * rows + y] = run
            row = values[z, y]
            x = 0
            while x < width:
                value = row[x]
                begin = x
                x += 1
                if value == background:
                    continue
                while x < width and row[x] == value:
                    x += 1
                starts[run] = begin
                stops[run] = x
                run += 1
    first[planes * rows] = run


@njit(nogil=True, cache=True)
def _root(parent: NDArray[np.int32], i: int) -> int:
    while parent[i] != i:
        parent[i] = parent[parent[i]]
        i = parent[i]
    return i


@njit(nogil=True, cache=True)
def _join(parent: NDArray[np.int32], i: int, j: int) -> None:
    """Join two sets; the smaller number stays root, so that roots keep the raster order."""
    i, j = _root(parent, i), _root(parent, j)
    if i < j:
        parent[j] = i
    elif j < i:
        parent[i] = j


@njit(nogil=True, cache=True)
def _join_rows(
    row: NDArray[Any],
    other: NDArray[Any],
    here: tuple[int, int],
    there: tuple[int, int],
    reach: int,
    starts: NDArray[np.int32],
    stops: NDArray[np.int32],
    parent: NDArray[np.int32],
) -> None:
    """Join the runs of two rows that have equal values and overlap after growing by `reach` columns."""
    a, a_end = here
    b, b_end = there
    while a < a_end and b < b_end:
        touching = starts[a] < stops[b] + reach and starts[b] < stops[a] + reach
        if touching and row[starts[a]] == other[starts[b]]:
            _join(parent, a, b)
        if stops[a] < stops[b]:
            a += 1
        elif stops[a] > stops[b]:
            b += 1
        else:
            # both end at one column: run a may touch the successor of b diagonally, and the reverse
            if b + 1 < b_end and starts[b + 1] < stops[a] + reach and row[starts[a]] == other[starts[b + 1]]:
                _join(parent, a, b + 1)
            a += 1


@njit(nogil=True, cache=True)
def join_runs(
    values: NDArray[Any],
    connectivity: int,
    starts: NDArray[np.int32],
    stops: NDArray[np.int32],
    first: NDArray[np.int64],
    parent: NDArray[np.int32],
) -> None:
    """Join every run with the touching runs of the rows before it; `connectivity` counts the axes that may differ."""
    planes, rows, _ = values.shape
    for z in range(planes):
        for y in range(rows):
            r = z * rows + y
            here = (first[r], first[r + 1])
            if here[0] == here[1]:
                continue
            for dz, dy in ((0, -1), (-1, 0), (-1, -1), (-1, 1)):
                spare = connectivity - abs(dz) - abs(dy)
                if spare < 0 or z + dz < 0 or not 0 <= y + dy < rows:
                    continue
                o = r + dz * rows + dy
                there = (first[o], first[o + 1])
                _join_rows(values[z, y], values[z + dz, y + dy], here, there, min(spare, 1), starts, stops, parent)


@njit(nogil=True, cache=True)
def number_runs(parent: NDArray[np.int32]) -> int:
    """Replace every parent by the final label of its set, consecutive in raster order; return how many there are."""
    count = 0
    for run in range(len(parent)):
        if parent[run] == run:
            count += 1
            parent[run] = count
        else:
            parent[run] = parent[parent[run]]
    return count


@njit(nogil=True, cache=True)
def paint_runs(
    numbers: NDArray[np.int32],
    starts: NDArray[np.int32],
    stops: NDArray[np.int32],
    first: NDArray[np.int64],
    labels: NDArray[np.int32],
) -> None:
    """Write the label of every run into a (z, y, x) array."""
    planes, rows, width = labels.shape
    for z in range(planes):
        for y in range(rows):
            row = labels[z, y]
            x = 0
            for run in range(first[z * rows + y], first[z * rows + y + 1]):
                while x < starts[run]:
                    row[x] = 0
                    x += 1
                while x < stops[run]:
                    row[x] = numbers[run]
                    x += 1
            while x < width:
                row[x] = 0
                x += 1
