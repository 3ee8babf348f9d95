"""The box around a mask."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def box_of(mask: NDArray[Any]) -> tuple[slice, ...]:
    """Return the smallest box that holds every true pixel; the whole array when there is none."""
    box: tuple[slice, ...] = ()
    for axis in range(mask.ndim):
        held = np.flatnonzero(mask[box].any(axis=tuple(a for a in range(mask.ndim) if a != axis)))
        box += (slice(int(held[0]), int(held[-1]) + 1) if held.size else slice(None),)
    return box
