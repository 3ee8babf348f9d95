"""Gaussian-weighted means kept as float64, so that rounding afterwards does not depend on where a block was cut."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_lightbox.kernels.gaussian import gaussian_taps
from napari_lightbox.kernels.separable import Border, border_code, correlate_separable

_DIRECT = ("uint8", "uint16", "int16", "float32", "float64")


def gaussian_mean(block: NDArray[Any], sigma: Sequence[float], radius: Sequence[int], mode: Border) -> NDArray[np.float64]:
    """Return the Gaussian-weighted mean around each pixel as float64."""
    taps = [gaussian_taps(s, r) for s, r in zip(sigma, radius, strict=True)]
    if block.ndim == 2 and block.dtype.name in _DIRECT:
        import cv2

        data = np.ascontiguousarray(block)
        return np.asarray(cv2.sepFilter2D(data, cv2.CV_64F, taps[1], taps[0], borderType=border_code(mode)))
    return np.asarray(correlate_separable(block.astype(np.float64), taps, mode))
