"""Colour pixels through a 3 x 3 matrix or the CIELAB curves."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit


@njit(nogil=True, cache=True, error_model="numpy")
def mix_to_one(source: Any, matrix: Any, offset: Any, out: Any, start: int, stop: int) -> None:
    """Write one weighted sum of red, green and blue for the pixels `start` to `stop` of (n, 3)."""
    a, b, c, d = matrix[0, 0], matrix[0, 1], matrix[0, 2], offset[0]
    for i in range(start, stop):
        out[i, 0] = a * source[i, 0] + b * source[i, 1] + c * source[i, 2] + d


@njit(nogil=True, cache=True, error_model="numpy")
def mix_to_three(source: Any, matrix: Any, offset: Any, limits: Any, out: Any, start: int, stop: int) -> None:
    """Write ``matrix @ rgb + offset``, rounded and clipped to `limits`, for the pixels `start` to `stop` of (n, 3)."""
    m00, m01, m02, o0 = matrix[0, 0], matrix[0, 1], matrix[0, 2], offset[0]
    m10, m11, m12, o1 = matrix[1, 0], matrix[1, 1], matrix[1, 2], offset[1]
    m20, m21, m22, o2 = matrix[2, 0], matrix[2, 1], matrix[2, 2], offset[2]
    low, high = limits
    for i in range(start, stop):
        r, g, b = source[i, 0], source[i, 1], source[i, 2]
        out[i, 0] = np.rint(min(max(m00 * r + m01 * g + m02 * b + o0, low), high))
        out[i, 1] = np.rint(min(max(m10 * r + m11 * g + m12 * b + o1, low), high))
        out[i, 2] = np.rint(min(max(m20 * r + m21 * g + m22 * b + o2, low), high))


@njit(nogil=True, cache=True, inline="always")
def _curve(t: float) -> float:
    return np.cbrt(t) if t > 0.008856 else 7.787 * t + 16.0 / 116.0


@njit(nogil=True, cache=True, inline="always")
def _line(t: float) -> float:
    return t * t * t if t > 0.2068966 else (t - 16.0 / 116.0) / 7.787


@njit(nogil=True, cache=True, error_model="numpy")
def linear_light(v: float) -> float:
    """Return the light behind an sRGB value between 0 and 1."""
    return ((v + 0.055) / 1.055) ** 2.4 if v > 0.04045 else v / 12.92


@njit(nogil=True, cache=True, error_model="numpy")
def linear_table(length: int) -> Any:
    """Return the light behind each of `length` evenly spaced sRGB values."""
    table = np.empty(length)
    for i in range(length):
        table[i] = linear_light(i / (length - 1))
    return table


@njit(nogil=True, cache=True, error_model="numpy")
def to_lab(source: Any, table: Any, matrix: Any, white: Any, out: Any, start: int, stop: int) -> None:
    """Write L, a, b of RGB pixels; `table` maps integer values to light, empty for floats. `matrix` includes the white point."""
    for i in range(start, stop):
        x, y, z = 0.0, 0.0, 0.0
        for c in range(3):
            light = table[int(source[i, c])] if table.size > 0 else linear_light(source[i, c] / white)
            x += matrix[0, c] * light
            y += matrix[1, c] * light
            z += matrix[2, c] * light
        x, y, z = _curve(x), _curve(y), _curve(z)
        out[i, 0] = 116.0 * y - 16.0
        out[i, 1] = 500.0 * (x - y)
        out[i, 2] = 200.0 * (y - z)


@njit(nogil=True, cache=True, error_model="numpy")
def from_lab(source: Any, matrix: Any, out: Any, start: int, stop: int) -> None:
    """Write RGB between 0 and 1 of L, a, b pixels."""
    for i in range(start, stop):
        middle = (source[i, 0] + 16.0) / 116.0
        x = _line(middle + source[i, 1] / 500.0)
        z = _line(max(middle - source[i, 2] / 200.0, 0.0))
        y = _line(middle)
        for c in range(3):
            v = matrix[c, 0] * x + matrix[c, 1] * y + matrix[c, 2] * z
            v = 1.055 * v ** (1 / 2.4) - 0.055 if v > 0.0031308 else v * 12.92
            out[i, c] = min(max(v, 0.0), 1.0)
