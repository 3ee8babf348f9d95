"""SLIC superpixels, bit for bit those of scikit-image."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_lightbox.kernels.slabs import run_slabs

_PIXELS_PER_THREAD = 1 << 14


def slic(
    features: NDArray[Any], count: int, *, compactness: float, iterations: int, spacing: Sequence[float], connected: bool
) -> NDArray[np.int32]:
    """Return superpixel labels from 1 of a (z, y, x, channel) float image, smoothed and in its colour space already.

    Parameters
    ----------
    features
        float32 or float64.
    count
        About how many superpixels.
    compactness
        Weight of distance against colour.
    iterations
        Most rounds of k-means.
    spacing
        Distance between samples along z, y and x.
    connected
        Give fragments to their neighbours, so that every superpixel is one piece.
    """
    from skimage.util import regular_grid

    from napari_lightbox.kernels import slic_compiled as compiled

    kind, shape = features.dtype, features.shape[:3]
    image = np.ascontiguousarray(np.moveaxis(features * (1.0 / compactness), -1, 0), kind)
    grid = regular_grid(shape, count)
    steps = [int(s.step or 1) for s in grid]
    starts = np.stack([g[grid].ravel() for g in np.mgrid[tuple(slice(n) for n in shape)]], axis=-1)
    centres = np.zeros((len(starts), 3 + len(image)), kind)
    centres[:, :3] = starts
    places = np.arange(max(shape), dtype=kind)
    step = np.float32(max(steps))
    weight = kind.type(1.0 / float(step * step))
    reach = np.array([2 * int(s.step or 1) for s in regular_grid(shape, len(starts))])
    nearest, distance = np.zeros(shape, np.int32), np.empty(shape, kind)
    for _ in range(iterations):
        distance[:] = np.inf
        changed: list[bool] = []

        def assign(start: int, stop: int, changed: list[bool] = changed) -> None:
            arguments = (image, centres, reach, np.asarray(spacing, kind), weight, places, nearest, distance)
            changed.append(compiled.assign_rows(*arguments, start, stop))

        run_slabs(assign, shape[0] * shape[1], max(1, _PIXELS_PER_THREAD // shape[2]))
        if not any(changed):
            break
        compiled.move_centres(image, nearest, places, centres)
    if not connected:
        return nearest + 1
    size = nearest.size / len(starts)
    labels = np.zeros(shape, np.int32)
    compiled.join_fragments(nearest, int(0.5 * size), max(int(3 * size), 1), labels)
    return labels
