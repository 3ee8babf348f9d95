"""Compiled halves of one step of Chambolle's dual projection."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit


@njit(nogil=True, cache=True, fastmath={"reassoc"})
def add_divergence(image: Any, dual: Any, out: Any, start: int, stop: int) -> float:
    """Write ``image - div(dual)`` for rows ``start:stop`` (over z and y); return the sum of the squared change."""
    height, width = image.shape[1], image.shape[2]
    energy = 0.0
    zero = np.zeros(width, image.dtype)
    shifted = np.zeros(width, image.dtype)
    change = np.empty(width, image.dtype)
    for row in range(start, stop):
        z, y = row // height, row % height
        across, down, through = dual[2, z, y], dual[1, z, y], dual[0, z, y]
        above = dual[1, z, y - 1] if y > 0 else zero
        before = dual[0, z - 1, y] if z > 0 else zero
        source, target = image[z, y], out[z, y]
        shifted[1:] = across[:-1]
        # few arrays per loop: beyond a handful the compiler gives up proving that they do not overlap
        for x in range(width):
            change[x] = shifted[x] - across[x] + above[x] - down[x]
        if dual.shape[1] > 1:
            for x in range(width):
                change[x] += before[x] - through[x]
        for x in range(width):
            target[x] = source[x] + change[x]
        total = image.dtype.type(0)
        for x in range(width):
            total += change[x] * change[x]
        energy += total
    return energy


@njit(nogil=True, cache=True, fastmath={"reassoc"})
def project_dual(out: Any, dual: Any, tau: Any, weight: Any, start: int, stop: int) -> float:
    """Step the dual field against the gradient of `out` and project it; return the total variation of the rows."""
    depth, height, width = out.shape
    variation = 0.0
    following = np.empty(width, out.dtype)
    norm = np.empty(width, out.dtype)
    factor = tau / weight
    one = out.dtype.type(1)
    for row in range(start, stop):
        z, y = row // height, row % height
        here = out[z, y]
        following[:-1] = here[1:]
        following[-1] = here[-1]
        below = out[z, y + 1] if y + 1 < height else here
        beyond = out[z + 1, y] if z + 1 < depth else here
        across, down, through = dual[2, z, y], dual[1, z, y], dual[0, z, y]
        for x in range(width):
            dx, dy, dz = following[x] - here[x], below[x] - here[x], beyond[x] - here[x]
            norm[x] = np.sqrt(dx * dx + dy * dy + dz * dz)
        total = out.dtype.type(0)
        for x in range(width):
            total += norm[x]
            norm[x] = one / (one + norm[x] * factor)
        variation += total
        _step(across, following, here, tau, norm)
        _step(down, below, here, tau, norm)
        if depth > 1:
            _step(through, beyond, here, tau, norm)
    return variation


@njit(nogil=True, cache=True)
def _step(dual: Any, following: Any, here: Any, tau: Any, share: Any) -> None:
    for x in range(dual.size):
        dual[x] = (dual[x] - tau * (following[x] - here[x])) * share[x]
