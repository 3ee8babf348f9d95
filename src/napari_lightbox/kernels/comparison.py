"""Compare an image with levels and write int32 labels; NaN never compares true."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, floor, inf, isnan
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from napari_lightbox.kernels.slabs import run_slabs

_PER_THREAD = 1 << 19

Band: TypeAlias = tuple[float, float, int]


def split_at(image: NDArray[Any], mask: NDArray[np.bool_] | None, level: float, below: bool) -> NDArray[np.int32]:
    """Return `above` inside the mask and 0 outside."""
    labels = above(image, level, below)
    if mask is not None:
        labels *= mask
    return labels


def above(image: NDArray[Any], level: float, below: bool = False) -> NDArray[np.int32]:
    """Return 1 where ``image > level`` (``image <= level`` with `below`), else 0; all 0 for a level of NaN.

    As in NumPy, floating images are compared at their own precision; integers are compared exactly.
    """
    if isnan(level) or (level == inf and not below):
        return np.zeros(image.shape, np.int32)
    if below:
        return within(image, -inf, level)
    if image.dtype.kind == "f":
        return within(image, float(np.nextafter(_cast(level, image.dtype), image.dtype.type(inf))), inf)
    return within(image, floor(level) + 1 if abs(level) < inf else level, inf)


def within(image: NDArray[Any], low: float, high: float, inside: int = 1, outside: int = 0) -> NDArray[np.int32]:
    """Return `inside` where ``low <= image <= high``, else `outside`."""
    from napari_lightbox.kernels.comparison_compiled import label_within

    flat = np.ascontiguousarray(image).reshape(-1)
    if flat.dtype.kind == "b":
        flat = flat.view(np.uint8)
    bounds = _float_bounds(flat.dtype, low, high) if flat.dtype.kind == "f" else _integer_bounds(flat.dtype, low, high)
    if bounds is None:
        return np.full(image.shape, outside, np.int32)
    if flat.dtype == np.float16:
        flat = flat.astype(np.float32)
    out = np.empty(image.shape, np.int32)
    label_within(
        flat, flat.dtype.type(bounds[0]), flat.dtype.type(bounds[1]), np.int32(inside), np.int32(outside), out.reshape(-1)
    )
    return out


def label_bands(image: NDArray[Any], bands: Sequence[Band]) -> NDArray[np.int32]:
    """Return the label of the first band (lowest, highest, label) that holds the pixel, both ends included, else 0.

    Pixels are compared as float64, so that limits next to a round number hold for every type.
    """
    from napari_lightbox.kernels.comparison_compiled import label_first_band

    flat = np.ascontiguousarray(image).reshape(-1)
    if flat.dtype == np.float16 or flat.dtype.kind == "b":
        flat = flat.astype(np.float32)
    out = np.empty(image.shape, np.int32)
    limits = np.array([band[:2] for band in bands], np.float64).reshape(-1, 2)
    labels, target = np.array([band[2] for band in bands], np.int32), out.reshape(-1)
    run_slabs(lambda a, b: label_first_band(flat[a:b], limits, labels, target[a:b]), flat.size, _PER_THREAD)
    return out


def _cast(value: float, dtype: Any) -> Any:
    with np.errstate(over="ignore"):
        return np.dtype(dtype).type(value)


def _float_bounds(dtype: Any, low: float, high: float) -> tuple[Any, Any] | None:
    return None if isnan(low) or isnan(high) else (_cast(low, dtype), _cast(high, dtype))


def _integer_bounds(dtype: Any, low: float, high: float) -> tuple[int, int] | None:
    limits = np.iinfo(dtype)
    if isnan(low) or isnan(high) or low > limits.max or high < limits.min:
        return None
    first = limits.min if low <= limits.min else ceil(low)
    last = limits.max if high >= limits.max else floor(high)
    return (first, last) if first <= last else None
