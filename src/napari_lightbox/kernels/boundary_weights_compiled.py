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
def _distance(one: Any, other: Any) -> float:
    """Return the distance of two colours."""
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
    depth, height = volume.shape[:2]
    first, plane, row = strides
    degree = steps.size
    for line in range(start, stop):
        z, y = line // height, line % height
        begin = (first + z * plane + y * row) * degree
        for axis in range(3 - degree // 2, 3):
            nz, ny, ahead = z + (axis == 0), y + (axis == 1), int(axis == 2)
            if nz >= depth or ny >= height:
                continue
            back = axis - 3 + degree // 2
            forth = degree - 1 - back
            out, home = capacity[begin + forth :], capacity[begin + steps[forth] * degree + back :]
            rows = volume[z, y], volume[nz, ny, ahead:], idle[z, y], idle[nz, ny, ahead:]
            _write_row(rows, lengths[axis], table, rule, out, home, degree)


@njit(nogil=True, cache=True)
def _write_row(rows: Any, length: float, table: Any, rule: Any, out: Any, home: Any, degree: int) -> None:
    """Write the weights between the pixels of two rows, there and back, to every `degree`-th entry."""
    here, there, still, beyond = rows
    maximum, term, sigma, floor = rule
    single = here.shape[1] == 1
    for x in range(there.shape[0]):
        if still[x] or beyond[x]:
            continue
        if single:
            a, b = np.float64(here[x, 0]), np.float64(there[x, 0])
            contrast = max(abs(a), abs(b)) if maximum else abs(a - b)
        else:
            contrast = _distance(here[x], there[x])
        weight = (table[int(contrast)] if table.size else weight_of(contrast, term, sigma, floor)) / length
        out[x * degree] = weight
        home[x * degree] = weight
