"""Compiled pointwise maps."""

from __future__ import annotations

from typing import Any

from numba import njit


@njit(nogil=True, cache=True, error_model="numpy")  # type: ignore[untyped-decorator]
def interpolate(flat: Any, first: float, step: float, curve: Any, out: Any) -> None:
    """Write the height of a curve with two points or more at ``first + k * step``; level beyond its ends."""
    last = curve.size - 1
    for i in range(flat.size):
        position = min(max((float(flat[i]) - first) / step, 0.0), float(last))
        k = int(position) if position == position else 0
        k = min(k, last - 1)
        out[i] = curve[k] + (position - k) * (curve[k + 1] - curve[k])


@njit(nogil=True, cache=True, error_model="numpy")  # type: ignore[untyped-decorator]
def stretch(flat: Any, low: float, high: float, bottom: float, top: float, least: float, out: Any) -> None:
    """Map low ... high to bottom ... top, both hit exactly; level above, and below the share `least` of the way."""
    for i in range(flat.size):
        share = (float(flat[i]) - low) / (high - low)
        share = least if share < least else (1.0 if share > 1 else share)
        out[i] = (1 - share) * bottom + share * top
