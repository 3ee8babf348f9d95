"""Compiled mean along time."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit


@njit(nogil=True, cache=True)
def mean_rows(stack: Any, weights: Any, divisor: float, out: Any, top: int, bottom: int) -> None:
    """Write rows `top` to `bottom` of the sum of all frames over `divisor`; no weights are weights of one."""
    count, _, width = stack.shape
    total = np.empty(width)
    for y in range(top, bottom):
        total[:] = 0.0
        for t in range(count):
            row = stack[t, y]
            if weights.size == 0:
                for x in range(width):
                    total[x] += row[x]
            else:
                for x in range(width):
                    total[x] += weights[t] * row[x]
        for x in range(width):
            out[y, x] = total[x] / divisor
