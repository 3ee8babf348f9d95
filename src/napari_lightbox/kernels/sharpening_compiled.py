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
def sharpen_floats(flat: Any, smooth: Any, amount: float) -> None:
    """Replace `smooth` by ``flat + amount * (flat - smooth)``."""
    for i in range(flat.size):
        value = float(flat[i])
        smooth[i] = value + amount * (value - smooth[i])
