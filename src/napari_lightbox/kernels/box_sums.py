"""Sums of values and of squares over boxes, exact for integers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_lightbox.kernels.separable import Border, border_code

_SUMS_OF = ("uint8", "uint16", "int16", "float32", "float64")
_SQUARES_OF = ("uint8", "uint16", "float32", "float64")
_LARGEST = {"uint8": 2**8 - 1, "uint16": 2**16 - 1, "int16": 2**15}


def box_sums(block: NDArray[Any], size: Sequence[int], border: Border) -> NDArray[Any]:
    """Return the sum over a box of odd `size` per axis around each pixel, as int32 or float64; values must be finite."""
    import cv2

    # OpenCV adds these integers in 32 bits, whatever it is asked for
    known = block.dtype.name in _SUMS_OF and _fits(block, size[-2:], 1)
    values = block if known else block.astype(np.float64)
    return _summed(cv2.boxFilter, values, size, border, values.dtype == np.uint8 and _fits(block, size, 1))


def box_square_sums(block: NDArray[Any], size: Sequence[int], border: Border) -> NDArray[Any]:
    """Return the sum of squares over a box of odd `size` per axis around each pixel, as `box_sums` does."""
    import cv2

    known = block.dtype.name in _SQUARES_OF and (block.dtype != np.uint8 or _fits(block, size[-2:], 2))
    values = block if known else block.astype(np.float64)
    return _summed(cv2.sqrBoxFilter, values, size, border, values.dtype == np.uint8 and _fits(block, size, 2))


def _fits(block: NDArray[Any], size: Sequence[int], power: int) -> bool:
    """Tell whether 32 bits hold every sum over a box."""
    return bool(prod(size) * _LARGEST.get(block.dtype.name, 0) ** power < 2**31)


def _summed(in_plane: Callable[..., Any], block: NDArray[Any], size: Sequence[int], border: Border, narrow: bool) -> NDArray[Any]:
    import cv2

    depth = cv2.CV_32S if narrow else cv2.CV_64F
    code = border_code(border)
    kernel = (size[-1], size[-2])
    data = np.ascontiguousarray(block)
    if data.ndim == 2:
        return np.asarray(in_plane(data, depth, kernel, normalize=False, borderType=code))
    sums = np.empty(data.shape, np.int32 if narrow else np.float64)
    for plane, out in zip(data, sums, strict=True):
        in_plane(plane, depth, kernel, out, normalize=False, borderType=code)
    flat = sums.reshape(len(sums), -1)
    return np.asarray(cv2.boxFilter(flat, depth, (1, size[0]), normalize=False, borderType=code)).reshape(data.shape)
