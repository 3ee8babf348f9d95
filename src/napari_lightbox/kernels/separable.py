"""Separable correlation over two or three axes with OpenCV."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from napari_lightbox.kernels.slabs import run_slabs

Border = Literal["reflect", "mirror", "nearest", "constant"]

_LEAST_SAMPLES = 1 << 17


def border_code(mode: Border) -> int:
    """Return OpenCV's code for a border named as in scipy.ndimage."""
    import cv2

    codes = {
        "reflect": cv2.BORDER_REFLECT,
        "mirror": cv2.BORDER_REFLECT_101,
        "nearest": cv2.BORDER_REPLICATE,
        "constant": cv2.BORDER_CONSTANT,
    }
    return int(codes[mode])


def correlate_separable(block: NDArray[Any], taps: Sequence[NDArray[Any]], mode: Border = "reflect") -> NDArray[Any]:
    """Correlate a float32 or float64 array with one odd kernel per axis.

    Every axis is one OpenCV pass over a two-dimensional view, so a volume costs the same per voxel as a plane.

    Parameters
    ----------
    block
        Array of two or three axes, float32 or float64.
    taps
        One odd-length kernel per axis; a kernel of length one is a factor.
    mode
        Border rule, named as in scipy.ndimage.
    """
    import cv2

    data = np.ascontiguousarray(block)
    depth = cv2.CV_64F if data.dtype == np.float64 else cv2.CV_32F
    *outer, row_taps, column_taps = [np.ascontiguousarray(t, dtype=data.dtype) for t in taps]
    border = border_code(mode)
    if data.ndim == 2:
        return np.asarray(cv2.sepFilter2D(data, depth, column_taps, row_taps, borderType=border))
    planes = np.empty_like(data)

    def in_planes(start: int, stop: int) -> None:
        for z in range(start, stop):
            cv2.sepFilter2D(data[z], depth, column_taps, row_taps, dst=planes[z], borderType=border)

    run_slabs(in_planes, len(data), max(1, _LEAST_SAMPLES // planes[0].size))
    if len(outer[0]) == 1 and outer[0][0] == 1:
        return planes
    one = np.ones(1, dtype=data.dtype)
    flat = planes.reshape(len(planes), -1)
    # OpenCV cuts large arrays into tiles for all processors by itself
    return np.asarray(cv2.sepFilter2D(flat, depth, one, outer[0], borderType=border)).reshape(data.shape)
