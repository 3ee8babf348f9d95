"""Compiled features of a stretch of neighbouring pixels, made from smoothed fields when they are needed."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

STRETCH = 256
VALUE, DIFFERENCE, SOBEL, LAPLACE, HESSIAN, TENSOR = range(6)

_LARGEST = np.float32(3.4e38)
# cos(acos(r) / 3) is smooth in s = sqrt((1 + r) / 2): a polynomial needs no library function, whose bits may differ by place
_THIRD = np.polynomial.Chebyshev.interpolate(lambda s: np.cos(np.arccos(np.clip(s, 0, 1)) * (2 / 3)), 12, domain=[0, 1])
_COSINE = np.ascontiguousarray(_THIRD.convert(kind=np.polynomial.Polynomial, domain=[-1, 1]).coef)


@njit(nogil=True, cache=True, error_model="numpy")
def write_features(fields: Any, program: Any, factors: Any, flat: bool, z: int, y: int, first: int, count: int, out: Any) -> None:
    """Write the features of `count` pixels from (z, y, first) on into `out`, feature after feature, `STRETCH` apart.

    Parameters
    ----------
    fields
        Smoothed images (field, z, y, x) with one sample more on each side than there are pixels; none along z in a plane.
    program
        Rows (kind, field, second field).
    factors
        One over the spacing along z, y and x.
    flat
        Whether the image is a plane.
    """
    work = np.empty((6, STRETCH))
    column = 0
    for step in range(len(program)):
        kind = program[step, 0]
        target = out[column * STRETCH :]
        column += 1
        if kind in (VALUE, DIFFERENCE, SOBEL):
            _number(fields, program[step], factors, flat, z, y, first, count, target)
            continue
        _matrix(fields, kind, program[step, 1], factors, flat, z, y, first, count, work)
        if kind == LAPLACE:
            _trace(work, flat, count, target)
        elif flat:
            _eigenvalues_plane(work, count, target)
            column += 1
        else:
            _eigenvalues_volume(work, count, target)
            column += 2
    for c in range(column):
        _keep_finite(out[c * STRETCH : c * STRETCH + count])


@njit(nogil=True, cache=True, error_model="numpy")
def _number(fields: Any, row: Any, factors: Any, flat: bool, z: int, y: int, first: int, count: int, target: Any) -> None:
    """Write the features that are one number straight away."""
    inner = z if flat else z + 1
    if row[0] == VALUE:
        _value(fields[row[1]], inner, y + 1, first + 1, count, target)
    elif row[0] == DIFFERENCE:
        _difference(fields[row[1]], fields[row[2]], inner, y + 1, first + 1, count, target)
    elif flat:
        _sobel_plane(fields[row[1]], y, first, count, factors, target)
    else:
        _sobel_volume(fields[row[1]], z, y, first, count, factors, target)


@njit(nogil=True, cache=True, error_model="numpy")
def _matrix(
    fields: Any, kind: int, number: int, factors: Any, flat: bool, z: int, y: int, first: int, count: int, work: Any
) -> None:
    """Write the matrix of each pixel, of second derivatives or of the structure tensor, row after row of its upper half."""
    if kind == TENSOR:
        for i in range(3 if flat else 6):
            _value(fields[number + i], z if flat else z + 1, y + 1, first + 1, count, work[i])
    elif flat:
        _curvature_plane(fields[number], y, first, count, factors, work)
    else:
        _curvature_volume(fields[number], z, y, first, count, factors, work)


@njit(nogil=True, cache=True, error_model="numpy")
def _keep_finite(values: Any) -> None:
    """Replace what has overflown by the largest number, and what is none by 0."""
    for i in range(values.size):
        value = values[i]
        if not abs(value) <= _LARGEST:
            values[i] = _LARGEST if value > 0 else (-_LARGEST if value < 0 else np.float32(0))


@njit(nogil=True, cache=True, error_model="numpy")
def _value(field: Any, z: int, y: int, x: int, count: int, target: Any) -> None:
    row = field[z, y, x:]
    for i in range(count):
        target[i] = row[i]


@njit(nogil=True, cache=True, error_model="numpy")
def _difference(field: Any, other: Any, z: int, y: int, x: int, count: int, target: Any) -> None:
    row, less = field[z, y, x:], other[z, y, x:]
    for i in range(count):
        target[i] = row[i] - less[i]


@njit(nogil=True, cache=True, error_model="numpy")
def _sobel_plane(field: Any, y: int, x: int, count: int, factors: Any, target: Any) -> None:
    up, here, down = field[0, y, x:], field[0, y + 1, x:], field[0, y + 2, x:]
    across, along = factors[1] / 8, factors[2] / 8
    for i in range(count):
        dx = ((up[i + 2] - up[i]) + (down[i + 2] - down[i]) + 2 * (here[i + 2] - here[i])) * along
        dy = ((down[i] - up[i]) + (down[i + 2] - up[i + 2]) + 2 * (down[i + 1] - up[i + 1])) * across
        target[i] = np.sqrt(dx * dx + dy * dy)


@njit(nogil=True, cache=True, error_model="numpy")
def _sobel_volume(field: Any, z: int, y: int, x: int, count: int, factors: Any, target: Any) -> None:
    smooth, dy, dz = np.empty(count + 2), np.empty(count + 2), np.empty(count + 2)
    a, b, c = field[z, y, x:], field[z, y + 1, x:], field[z, y + 2, x:]
    d, e, f = field[z + 1, y, x:], field[z + 1, y + 1, x:], field[z + 1, y + 2, x:]
    g, h, k = field[z + 2, y, x:], field[z + 2, y + 1, x:], field[z + 2, y + 2, x:]
    for i in range(count + 2):
        back, front = a[i] + 2 * b[i] + c[i], g[i] + 2 * h[i] + k[i]
        smooth[i] = back + front + 2 * (d[i] + 2 * e[i] + f[i])
        dz[i] = front - back
        dy[i] = (c[i] - a[i]) + (k[i] - g[i]) + 2 * (f[i] - d[i])
    for i in range(count):
        along = (smooth[i + 2] - smooth[i]) * (factors[2] / 32)
        across = (dy[i] + 2 * dy[i + 1] + dy[i + 2]) * (factors[1] / 32)
        through = (dz[i] + 2 * dz[i + 1] + dz[i + 2]) * (factors[0] / 32)
        target[i] = np.sqrt(along * along + across * across + through * through)


@njit(nogil=True, cache=True, error_model="numpy")
def _curvature_plane(field: Any, y: int, x: int, count: int, factors: Any, work: Any) -> None:
    up, here, down = field[0, y, x:], field[0, y + 1, x:], field[0, y + 2, x:]
    yy, yx, xx = factors[1] * factors[1], factors[1] * factors[2] / 4, factors[2] * factors[2]
    for i in range(count):
        work[0, i] = (up[i + 1] + down[i + 1] - 2 * here[i + 1]) * yy
        work[1, i] = ((up[i] - up[i + 2]) - (down[i] - down[i + 2])) * yx
        work[2, i] = (here[i] + here[i + 2] - 2 * here[i + 1]) * xx


@njit(nogil=True, cache=True, error_model="numpy")
def _curvature_volume(field: Any, z: int, y: int, x: int, count: int, factors: Any, work: Any) -> None:
    b = field[z, y + 1, x:]
    d, e, f = field[z + 1, y, x:], field[z + 1, y + 1, x:], field[z + 1, y + 2, x:]
    h = field[z + 2, y + 1, x:]
    a, c, g, k = field[z, y, x:], field[z, y + 2, x:], field[z + 2, y, x:], field[z + 2, y + 2, x:]
    fz, fy, fx = factors[0], factors[1], factors[2]
    for i in range(count):
        middle = 2 * e[i + 1]
        work[0, i] = (b[i + 1] + h[i + 1] - middle) * fz * fz
        work[1, i] = ((a[i + 1] - c[i + 1]) - (g[i + 1] - k[i + 1])) * (fz * fy / 4)
        work[2, i] = ((b[i] - b[i + 2]) - (h[i] - h[i + 2])) * (fz * fx / 4)
        work[3, i] = (d[i + 1] + f[i + 1] - middle) * fy * fy
        work[4, i] = ((d[i] - d[i + 2]) - (f[i] - f[i + 2])) * (fy * fx / 4)
        work[5, i] = (e[i] + e[i + 2] - middle) * fx * fx


@njit(nogil=True, cache=True, error_model="numpy")
def _trace(work: Any, flat: bool, count: int, target: Any) -> None:
    for i in range(count):
        target[i] = work[0, i] + work[2, i] if flat else work[0, i] + work[3, i] + work[5, i]


@njit(nogil=True, cache=True, error_model="numpy")
def _eigenvalues_plane(work: Any, count: int, target: Any) -> None:
    """Write the eigenvalues of (a, b; b, c), the larger one first."""
    for i in range(count):
        middle, half = (work[0, i] + work[2, i]) / 2, (work[0, i] - work[2, i]) / 2
        spread = np.sqrt(half * half + work[1, i] * work[1, i])
        target[i] = middle + spread
        target[STRETCH + i] = middle - spread


@njit(nogil=True, cache=True, error_model="numpy")
def _eigenvalues_volume(work: Any, count: int, target: Any) -> None:
    """Write the eigenvalues of a symmetric 3 x 3 matrix (zz, zy, zx, yy, yx, xx), from the largest on."""
    for i in range(count):
        a, b, c, d, e, f = work[0, i], work[1, i], work[2, i], work[3, i], work[4, i], work[5, i]
        middle = (a + d + f) / 3
        a, d, f = a - middle, d - middle, f - middle
        spread = np.sqrt((a * a + d * d + f * f + 2 * (b * b + c * c + e * e)) / 6)
        turn = (a * (d * f - e * e) - b * (b * f - e * c) + c * (b * e - d * c)) / 2
        cube = spread * spread * spread
        ratio = turn / cube if cube > 0 else 0.0
        ratio = min(max(ratio, -1.0), 1.0)
        s = np.sqrt((1 + ratio) / 2)
        cosine = _COSINE[12]
        for k in range(11, -1, -1):
            cosine = cosine * s + _COSINE[k]
        cosine = min(max(cosine, 0.5), 1.0)
        sine = np.sqrt(1 - cosine * cosine)
        largest = 2 * spread * cosine
        smallest = -spread * (cosine + np.sqrt(3.0) * sine)
        target[i] = middle + largest
        target[STRETCH + i] = middle - largest - smallest
        target[2 * STRETCH + i] = middle + smallest


@njit(nogil=True, cache=True, error_model="numpy")
def features_at(fields: Any, program: Any, factors: Any, flat: bool, places: Any, out: Any, start: int, stop: int) -> None:
    """Write the features of single pixels `start` to `stop` of `places` (z, y, x) as rows of `out`."""
    buffer = np.zeros(out.shape[1] * STRETCH, np.float32)
    for i in range(start, stop):
        write_features(fields, program, factors, flat, places[i, 0], places[i, 1], places[i, 2], 1, buffer)
        for k in range(out.shape[1]):
            out[i, k] = buffer[k * STRETCH]
