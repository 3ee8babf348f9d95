"""Interpolation at any position of a plane or volume."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from napari_lightbox.kernels.inner_rows_compiled import STRETCH, inner_span, linear_inside

# what lies beyond the border: blend with the fill value, cut to it half a pixel outside, or go on with the image
BLEND, CUT, NEAREST, REFLECT, MIRROR = range(5)


@njit(nogil=True, cache=True, error_model="numpy")
def _fold(i: int, n: int, border: int) -> int:
    """Return index `i` brought into range, -1 for "fill value"."""
    if 0 <= i < n:
        return i
    if border == BLEND:
        return -1
    if border in (CUT, NEAREST) or n == 1:
        return 0 if i < 0 else n - 1
    period = 2 * n - (2 if border == MIRROR else 0)
    i = i % period
    return i if i < n else period - i - (0 if border == MIRROR else 1)


@njit(nogil=True, cache=True, error_model="numpy")
def _value(block: Any, z: int, y: int, x: int, whole: Any, start: Any, border: int, fill: Any) -> Any:
    k, j, i = _fold(z, whole[0], border), _fold(y, whole[1], border), _fold(x, whole[2], border)
    if k < 0 or j < 0 or i < 0:
        return fill
    return block[k - start[0], j - start[1], i - start[2]]


@njit(nogil=True, cache=True, error_model="numpy")
def _is_out(z: float, y: float, x: float, whole: Any) -> bool:
    return not (-0.5 <= z < whole[0] - 0.5 and -0.5 <= y < whole[1] - 0.5 and -0.5 <= x < whole[2] - 0.5)


@njit(nogil=True, cache=True, error_model="numpy")
def _is_beyond(z: float, y: float, x: float, whole: Any) -> bool:
    return not (-1.0 < z < whole[0] and -1.0 < y < whole[1] and -1.0 < x < whole[2])


@njit(nogil=True, cache=True, error_model="numpy")
def _spline(t: float) -> tuple[float, float, float, float]:
    s = 1.0 - t
    return s * s * s / 6, (4 - 6 * t * t + 3 * t * t * t) / 6, (4 - 6 * s * s + 3 * s * s * s) / 6, t * t * t / 6


@njit(nogil=True, cache=True, error_model="numpy")
def _snap(c: float) -> float:
    """Return the nearest integer when `c` is one up to rounding, so that whole shifts are exact."""
    near = np.floor(c + 0.5)
    return near if abs(c - near) < 1e-9 else c


@njit(nogil=True, cache=True, error_model="numpy")
def _weights(t: float, straight: bool) -> tuple[float, float, float, float]:
    return (0.0, 1.0, 0.0, 0.0) if straight else _spline(t)


@njit(nogil=True, cache=True, error_model="numpy")
def _cubic(block: Any, z: float, y: float, x: float, whole: Any, start: Any, border: int, straight: Any) -> float:
    k, j, i = int(np.floor(z)), int(np.floor(y)), int(np.floor(x))
    wz, wy, wx = _weights(z - k, straight[0]), _weights(y - j, straight[1]), _weights(x - i, straight[2])
    total = 0.0
    for a in range(4):
        if wz[a] == 0.0:
            continue
        plane = 0.0
        for b in range(4):
            if wy[b] == 0.0:
                continue
            line = 0.0
            for c in range(4):
                if wx[c] != 0.0:
                    line += wx[c] * _value(block, k + a - 1, j + b - 1, i + c - 1, whole, start, border, 0.0)
            plane += wy[b] * line
        total += wz[a] * plane
    return total


@njit(nogil=True, cache=True, error_model="numpy")
def _mix(first: Any, second: Any, t: float) -> Any:
    a, b = np.float64(first), np.float64(second)
    between = a + t * (b - a)
    return a if t == 0.0 else between


@njit(nogil=True, cache=True, error_model="numpy")
def _in_plane(block: Any, a: int, b: int, c: int, ty: float, tx: float) -> Any:
    top = _mix(block[a, b, c], block[a, b, c + 1], tx)
    return _mix(top, _mix(block[a, b + 1, c], block[a, b + 1, c + 1], tx), ty)


@njit(nogil=True, cache=True, error_model="numpy")
def _linear(block: Any, z: float, y: float, x: float, whole: Any, start: Any, border: int, fill: Any) -> float:
    k, j, i = int(np.floor(z)), int(np.floor(y)), int(np.floor(x))
    tz, ty, tx = z - k, y - j, x - i
    planes = (_fold(k, whole[0], border), _fold(k + 1, whole[0], border))
    rows = (_fold(j, whole[1], border), _fold(j + 1, whole[1], border))
    columns = (_fold(i, whole[2], border), _fold(i + 1, whole[2], border))
    total = 0.0
    for d in range(2):
        wz = tz if d else 1.0 - tz
        for e in range(2):
            wy = ty if e else 1.0 - ty
            for f in range(2):
                w = wz * wy * (tx if f else 1.0 - tx)
                if w == 0.0:
                    continue
                if planes[d] < 0 or rows[e] < 0 or columns[f] < 0:
                    total += w * fill
                else:
                    total += w * block[planes[d] - start[0], rows[e] - start[1], columns[f] - start[2]]
    return total


@njit(nogil=True, cache=True, error_model="numpy")
def _pick(block: Any, z: float, y: float, x: float, whole: Any, start: Any, border: int, fill: Any) -> Any:
    return _value(block, int(np.floor(z + 0.5)), int(np.floor(y + 0.5)), int(np.floor(x + 0.5)), whole, start, border, fill)


@njit(nogil=True, cache=True, error_model="numpy")
def _positions(matrix: Any, shifts: Any, z: int, y: int, first: int, row: int, places: Any) -> None:
    """Write the input coordinates of one output row; rows of `shifts` are planes and rows counted together."""
    for axis in range(3):
        constant = matrix[axis, 0] * z + matrix[axis, 1] * y
        slope, offset = matrix[axis, 2], matrix[axis, 3]
        for i in range(places.shape[1]):
            places[axis, i] = constant + slope * (first + i) + offset
        if shifts.size > 0:
            for i in range(places.shape[1]):
                places[axis, i] += shifts[axis, row, i]
        for i in range(places.shape[1]):
            places[axis, i] = _snap(places[axis, i])


@njit(nogil=True, cache=True, error_model="numpy")
def _linear_row(
    block: Any, places: Any, values: Any, whole: Any, start: Any, border: int, fill: Any, first: int, last: int
) -> None:
    depth, height, width = block.shape
    for i in range(first, last):
        z, y, x = places[0, i], places[1, i], places[2, i]
        k, j, l = int(np.floor(z)), int(np.floor(y)), int(np.floor(x))  # noqa: E741
        tz, a, b, c = z - k, k - start[0], j - start[1], l - start[2]
        if 0 <= b < height - 1 and 0 <= c < width - 1 and 0 <= a < depth and (tz == 0.0 or a < depth - 1):
            front = _in_plane(block, a, b, c, y - j, x - l)
            values[i] = front if tz == 0.0 else _mix(front, _in_plane(block, a + 1, b, c, y - j, x - l), tz)
        elif (border == CUT and _is_out(z, y, x, whole)) or (border == BLEND and _is_beyond(z, y, x, whole)):
            values[i] = fill
        else:
            values[i] = _linear(block, z, y, x, whole, start, border, fill)


@njit(nogil=True, cache=True, error_model="numpy")
def pick_block(
    block: Any,
    matrix: Any,
    shifts: Any,
    out: Any,
    out_start: Any,
    whole: Any,
    start: Any,
    border: int,
    fill: Any,
    top: int,
    bottom: int,
) -> None:
    """Fill rows `top` to `bottom` (planes and rows of `out` counted together) with the nearest samples."""
    rows = out.shape[1]
    places = np.empty((3, out.shape[2]))
    for row in range(top, bottom):
        k, j = row // rows, row % rows
        _positions(matrix, shifts, k + out_start[0], j + out_start[1], out_start[2], row, places)
        for i in range(out.shape[2]):
            z, y, x = places[0, i], places[1, i], places[2, i]
            if border == CUT and _is_out(z, y, x, whole):
                out[k, j, i] = fill
            else:
                out[k, j, i] = _pick(block, z, y, x, whole, start, border, fill)


@njit(nogil=True, cache=True, error_model="numpy")
def _store(values: Any, places: Any, whole: Any, border: int, fill: float, limits: Any, out: Any) -> None:
    """Write one row: the fill value outside a cut, rounded and clipped when `limits` has low <= high."""
    if border == CUT:
        for i in range(values.size):
            if _is_out(places[0, i], places[1, i], places[2, i], whole):
                values[i] = fill
    if limits[0] <= limits[1]:
        for i in range(values.size):
            value = values[i] if values[i] > limits[0] else limits[0]  # noqa: FURB136 - max() is no vector instruction
            out[i] = np.rint(value if value < limits[1] else limits[1])  # noqa: FURB136
    else:
        for i in range(values.size):
            out[i] = values[i]


@njit(nogil=True, cache=True, error_model="numpy")
def linear_block(
    block: Any,
    matrix: Any,
    shifts: Any,
    out: Any,
    out_start: Any,
    whole: Any,
    start: Any,
    border: int,
    fill: float,
    limits: Any,
    top: int,
    bottom: int,
) -> None:
    """Fill rows `top` to `bottom` of `out` (z, y, x) with linearly interpolated values.

    `matrix` (3, 4) takes output indices to input indices of the whole element, to which `shifts` (3, z * y, x) or an empty
    array is added.
    """
    rows, columns = out.shape[1:]
    places, values = np.empty((3, columns)), np.empty(columns)
    at, scratch = np.empty(STRETCH, np.uintp), np.empty((7, STRETCH))
    for row in range(top, bottom):
        k, j = row // rows, row % rows
        _positions(matrix, shifts, k + out_start[0], j + out_start[1], out_start[2], row, places)
        first, last = (0, 0) if shifts.size > 0 else inner_span(block, places, start)
        _linear_row(block, places, values, whole, start, border, fill, 0, first)
        linear_inside(block, places, values, start, first, last, at, scratch)
        _linear_row(block, places, values, whole, start, border, fill, last, columns)
        _store(values, places, whole, border, fill, limits, out[k, j])


@njit(nogil=True, cache=True, error_model="numpy")
def cubic_block(
    block: Any,
    straight: Any,
    matrix: Any,
    shifts: Any,
    out: Any,
    out_start: Any,
    whole: Any,
    start: Any,
    border: int,
    fill: float,
    limits: Any,
    top: int,
    bottom: int,
) -> None:
    """Like `linear_block` for a block of B-spline coefficients, which are plain samples along `straight` axes."""
    rows, columns = out.shape[1:]
    places, values = np.empty((3, columns)), np.empty(columns)
    beyond = MIRROR if border == CUT else border
    for row in range(top, bottom):
        k, j = row // rows, row % rows
        _positions(matrix, shifts, k + out_start[0], j + out_start[1], out_start[2], row, places)
        for i in range(columns):
            values[i] = _cubic(block, places[0, i], places[1, i], places[2, i], whole, start, beyond, straight)
        _store(values, places, whole, border, fill, limits, out[k, j])
