"""Filters of planes in bands of rows side by side, for library calls that use one processor."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_lightbox.kernels.slabs import run_slabs

_LEAST_PIXELS = 1 << 17


def in_bands(work: Callable[[NDArray[Any]], NDArray[Any]], plane: NDArray[Any], reach: int) -> NDArray[Any]:
    """Return ``work(plane)``, made in bands of rows by several threads.

    Parameters
    ----------
    work
        Returns an array of the shape and type it is given. Must release the GIL to gain anything, and treat the first and
        last rows it sees as the border of the image.
    plane
        Image (y, x).
    reach
        How many rows away a pixel may still count; bands see this much of their neighbours.
    """
    rows, columns = plane.shape
    if plane.size < 2 * _LEAST_PIXELS:
        return work(plane)
    out = np.empty_like(plane)

    def band(first: int, last: int) -> None:
        low = max(first - reach, 0)
        out[first:last] = work(plane[low : last + reach])[first - low : last - low]

    run_slabs(band, rows, max(_LEAST_PIXELS // columns, 4 * reach, 1))
    return out
