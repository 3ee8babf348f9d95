"""Compiled weights between touching pixels, written into the arcs of a `kernels.max_flow.GridGraph`."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

LINEAR, EXPONENTIAL, DIVISION, POWER = range(4)


@njit(nogil=True, cache=True)
def weight_of(contrast: float, term: int, sigma: float, floor: float) -> float:
    """Return the weight of a contrast; in the linear term `sigma` is the greatest contrast there is."""
    if term == LINEAR:
        weight = 1 - contrast / sigma if sigma > 0 else 1.0
    elif term == EXPONENTIAL:
        weight = np.exp(-((contrast / sigma) ** 2))
    elif term == DIVISION:
        weight = 1 / (1 + contrast / sigma)
    else:
        weight = (1 / (1 + contrast)) ** sigma
    return max(weight, floor)


@njit(nogil=True, cache=True)
def write_table(table: Any, term: int, sigma: float, floor: float) -> None:
    """Write the weight of every whole contrast."""
    for contrast in range(table.size):
        table[contrast] = weight_of(float(contrast), term, sigma, floor)


@njit(nogil=True, cache=True)
def _contrast(one: Any, other: Any, maximum: bool) -> float:
    if one.size == 1:
        a, b = np.float64(one[0]), np.float64(other[0])
        return max(abs(a), abs(b)) if maximum else abs(a - b)
    total = 0.0
    for c in range(one.size):
        difference = np.float64(one[c]) - np.float64(other[c])
        total += difference * difference
    return float(np.sqrt(total))


@njit(nogil=True, cache=True)
def write_arcs(
    volume: Any, idle: Any, lengths: Any, table: Any, rule: Any, capacity: Any, strides: Any, steps: Any, start: int, stop: int
) -> None:
    """Write the weights of all pairs whose first pixel lies in rows `start` to `stop`, counted over z and y together.

    `volume` is (z, y, x, channel); `rule` is (maximum, term, sigma, floor). Pairs with an idle pixel are left at 0. A `table`
    with entries replaces the rule for whole contrasts.
    """
    depth, height, width, _ = volume.shape
    first, plane, row = strides
    maximum, term, sigma, floor = rule
    degree = steps.size
    for line in range(start, stop):
        z, y = line // height, line % height
        for x in range(width):
            if idle[z, y, x]:
                continue
            node = first + z * plane + y * row + x
            for axis in range(3 - degree // 2, 3):
                nz, ny, nx = z + (axis == 0), y + (axis == 1), x + (axis == 2)
                if nz >= depth or ny >= height or nx >= width or idle[nz, ny, nx]:
                    continue
                contrast = _contrast(volume[z, y, x], volume[nz, ny, nx], maximum)
                weight = table[int(contrast)] if table.size else weight_of(contrast, term, sigma, floor)
                weight /= lengths[axis]
                back = axis - 3 + degree // 2
                forth = degree - 1 - back
                capacity[node * degree + forth] = weight
                capacity[(node + steps[forth]) * degree + back] = weight
