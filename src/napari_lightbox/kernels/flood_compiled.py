"""Compiled row-wise flood fill for `kernels.flood`."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

_OPEN, _FILLED = 1, 2


@njit(nogil=True, cache=True)
def fill(state: Any, starts: Any, steps: Any, reach: Any) -> None:
    """Turn every open pixel (1) that connects to a start into a filled one (2), one row run at a time.

    `state` is flat with a border of closed pixels; `steps` and `reach` come from `kernels.neighbours.row_steps`.
    """
    stack = np.empty(1024, np.int64)
    for start in starts:
        stack[0] = start
        top = 1
        while top > 0:
            top -= 1
            pixel = stack[top]
            if state[pixel] != _OPEN:
                continue
            first, last = _fill_run(state, pixel)
            for row in range(steps.size):
                begin, end = first + steps[row] - reach[row], last + steps[row] + reach[row]
                if top + (end - begin) // 2 + 1 >= stack.size:
                    stack = np.concatenate((stack, np.empty(stack.size + end - begin, np.int64)))
                top = _push_runs(state, begin, end, stack, top)


@njit(nogil=True, cache=True)
def _fill_run(state: Any, pixel: int) -> tuple[int, int]:
    """Fill the run of open pixels around `pixel` and return its ends."""
    first = last = pixel
    while state[first - 1] == _OPEN:
        first -= 1
    while state[last + 1] == _OPEN:
        last += 1
    state[first : last + 1] = _FILLED
    return first, last


@njit(nogil=True, cache=True)
def _push_runs(state: Any, begin: int, end: int, stack: Any, top: int) -> int:
    """Put the first pixel of every open run from `begin` to `end` on the stack; return its new height."""
    inside = False
    for near in range(begin, end + 1):
        is_open = state[near] == _OPEN
        if is_open and not inside:
            stack[top] = near
            top += 1
        inside = is_open
    return top
