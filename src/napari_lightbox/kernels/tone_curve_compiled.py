"""Compiled pointwise maps."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from napari_lightbox.kernels.exponential_compiled import exp_negative

_LARGEST = np.float32(87)


@njit(nogil=True, cache=True, error_model="numpy")
def interpolate(flat: Any, first: float, step: float, curve: Any, out: Any) -> None:
    """Write the height of a curve with two points or more at ``first + k * step``; level beyond its ends."""
    last = curve.size - 1
    for i in range(flat.size):
        position = min(max((float(flat[i]) - first) / step, 0.0), float(last))
        k = int(position) if position == position else 0
        k = min(k, last - 1)
        out[i] = curve[k] + (position - k) * (curve[k + 1] - curve[k])


@njit(nogil=True, cache=True, error_model="numpy")
def stretch(flat: Any, line: Any, out: Any) -> None:
    """Map the first to the second number of `line` to its third to fourth, both hit exactly; level above, and below a share.

    The fifth number is that share of the way, 0 or less. The type of `line` is the precision of the work.
    """
    low, high, bottom, top, least = line[0], line[1], line[2], line[3], line[4]
    one = line.dtype.type(1)
    for i in range(flat.size):
        share = (line.dtype.type(flat[i]) - low) / (high - low)
        share = least if share < least else (min(share, one))
        out[i] = (one - share) * bottom + share * top


@njit(nogil=True, cache=True, error_model="numpy")
def logistic(flat: Any, alpha: Any, beta: Any, low: Any, height: Any, out: Any) -> None:
    """Write ``height / (1 + exp(-(v - beta) / alpha)) + low`` as float32; NaN stays NaN, infinities get the ends."""
    for i in range(flat.size):
        way = (flat[i] - beta) / alpha
        far = abs(way)
        # of the falling half alone, so that nothing overflows
        power = exp_negative(far) if far < _LARGEST else np.float32(0)
        share = (np.float32(1) if way >= 0 else power) / (np.float32(1) + power)
        out[i] = way if way != way else height * share + low
