"""Carry points from one grid to another."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_lightbox.contract.values import Points


def map_points(points: Points | None, matrix: NDArray[Any]) -> Points | None:
    """Return points whose last coordinates went through a homogeneous matrix; leading coordinates (t, c) stay."""
    if points is None:
        return None
    data = np.array(points.data, np.float64)
    ndim = matrix.shape[0] - 1
    data[:, -ndim:] = data[:, -ndim:] @ matrix[:ndim, :ndim].T + matrix[:ndim, ndim]
    return Points(data, points.features)
