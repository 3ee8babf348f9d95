"""Compiled pointwise maps."""

from __future__ import annotations

from typing import Any

from numba import njit


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
def stretch(flat: Any, low: Any, high: Any, bottom: Any, top: Any, least: Any, one: Any, out: Any) -> None:
    """Map low ... high to bottom ... top, both hit exactly; level above, and below the share `least` of the way.

    All numbers have one type (`one` is 1 of it), which is the precision of the work.
    """
    for i in range(flat.size):
        share = (flat[i] - low) / (high - low)
        share = least if share < least else (min(share, one))
        out[i] = (one - share) * bottom + share * top
