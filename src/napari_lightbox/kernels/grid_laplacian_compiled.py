"""Compiled pieces of a symmetric linear system on a pixel grid, one unknown per pixel.

A system is one weight per pair of touching pixels and one diagonal. Arrays are flat, with `pad` zeros before and after
the (z, y, x) grid, so that no neighbour needs a bounds check. A pixel whose diagonal is 0 takes no part.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit

_CHUNK = 4096


class Grid(NamedTuple):
    """One system: `right`, `down`, `deep` hold the weight to the next pixel along x, y and z, 0 where there is none."""

    diagonal: Any
    inverse: Any
    right: Any
    down: Any
    deep: Any
    row: int
    plane: int
    pad: int
    solid: bool


@njit(nogil=True, cache=True)
def _squared(one: Any, other: Any) -> float:
    total = 0.0
    for c in range(one.size):
        difference = np.float64(one[c]) - np.float64(other[c])
        total += difference * difference
    return total


@njit(nogil=True, cache=True)
def write_weights(volume: Any, idle: Any, factors: Any, floor: float, grid: Grid, start: int, stop: int) -> None:
    """Write ``exp(-factor * squared difference) + floor`` between touching pixels of rows `start` to `stop`.

    `volume` is (z, y, x, channel); a row is counted over z and y together. Pairs with an idle pixel get 0.
    """
    depth, height, width, _ = volume.shape
    for line in range(start, stop):
        z, y = line // height, line % height
        for x in range(width):
            i = grid.pad + line * width + x
            here = volume[z, y, x]
            if idle[z, y, x]:
                continue
            if x + 1 < width and not idle[z, y, x + 1]:
                grid.right[i] = np.exp(-factors[2] * _squared(here, volume[z, y, x + 1])) + floor
            if y + 1 < height and not idle[z, y + 1, x]:
                grid.down[i] = np.exp(-factors[1] * _squared(here, volume[z, y + 1, x])) + floor
            if z + 1 < depth and not idle[z + 1, y, x]:
                grid.deep[i] = np.exp(-factors[0] * _squared(here, volume[z + 1, y, x])) + floor


@njit(nogil=True, cache=True)
def write_diagonal(grid: Grid) -> None:
    """Write the sum of all weights at each pixel."""
    for i in range(grid.pad, grid.diagonal.size - grid.pad):
        total = grid.right[i] + grid.right[i - 1] + grid.down[i] + grid.down[i - grid.row]
        grid.diagonal[i] = total + grid.deep[i] + grid.deep[i - grid.plane]


@njit(nogil=True, cache=True)
def write_inverse(grid: Grid) -> None:
    """Write one over the diagonal, 0 for pixels that take no part."""
    for i in range(grid.diagonal.size):
        grid.inverse[i] = 1 / grid.diagonal[i] if grid.diagonal[i] > 0 else 0


@njit(nogil=True, cache=True)
def add_sources(sources: Any, ids: Any, wanted: int, grid: Grid) -> None:
    """Add to every pixel with id 0 the weights that lead to pixels with the id `wanted`."""
    for i in range(grid.pad, sources.size - grid.pad):
        if ids[i] == wanted:
            for step, weights in ((1, grid.right), (grid.row, grid.down), (grid.plane, grid.deep)):
                if ids[i + step] == 0:
                    sources[i + step] += weights[i]
                if ids[i - step] == 0:
                    sources[i - step] += weights[i - step]


@njit(nogil=True, cache=True)
def cut_seeds(ids: Any, grid: Grid) -> None:
    """Take the pixels with an id out of the system; what leads to them stays in their neighbours' diagonals."""
    for i in range(grid.pad, ids.size - grid.pad):
        if ids[i] != 0:
            grid.diagonal[i] = 0
            for step, weights in ((1, grid.right), (grid.row, grid.down), (grid.plane, grid.deep)):
                weights[i] = 0
                weights[i - step] = 0


@njit(nogil=True, cache=True)
def _add_around(x: Any, grid: Grid, first: int, out: Any) -> None:
    """Add the weighted neighbours of the pixels from `first` on to `out`.

    Views from zero spare the compiler the question whether an index is negative, and let it work on several at once.
    """
    last = first + out.size
    _add_pair(out, grid.right[first:last], x[first + 1 : last + 1], grid.right[first - 1 : last - 1], x[first - 1 : last - 1])
    row, plane = grid.row, grid.plane
    _add_pair(
        out, grid.down[first:last], x[first + row : last + row], grid.down[first - row : last - row], x[first - row : last - row]
    )
    if grid.solid:
        deep, before = grid.deep[first:last], grid.deep[first - plane : last - plane]
        _add_pair(out, deep, x[first + plane : last + plane], before, x[first - plane : last - plane])


@njit(nogil=True, cache=True)
def _add_pair(out: Any, ahead: Any, x_ahead: Any, behind: Any, x_behind: Any) -> None:
    for i in range(out.size):
        out[i] += ahead[i] * x_ahead[i] + behind[i] * x_behind[i]


@njit(nogil=True, cache=True)
def multiply(x: Any, out: Any, grid: Grid, start: int, stop: int) -> float:
    """Write the product of the system and `x`; return the dot product of the two."""
    total = 0.0
    around = np.empty(_CHUNK)
    for first in range(start, stop, _CHUNK):
        last = min(first + _CHUNK, stop)
        near = around[: last - first]
        near[:] = 0
        _add_around(x, grid, first, near)
        total += _finish_product(grid.diagonal[first:last], x[first:last], near, out[first:last])
    return total


@njit(nogil=True, cache=True)
def _finish_product(diagonal: Any, x: Any, around: Any, out: Any) -> float:
    total = 0.0
    for i in range(out.size):
        value = diagonal[i] * x[i] - around[i]
        out[i] = value
        total += value * x[i]
    return total


@njit(nogil=True, cache=True)
def relax(b: Any, x: Any, colour: int, grid: Grid, start: int, stop: int) -> None:
    """Gauss-Seidel on the pixels of one chessboard colour, rows `start` to `stop`.

    A row is relaxed as a whole into a buffer, and every other pixel of it is kept.
    """
    height = grid.plane // grid.row
    buffer = np.empty(grid.row, x.dtype)
    for line in range(start, stop):
        first = grid.pad + line * grid.row
        last = first + grid.row
        buffer[:] = b[first:last]
        _add_around(x, grid, first, buffer)
        shift = (line // height + line % height + colour) & 1
        _keep_every_other(x[first:last], buffer, grid.inverse[first:last], shift)


@njit(nogil=True, cache=True)
def _keep_every_other(x: Any, sums: Any, inverse: Any, shift: int) -> None:
    for i in range(x.size):
        x[i] = inverse[i] * sums[i] if (i & 1) == shift else x[i]


@njit(nogil=True, cache=True)
def advance(x: Any, r: Any, p: Any, product: Any, step: Any, start: int, stop: int) -> float:
    """Go `step` along `p`: update solution and residual, return the residual's squared length."""
    total = 0.0
    x, r, p, product = x[start:stop], r[start:stop], p[start:stop], product[start:stop]
    for i in range(x.size):
        x[i] += step * p[i]
        value = r[i] - step * product[i]
        r[i] = value
        total += value * value
    return total


@njit(nogil=True, cache=True)
def scale(r: Any, factors: Any, out: Any, start: int, stop: int) -> None:
    """Write ``factors * r``."""
    r, factors, out = r[start:stop], factors[start:stop], out[start:stop]
    for i in range(out.size):
        out[i] = factors[i] * r[i]


@njit(nogil=True, cache=True)
def dot(a: Any, b: Any, start: int, stop: int) -> float:
    """Return the dot product."""
    total = 0.0
    a, b = a[start:stop], b[start:stop]
    for i in range(a.size):
        total += a[i] * b[i]
    return total


@njit(nogil=True, cache=True)
def turn(p: Any, z: Any, factor: Any, start: int, stop: int) -> None:
    """Write ``z + factor * p`` into `p`."""
    p, z = p[start:stop], z[start:stop]
    for i in range(p.size):
        p[i] = z[i] + factor * p[i]


@njit(nogil=True, cache=True)
def restrict(b: Any, x: Any, fine: Grid, coarse_b: Any, coarse: Grid, halves: Any, start: int, stop: int) -> None:
    """Add what is left of ``b`` after `x` up over 2 x 2 x 2 pixels, coarse rows `start` to `stop`."""
    height, coarse_height = fine.plane // fine.row, coarse.plane // coarse.row
    depth = (b.size - 2 * fine.pad) // fine.plane
    left = np.empty(fine.row, x.dtype)
    for line in range(start, stop):
        z, y = line // coarse_height, line % coarse_height
        first = coarse.pad + line * coarse.row
        coarse_b[first : first + coarse.row] = 0
        for fz in range(z * halves[0], min((z + 1) * halves[0], depth)):
            for fy in range(y * halves[1], min((y + 1) * halves[1], height)):
                begin = fine.pad + fz * fine.plane + fy * fine.row
                end = begin + fine.row
                left[:] = b[begin:end] - fine.diagonal[begin:end] * x[begin:end]
                _add_around(x, fine, begin, left)
                _add_in_pairs(left, coarse_b[first : first + coarse.row], halves[2])


@njit(nogil=True, cache=True)
def _add_in_pairs(values: Any, out: Any, step: int) -> None:
    for i in range(values.size):
        out[i // step] += values[i]


@njit(nogil=True, cache=True)
def correct(x: Any, fine: Grid, coarse_x: Any, coarse: Grid, halves: Any, start: int, stop: int) -> None:
    """Add the coarse solution to the fine one, fine rows `start` to `stop`."""
    height, coarse_height = fine.plane // fine.row, coarse.plane // coarse.row
    for line in range(start, stop):
        z, y = line // height, line % height
        first = coarse.pad + (z // halves[0] * coarse_height + y // halves[1]) * coarse.row
        begin = fine.pad + line * fine.row
        for fx in range(fine.row):
            if fine.diagonal[begin + fx] > 0:
                x[begin + fx] += coarse_x[first + fx // halves[2]]


@njit(nogil=True, cache=True)
def coarsen(fine: Grid, coarse: Grid, halves: Any, share: float) -> None:
    """Write the system over 2 x 2 x 2 pixels: `share` of the weights that cross, and all that leads out of it."""
    height, coarse_height = fine.plane // fine.row, coarse.plane // coarse.row
    depth = (fine.diagonal.size - 2 * fine.pad) // fine.plane
    for z in range(depth):
        for y in range(height):
            begin = fine.pad + z * fine.plane + y * fine.row
            first = coarse.pad + (z // halves[0] * coarse_height + y // halves[1]) * coarse.row
            for x in range(fine.row):
                i, c = begin + x, first + x // halves[2]
                inner = fine.right[i] + fine.right[i - 1] + fine.down[i] + fine.down[i - fine.row]
                inner += fine.deep[i] + fine.deep[i - fine.plane]
                coarse.diagonal[c] += max(fine.diagonal[i] - inner, 0)
                if x % halves[2] == halves[2] - 1:
                    coarse.right[c] += share * fine.right[i]
                if y % halves[1] == halves[1] - 1:
                    coarse.down[c] += share * fine.down[i]
                if z % halves[0] == halves[0] - 1:
                    coarse.deep[c] += share * fine.deep[i]
    for c in range(coarse.pad, coarse.diagonal.size - coarse.pad):
        total = coarse.right[c] + coarse.right[c - 1] + coarse.down[c] + coarse.down[c - coarse.row]
        coarse.diagonal[c] += total + coarse.deep[c] + coarse.deep[c - coarse.plane]
