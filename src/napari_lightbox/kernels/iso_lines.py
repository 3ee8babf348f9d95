"""Lines along which a plane crosses a level."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def iso_lines(image: NDArray[Any], level: float, join_high: bool) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return the lines of marching squares as ``skimage.measure.find_contours`` has them.

    Parameters
    ----------
    image
        Plane of at least 2 x 2 pixels, any real type; squares with a NaN are left out.
    level
        Value the lines follow, with lower values on their left.
    join_high
        Whether high values that touch at a corner belong together; otherwise low ones do.

    Returns
    -------
    vertices, counts
        (y, x) of all vertices, one line after the other, and how many each line has.
    """
    from napari_lightbox.kernels.iso_lines_compiled import most_vertices, trace

    data = image.view(np.uint8) if image.dtype == bool else image.astype(np.float32) if image.dtype == np.float16 else image
    data = np.ascontiguousarray(data).view()
    data.flags.writeable = False
    size = most_vertices(data, level)
    counts = np.empty(size // 2, np.int64)
    number, vertices = trace(data, level, join_high, np.empty((size, 2)), counts)
    return vertices, counts[:number]
