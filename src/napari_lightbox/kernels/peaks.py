"""Local maxima that keep a distance from each other."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, floor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_lightbox.kernels.footprint import Footprint
from napari_lightbox.kernels.morphology import dilate


def separated_peaks(values: NDArray[Any], apart: Sequence[float]) -> NDArray[np.int64]:
    """Return the flat indices of positive local maxima, the highest first.

    A peak is the largest value in the box that reaches as far as `apart` (in samples, per axis) to all sides; of equal
    ones nearer than that along every axis the first in raster order stays. For the same distance along all axes this is
    ``skimage.feature.peak_local_max`` with ``exclude_border=False``.
    """
    box = Footprint("box", np.ones([2 * floor(d) + 1 for d in apart], bool))
    candidates = np.flatnonzero((dilate(values, box) == values) & (values > 0))
    order = np.argsort(-values.ravel()[candidates], kind="stable")
    taken = np.zeros(values.shape, bool)
    margin = [max(ceil(d) - 1, 0) for d in apart]
    peaks = []
    for index in candidates[order]:
        place = np.unravel_index(index, values.shape)
        if not taken[place]:
            peaks.append(index)
            taken[tuple(slice(max(p - m, 0), p + m + 1) for p, m in zip(place, margin, strict=True))] = True
    return np.array(peaks, np.int64)
