"""Filter a plane in strips of rows, one per processor; each strip sees the rows around it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_lightbox.kernels.slabs import run_slabs, slab_edges

_LEAST_PIXELS = 1 << 17


def filter_strips(
    run: Callable[[NDArray[Any]], NDArray[Any]], plane: NDArray[Any], reach: int, dtype: Any = None
) -> NDArray[Any]:
    """Return ``run(plane)``, computed strip by strip.

    Parameters
    ----------
    run
        Filters a contiguous plane; must release the GIL to gain anything.
    plane
        Plane whose rows are cut.
    reach
        How many rows above and below an output row depends on.
    dtype
        Type of the result; that of the plane when None.
    """
    data = np.ascontiguousarray(plane)
    rows, columns = data.shape
    least = max(2 * reach, _LEAST_PIXELS // columns, 1)
    if len(slab_edges(rows, least)) == 2:
        return run(data)
    out = np.empty(data.shape, data.dtype if dtype is None else dtype)

    def work(start: int, stop: int) -> None:
        first = max(start - reach, 0)
        out[start:stop] = run(data[first : stop + reach])[start - first : stop - first]

    run_slabs(work, rows, least)
    return out
