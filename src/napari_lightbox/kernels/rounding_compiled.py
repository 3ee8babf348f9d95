"""Compiled rounding to small integers."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit


@njit(nogil=True, cache=True)
def round_within(flat: Any, low: Any, high: Any, out: Any) -> None:
    """Write the values rounded half to even and clipped to low ... high, which have the type of the values."""
    for i in range(flat.size):
        value = np.rint(flat[i])
        value = value if value > low else low  # noqa: FURB136 - becomes one vector instruction, max() does not
        out[i] = value if value < high else high  # noqa: FURB136
