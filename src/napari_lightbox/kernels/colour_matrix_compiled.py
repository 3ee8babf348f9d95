"""Colour pixels through a 3 x 3 matrix or the CIELAB curves."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from napari_lightbox.kernels.roots_compiled import cube_roots, fifth_roots

_STRETCH = 1024
# the fast roots hold in between; both curves are straight below the smallest
_SMALLEST, _LARGEST = 1e-3, 1e29


@njit(nogil=True, cache=True, error_model="numpy")
def mix_to_one(source: Any, matrix: Any, offset: Any, out: Any) -> None:
    """Write one weighted sum of red, green and blue per pixel; both arrays are flat, which the compiler can vectorise."""
    a, b, c, d = matrix[0, 0], matrix[0, 1], matrix[0, 2], offset[0]
    for i in range(out.size):
        out[i] = a * source[3 * i] + b * source[3 * i + 1] + c * source[3 * i + 2] + d


@njit(nogil=True, cache=True, error_model="numpy")
def mix_to_floats(source: Any, matrix: Any, offset: Any, out: Any) -> None:
    """Write ``matrix @ rgb + offset`` per pixel; both arrays are flat."""
    m00, m01, m02, o0 = matrix[0, 0], matrix[0, 1], matrix[0, 2], offset[0]
    m10, m11, m12, o1 = matrix[1, 0], matrix[1, 1], matrix[1, 2], offset[1]
    m20, m21, m22, o2 = matrix[2, 0], matrix[2, 1], matrix[2, 2], offset[2]
    for i in range(out.size // 3):
        r, g, b = source[3 * i], source[3 * i + 1], source[3 * i + 2]
        out[3 * i] = m00 * r + m01 * g + m02 * b + o0
        out[3 * i + 1] = m10 * r + m11 * g + m12 * b + o1
        out[3 * i + 2] = m20 * r + m21 * g + m22 * b + o2


@njit(nogil=True, cache=True, error_model="numpy")
def mix_to_integers(source: Any, matrix: Any, offset: Any, limits: Any, out: Any) -> None:
    """Write ``matrix @ rgb + offset``, rounded and clipped to `limits`, per pixel; both arrays are flat."""
    m00, m01, m02, o0 = matrix[0, 0], matrix[0, 1], matrix[0, 2], offset[0]
    m10, m11, m12, o1 = matrix[1, 0], matrix[1, 1], matrix[1, 2], offset[1]
    m20, m21, m22, o2 = matrix[2, 0], matrix[2, 1], matrix[2, 2], offset[2]
    low, high = limits
    for i in range(out.size // 3):
        r, g, b = source[3 * i], source[3 * i + 1], source[3 * i + 2]
        out[3 * i] = np.rint(min(max(m00 * r + m01 * g + m02 * b + o0, low), high))
        out[3 * i + 1] = np.rint(min(max(m10 * r + m11 * g + m12 * b + o1, low), high))
        out[3 * i + 2] = np.rint(min(max(m20 * r + m21 * g + m22 * b + o2, low), high))


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
def to_lab(source: Any, table: Any, matrix: Any, white: Any, out: Any) -> None:
    """Write L, a, b of flat RGB; `table` maps integer values to light, empty for floats. `matrix` includes the white point."""
    light = np.empty((3, _STRETCH))
    mixed = np.empty((3, _STRETCH))
    scratch = np.empty(_STRETCH)
    work = np.empty(_STRETCH, np.float32)
    for start in range(0, out.size, 3 * _STRETCH):
        values, target = source[start : start + 3 * _STRETCH], out[start : start + 3 * _STRETCH]
        count = values.size // 3
        for c in range(3):
            line = light[c, :count]
            if table.size > 0:
                for i in range(count):
                    line[i] = table[int(values[3 * i + c])]
            else:
                for i in range(count):
                    line[i] = values[3 * i + c] / white
                _to_light(line, scratch[:count], work[:count])
        red, green, blue = light[0], light[1], light[2]
        for c in range(3):
            line = mixed[c, :count]
            m0, m1, m2 = matrix[c, 0], matrix[c, 1], matrix[c, 2]
            for i in range(count):
                line[i] = m0 * red[i] + m1 * green[i] + m2 * blue[i]
            _to_lightness(line, scratch[:count], work[:count])
        x, y, z = mixed[0], mixed[1], mixed[2]
        for i in range(count):
            target[3 * i] = 116.0 * y[i] - 16.0
            target[3 * i + 1] = 500.0 * (x[i] - y[i])
            target[3 * i + 2] = 200.0 * (y[i] - z[i])


@njit(nogil=True, cache=True, error_model="numpy")
def _to_light(line: Any, scratch: Any, work: Any) -> None:
    """Replace sRGB values by light: the power 2.4 is the square times the fifth root of the square."""
    beyond = 0
    for i in range(line.size):
        base = (line[i] + 0.055) / 1.055
        scratch[i] = base * base
        beyond += not (scratch[i] < _LARGEST)
    if beyond:
        for i in range(line.size):
            line[i] = linear_light(line[i])
        return
    for i in range(line.size):
        scratch[i] = scratch[i] if scratch[i] > _SMALLEST else _SMALLEST  # noqa: FURB136 - max() is no vector instruction
    roots = np.empty(line.size)
    fifth_roots(scratch, work, roots)
    for i in range(line.size):
        line[i] = scratch[i] * roots[i] if line[i] > 0.04045 else line[i] / 12.92


@njit(nogil=True, cache=True, error_model="numpy")
def _to_lightness(line: Any, scratch: Any, work: Any) -> None:
    """Replace shares of the white light by CIE's cube-root curve."""
    beyond = 0
    for i in range(line.size):
        beyond += not (line[i] < _LARGEST)
        scratch[i] = line[i] if line[i] > _SMALLEST else _SMALLEST  # noqa: FURB136
    if beyond:
        for i in range(line.size):
            line[i] = _curve(line[i])
        return
    roots = np.empty(line.size)
    cube_roots(scratch, work, roots)
    for i in range(line.size):
        line[i] = roots[i] if line[i] > 0.008856 else 7.787 * line[i] + 16.0 / 116.0


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
