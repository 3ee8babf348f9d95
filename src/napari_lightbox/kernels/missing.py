"""NaN in the neighbourhood: find it quickly, take it out, let it spread by exactly one window."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray


def all_finite(block: NDArray[Any]) -> bool:
    """Tell whether the block holds no NaN and no infinity.

    A sum of squares cannot cancel, so it is finite only when every value is; it may overflow, and only then
    the values are looked at one by one.
    """
    if block.dtype.kind != "f":
        return True
    flat = np.ascontiguousarray(block).ravel()
    with np.errstate(over="ignore", invalid="ignore"):
        return bool(np.isfinite(np.dot(flat, flat))) or bool(np.isfinite(flat).all())


def has_nan(block: NDArray[Any]) -> bool:
    """Tell whether the block holds a NaN."""
    return block.dtype.kind == "f" and block.size > 0 and bool(np.isnan(block.min()))


def nan_spreads(filtered: Callable[[NDArray[Any]], NDArray[Any]], block: NDArray[Any], window: NDArray[np.bool_]) -> NDArray[Any]:
    """Run a filter so that a NaN reaches every pixel whose window holds it, and no other.

    Order statistics and running sums do not do so by themselves: a NaN breaks comparisons and stays in a sum.
    """
    if not has_nan(block):
        return filtered(block)
    from scipy import ndimage

    missing = np.isnan(block)
    result = filtered(np.where(missing, block.dtype.type(0), block)).copy()
    if window.all():
        for axis, length in enumerate(window.shape):
            missing = ndimage.maximum_filter1d(missing, length, axis=axis)
    else:
        missing = ndimage.binary_dilation(missing, window)
    result[missing] = np.nan
    return result
