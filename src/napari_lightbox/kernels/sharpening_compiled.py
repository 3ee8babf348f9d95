"""Compiled unsharp masks."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit


@njit(nogil=True, cache=True)
def sharpen_integers(flat: Any, smooth: Any, amount: float, low: float, high: float, out: Any) -> None:
    """Write ``flat + amount * (flat - smooth)``, rounded and clipped to low ... high."""
    for i in range(flat.size):
        value = float(flat[i])
        value = np.rint(value + amount * (value - smooth[i]))
        out[i] = min(max(value, low), high)


@njit(nogil=True, cache=True)
def sharpen_floats(flat: Any, smooth: Any, amount: Any) -> None:
    """Replace `smooth` by ``flat + amount * (flat - smooth)``; all have one type, which is the precision of the work."""
    for i in range(flat.size):
        smooth[i] = flat[i] + amount * (flat[i] - smooth[i])
