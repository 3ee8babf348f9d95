"""Mean over a box in two and three dimensions; integers are exact."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_lightbox.kernels.borders import Continuation, border_index
from napari_lightbox.kernels.missing import all_finite
from napari_lightbox.kernels.separable import border_code, correlate_separable
from napari_lightbox.kernels.slabs import run_slabs

# above this size OpenCV divides 16-bit sums in float32, which is not exact any more
_LARGEST_16_BIT = 11


def box_mean(block: NDArray[Any], half: Sequence[int], border: Continuation) -> NDArray[Any]:
    """Return the mean of each box; the data type is kept, integers are rounded to the nearest."""
    if not any(half):
        return block.copy()
    if block.dtype == bool:
        return box_mean(block.view(np.uint8), half, border).view(bool)
    if block.dtype == np.float16:
        return box_mean(block.astype(np.float32), half, border).astype(np.float16)
    if not all_finite(block):
        # a running sum never gets rid of a NaN or an infinity, a direct one holds it for one window only
        return correlate_separable(block, [np.full(2 * h + 1, 1 / (2 * h + 1)) for h in half], border)
    if block.ndim == 2 and _opencv_is_exact(block, half):
        import cv2

        size = (2 * half[1] + 1, 2 * half[0] + 1)
        return np.asarray(cv2.blur(np.ascontiguousarray(block), size, borderType=border_code(border)))
    return _running(block, half, border)


def _opencv_is_exact(block: NDArray[Any], half: Sequence[int]) -> bool:
    longest = 2 * max(half) + 1
    if block.dtype.name in ("uint16", "int16"):
        return longest <= _LARGEST_16_BIT
    return block.dtype.name in ("uint8", "float32", "float64") and longest < 1000


def _running(block: NDArray[Any], half: Sequence[int], border: Continuation) -> NDArray[Any]:
    from napari_lightbox.kernels.box_compiled import box_means

    data = np.ascontiguousarray(block).reshape((-1, *block.shape[-2:]))
    reach = (0,) * (3 - block.ndim) + tuple(half)
    index = [border_index(n, h, h, border) for n, h in zip(data.shape, reach, strict=True)]
    count = math.prod(2 * h + 1 for h in reach)
    kind = _sum_type(data.dtype, count)
    out = np.empty_like(data)
    rounding = 0.5 if data.dtype.kind in "iu" else 0.0

    def work(start: int, stop: int) -> None:
        box_means(data, *index, np.empty(data.shape[1:], kind), 1 / count, rounding, out, start, stop)

    run_slabs(work, len(data), least=max(1, 2 * reach[0]))
    return out.reshape(block.shape)


def _sum_type(dtype: np.dtype[Any], count: int) -> Any:
    """Return the smallest type that holds every sum of `count` values; 64-bit integers are summed as float64."""
    if dtype.kind == "f" or dtype.itemsize == 8:
        return np.float64
    return np.int32 if dtype.itemsize <= 2 and count * 2 ** (8 * dtype.itemsize) < 2**31 else np.int64
