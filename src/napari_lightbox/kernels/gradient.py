"""First derivatives by three-point differences in two and three dimensions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_lightbox.kernels.borders import Continuation, border_index
from napari_lightbox.kernels.rounding import as_floating
from napari_lightbox.kernels.separable import correlate_separable
from napari_lightbox.kernels.slabs import run_slabs

Smoothing = tuple[float, float]

SOBEL: Smoothing = (1.0, 2.0)
NONE: Smoothing = (0.0, 1.0)


def derivative(block: NDArray[Any], axis: int, smooth: Smoothing, scale: float, border: Continuation) -> NDArray[Any]:
    """Return ``scale * (next - previous)`` along one axis, smoothed with (outer, middle, outer) along the others."""
    taps = [np.array([smooth[0], smooth[1], smooth[0]])] * block.ndim
    taps[axis] = np.array([-scale, 0.0, scale])
    return correlate_separable(as_floating(block), taps, border)


def gradient_magnitude(block: NDArray[Any], smooth: Smoothing, scale: Sequence[float], border: Continuation) -> NDArray[Any]:
    """Return the Euclidean norm of the derivatives along all axes, each with its own factor, as float."""
    from napari_lightbox.kernels.gradient_compiled import plane_magnitude, volume_magnitude

    data = block if block.dtype.name != "float16" else block.astype(np.float32)
    kind = as_floating(np.empty(0, data.dtype)).dtype
    out = np.empty(block.shape, kind)
    index = [border_index(n, 1, 1, border) for n in data.shape]
    factors, weights = np.asarray(scale, kind), np.asarray(smooth, kind)
    run = plane_magnitude if block.ndim == 2 else volume_magnitude
    run_slabs(
        lambda start, stop: run(data, *index, weights, factors, out, start, stop),
        len(data),
        least=64 if block.ndim == 2 else 2,
    )
    return out
