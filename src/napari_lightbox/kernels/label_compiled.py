"""Compiled labelling of connected components by runs and union-find."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray


@njit(nogil=True, cache=True)
def count_runs(values: NDArray[Any], background: Any, counts: NDArray[np.int64], begin: int, end: int) -> None:
    """Count the runs of equal foreground values along the rows `begin` ... `end` of a (row, x) array."""
    width = values.shape[1]
    for r in range(begin, end):
        row = values[r]
        total = np.int64(row[0] != background)
        for x in range(1, width):
            total += (row[x] != background) & (row[x] != row[x - 1])
        counts[r] = total


@njit(nogil=True, cache=True)
def find_runs(
    values: NDArray[Any],
    background: Any,
    first: NDArray[np.int64],
    starts: NDArray[np.int32],
    stops: NDArray[np.int32],
    begin: int,
    end: int,
) -> None:
    """Write start and stop column of every run in some rows; `first` holds the number of each row's first run."""
    width = values.shape[1]
    # every column is written and only kept where a run starts or stops: guessing branches wrong costs more
    fresh, done = np.empty(width + 1, np.int32), np.empty(width + 1, np.int32)
    for r in range(begin, end):
        row = values[r]
        before, started, stopped = background, 0, 0
        for x in range(width):
            value = row[x]
            fresh[started], done[stopped] = x, x
            started += (value != before) & (value != background)
            stopped += (value != before) & (before != background)
            before = value
        done[stopped] = width
        for k in range(started):
            starts[first[r] + k], stops[first[r] + k] = fresh[k], done[k]


@njit(nogil=True, cache=True)
def _root(parent: NDArray[np.int32], i: int) -> int:
    while parent[i] != i:
        parent[i] = parent[parent[i]]
        i = parent[i]
    return i


@njit(nogil=True, cache=True)
def _join(parent: NDArray[np.int32], i: int, j: int) -> None:
    """Join two sets; the smaller number stays root, so that roots keep the raster order."""
    if parent[i] == parent[j]:
        return
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
        if reach == 0:
            last_a, last_b = stops[a], stops[b]
            a += last_a <= last_b
            b += last_b <= last_a
        elif stops[a] < stops[b]:
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
    height: int,
    connectivity: int,
    starts: NDArray[np.int32],
    stops: NDArray[np.int32],
    first: NDArray[np.int64],
    parent: NDArray[np.int32],
    here: tuple[int, int],
    there: tuple[int, int],
) -> None:
    """Join the runs of some rows with the touching runs of the rows before them that lie in the range `there`.

    Rows of all planes, each of `height` rows, are counted together; `connectivity` counts the axes that may differ.
    """
    for r in range(here[0], here[1]):
        runs = (first[r], first[r + 1])
        if runs[0] == runs[1]:
            continue
        y = r % height
        for dz, dy in ((0, -1), (-1, 0), (-1, -1), (-1, 1)):
            spare = connectivity - abs(dz) - abs(dy)
            o = r + dz * height + dy
            if spare < 0 or not 0 <= y + dy < height or not there[0] <= o < there[1]:
                continue
            others = (first[o], first[o + 1])
            _join_rows(values[r], values[o], runs, others, min(spare, 1), starts, stops, parent)


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
    values: NDArray[Any],
    background: Any,
    numbers: NDArray[np.int32],
    first: NDArray[np.int64],
    labels: NDArray[np.int32],
    begin: int,
    end: int,
) -> None:
    """Write the label of every run into some rows of a (row, x) array; `numbers` begins with the 0 of the background."""
    for r in range(begin, end):
        row, out = values[r], labels[r]
        before, run = background, first[r]
        for x in range(row.size):
            value = row[x]
            run += (value != before) & (value != background)
            out[x] = numbers[run * (value != background)]
            before = value
