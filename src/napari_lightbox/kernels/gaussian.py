"""Gaussian smoothing in two and three dimensions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_lightbox.kernels.rounding import as_floating, to_dtype
from napari_lightbox.kernels.separable import Border, border_code, correlate_separable

_PLANE_TYPES = ("uint8", "uint16", "int16", "float32", "float64")


def gaussian_radius(sigma: float, truncate: float) -> int:
    """Return the half width of the sampled kernel, as scipy.ndimage has it."""
    return int(truncate * sigma + 0.5)


def gaussian_taps(sigma: float, radius: int) -> NDArray[np.float64]:
    """Return the normalised samples of a Gaussian at -radius ... radius."""
    if radius == 0:
        return np.ones(1)
    offsets = np.arange(-radius, radius + 1)
    weights = np.exp(-0.5 * (offsets / sigma) ** 2)
    return np.asarray(weights / weights.sum())


def gaussian(block: NDArray[Any], sigma: Sequence[float], radius: Sequence[int], mode: Border = "reflect") -> NDArray[Any]:
    """Smooth a block with one sigma and one radius per axis; the data type is kept.

    Planes of common types go to ``cv2.GaussianBlur``, whose integer paths are exact under tiling;
    everything else is one separable float pass per axis, rounded once at the end.
    """
    if block.ndim == 2 and block.dtype.name in _PLANE_TYPES and min(sigma) > 0:
        import cv2

        size = (2 * radius[1] + 1, 2 * radius[0] + 1)
        return np.asarray(
            cv2.GaussianBlur(np.ascontiguousarray(block), size, sigmaX=sigma[1], sigmaY=sigma[0], borderType=border_code(mode))
        )
    taps = [gaussian_taps(s, r) for s, r in zip(sigma, radius, strict=True)]
    return to_dtype(correlate_separable(as_floating(block), taps, mode), block.dtype)
