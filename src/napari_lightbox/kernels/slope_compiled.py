"""Compiled squared slope for `kernels.slope`."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit


@njit(nogil=True, cache=True)
def add_squares(volume: Any, factors: Any, squares: Any, start: int, stop: int) -> None:
    """Add the squared central differences of rows `start` to `stop` of a (z, y, x) volume to `squares`.

    A row is counted over z and y together; beyond the border the volume goes on with its last value.
    """
    depth, height, width = volume.shape
    for row in range(start, stop):
        z, y = row // height, row % height
        up, down = volume[max(z - 1, 0), y], volume[min(z + 1, depth - 1), y]
        back, front = volume[z, max(y - 1, 0)], volume[z, min(y + 1, height - 1)]
        here, out = volume[z, y], squares[z, y]
        for x in range(width):
            dx = factors[2] * np.float64(here[min(x + 1, width - 1)]) - factors[2] * np.float64(here[max(x - 1, 0)])
            dy = factors[1] * np.float64(front[x]) - factors[1] * np.float64(back[x])
            dz = factors[0] * np.float64(down[x]) - factors[0] * np.float64(up[x])
            out[x] += dx * dx + dy * dy + dz * dz
