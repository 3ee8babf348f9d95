"""Compiled roots of whole arrays: the compiler turns them into vector instructions, which calls of cbrt and pow prevent."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit


@njit(nogil=True, cache=True, error_model="numpy")
def cube_roots(values: Any, work: Any, out: Any) -> None:
    """Write the cube roots of float64 `values` between 1e-30 and 1e30, exact to rounding; `work` is float32 of the same length.

    Dividing the bits of a float by three gives a guess, two steps of Halley's method in float32 and one in float64 the
    root; each step cubes the relative error.
    """
    bits = work.view(np.uint32)
    for i in range(values.size):
        work[i] = values[i]
    for i in range(values.size):
        bits[i] = bits[i] // np.uint32(3) + np.uint32(709921077)
    two = np.float32(2)
    for i in range(values.size):
        a, y = np.float32(values[i]), work[i]
        cube = y * y * y
        y *= (cube + two * a) / (two * cube + a)
        cube = y * y * y
        work[i] = y * ((cube + two * a) / (two * cube + a))
    for i in range(values.size):
        a, root = values[i], np.float64(work[i])
        cube = root * root * root
        out[i] = root * ((cube + 2.0 * a) / (2.0 * cube + a))


@njit(nogil=True, cache=True, error_model="numpy")
def fifth_roots(values: Any, work: Any, out: Any) -> None:
    """Write the fifth roots, as `cube_roots` does."""
    bits = work.view(np.uint32)
    for i in range(values.size):
        work[i] = values[i]
    for i in range(values.size):
        bits[i] = bits[i] // np.uint32(5) + np.uint32(851800000)
    two, three = np.float32(2), np.float32(3)
    for i in range(values.size):
        a, y = np.float32(values[i]), work[i]
        power = y * y * y * y * y
        y *= (two * power + three * a) / (three * power + two * a)
        power = y * y * y * y * y
        work[i] = y * ((two * power + three * a) / (three * power + two * a))
    for i in range(values.size):
        a, root = values[i], np.float64(work[i])
        power = root * root * root * root * root
        out[i] = root * ((2.0 * power + 3.0 * a) / (3.0 * power + 2.0 * a))
