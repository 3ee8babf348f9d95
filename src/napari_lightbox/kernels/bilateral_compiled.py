"""Compiled bilateral filter over arbitrary windows, exact weights, gray or colour."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from napari_lightbox.kernels.exponential_compiled import exp_negative


@njit(nogil=True, cache=True)
def bilateral_rows(padded: Any, offsets: Any, spatial: Any, sharpness: Any, out: Any, start: int, stop: int) -> None:
    """Filter rows ``start:stop`` (counted over z and y).

    Parameters
    ----------
    padded, out
        Floating images (channel, z, y, x), the first with the window's reach around it.
    offsets, spatial
        Window offsets (n, 3) from its corner, and the weight of each.
    sharpness
        1 / (2 sigma^2) of the intensity difference, summed over channels before it is squared.
    """
    channels, _, height, width = out.shape
    total = np.empty((channels, width), out.dtype)
    weights = np.empty(width, out.dtype)
    distance = np.empty(width, out.dtype)
    middle = offsets[offsets.shape[0] // 2]
    for row in range(start, stop):
        z, y = row // height, row % height
        total[:] = 0
        weights[:] = 0
        for i in range(offsets.shape[0]):
            dz, dy, dx = offsets[i]
            distance[:] = 0
            for c in range(channels):
                centre = padded[c, z + middle[0], y + middle[1], middle[2] : middle[2] + width]
                other = padded[c, z + dz, y + dy, dx : dx + width]
                for x in range(width):
                    distance[x] += abs(other[x] - centre[x])
            for x in range(width):
                weight = spatial[i] * exp_negative(distance[x] * distance[x] * sharpness)
                distance[x] = weight
                weights[x] += weight
            for c in range(channels):
                other = padded[c, z + dz, y + dy, dx : dx + width]
                line = total[c]
                for x in range(width):
                    line[x] += distance[x] * other[x]
        for c in range(channels):
            for x in range(width):
                out[c, z, y, x] = total[c, x] / weights[x]
