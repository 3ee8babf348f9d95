"""Compiled sums over labelled regions of a (z, y, x) block."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray


@njit(nogil=True, cache=True)
def mark_present(labels: NDArray[Any], present: NDArray[np.bool_]) -> None:
    """Mark the labels that occur."""
    last = labels[0]
    present[last] = True
    for label in labels:
        if label != last:
            present[label] = True
            last = label


@njit(nogil=True, cache=True)
def sum_places(
    numbers: NDArray[Any], count: NDArray[np.int64], total: NDArray[np.int64], low: NDArray[np.int64], high: NDArray[np.int64]
) -> None:
    """Add pixels, sums of indices and bounds, run by run; region 0 is skipped."""
    planes, rows, width = numbers.shape
    for z in range(planes):
        for y in range(rows):
            x = 0
            while x < width:
                region = numbers[z, y, x]
                start = x
                while x < width and numbers[z, y, x] == region:
                    x += 1
                if region == 0:
                    continue
                length = x - start
                count[region] += length
                total[region, 0] += length * z
                total[region, 1] += length * y
                total[region, 2] += length * (start + x - 1) // 2
                for axis, first, last in ((0, z, z), (1, y, y), (2, start, x - 1)):
                    low[region, axis] = min(low[region, axis], first)
                    high[region, axis] = max(high[region, axis], last)


@njit(nogil=True, cache=True)
def sum_values(
    numbers: NDArray[Any], values: NDArray[Any], total: NDArray[Any], squares: NDArray[Any], low: NDArray[Any], high: NDArray[Any]
) -> None:
    """Add values and squares, as whole numbers where the sums are integers, and find extremes."""
    zero = total[0]
    i = 0
    while i < len(numbers):
        region = numbers[i]
        if region == 0:
            i += 1
            continue
        first, second, least, most = total[region], squares[region], low[region], high[region]
        while i < len(numbers) and numbers[i] == region:
            value = zero + values[i]
            first += value
            second += value * value
            # the negated comparison lets a NaN through, which then stays
            if not values[i] >= least:
                least = values[i]
            if not values[i] <= most:
                most = values[i]
            i += 1
        total[region], squares[region], low[region], high[region] = first, second, least, most


@njit(nogil=True, cache=True)
def sum_deviations(numbers: NDArray[Any], values: NDArray[Any], mean: NDArray[np.float64], squares: NDArray[np.float64]) -> None:
    """Add squared deviations from the mean of each region."""
    for i in range(len(numbers)):
        deviation = values[i] - mean[numbers[i]]
        squares[numbers[i]] += deviation * deviation


@njit(nogil=True, cache=True)
def _where(place: tuple[int, int, int], shape: tuple[int, int, int], open_sides: NDArray[np.bool_]) -> int:
    """Return 0 inside the block, 1 in another block, 2 outside the image."""
    found = 0
    for axis in range(3):
        if place[axis] < 0:
            found = max(found, 1 if open_sides[axis, 0] else 2)
        elif place[axis] >= shape[axis]:
            found = max(found, 1 if open_sides[axis, 1] else 2)
    return found


@njit(nogil=True, cache=True)
def count_crossings(
    numbers: NDArray[Any], steps: NDArray[np.int64], open_sides: NDArray[np.bool_], out: NDArray[np.int64]
) -> None:
    """Count per region and step the pixels whose neighbour is of another region or outside the image.

    Neighbours in another block, beyond a side marked in `open_sides` (axis, end), are left out.
    """
    shape = numbers.shape
    for z in range(shape[0]):
        for y in range(shape[1]):
            for x in range(shape[2]):
                region = numbers[z, y, x]
                if region == 0:
                    continue
                for k in range(len(steps)):
                    place = (z + steps[k, 0], y + steps[k, 1], x + steps[k, 2])
                    where = _where(place, shape, open_sides)
                    if where == 2 or (where == 0 and numbers[place] != region):
                        out[region, k] += 1
