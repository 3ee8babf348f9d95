"""Sums of values and of squares over boxes, exact for integers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_lightbox.kernels.separable import Border, border_code

_SUMS_OF = ("uint8", "uint16", "int16", "float32", "float64")
_SQUARES_OF = ("uint8", "uint16", "float32", "float64")


def box_sums(block: NDArray[Any], size: Sequence[int], border: Border) -> NDArray[np.float64]:
    """Return the sum over a box of odd `size` per axis around each pixel; values must be finite."""
    import cv2

    return _summed(cv2.boxFilter, block if block.dtype.name in _SUMS_OF else block.astype(np.float64), size, border)


def box_square_sums(block: NDArray[Any], size: Sequence[int], border: Border) -> NDArray[np.float64]:
    """Return the sum of squares over a box of odd `size` per axis around each pixel; values must be finite."""
    import cv2

    return _summed(cv2.sqrBoxFilter, block if block.dtype.name in _SQUARES_OF else block.astype(np.float64), size, border)


def _summed(in_plane: Callable[..., Any], block: NDArray[Any], size: Sequence[int], border: Border) -> NDArray[np.float64]:
    import cv2

    code = border_code(border)
    kernel = (size[-1], size[-2])
    data = np.ascontiguousarray(block)
    if data.ndim == 2:
        return np.asarray(in_plane(data, cv2.CV_64F, kernel, normalize=False, borderType=code))
    sums = np.empty(data.shape, np.float64)
    for plane, out in zip(data, sums, strict=True):
        out[...] = in_plane(plane, cv2.CV_64F, kernel, normalize=False, borderType=code)
    flat = sums.reshape(len(sums), -1)
    return np.asarray(cv2.boxFilter(flat, cv2.CV_64F, (1, size[0]), normalize=False, borderType=code)).reshape(data.shape)
