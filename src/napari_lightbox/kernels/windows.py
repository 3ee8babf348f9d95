"""Neighbourhoods as lists of offsets: boxes and balls."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Footprint = Literal["box", "ball"]

# a radius of 2 mm over a spacing of 0.4 mm must reach five samples although 2 / 0.4 may round below 5
_SLACK = 1e-6


def half_widths(radii: Sequence[float]) -> tuple[int, ...]:
    """Return how many whole samples lie within each radius."""
    return tuple(int(r + _SLACK) for r in radii)


def window_mask(radii: Sequence[float], footprint: Footprint = "box") -> NDArray[np.bool_]:
    """Return the window as a bool array of odd shape; a ball is the ellipsoid with these semi-axes."""
    half = half_widths(radii)
    grid = np.meshgrid(*[np.arange(-h, h + 1) for h in half], indexing="ij")
    if footprint == "box":
        return np.ones(grid[0].shape, dtype=bool)
    distance: Any = sum((g / max(r, _SLACK)) ** 2 for g, r in zip(grid, radii, strict=True))
    return np.asarray(distance <= 1 + _SLACK)


def window_offsets(radii: Sequence[float], footprint: Footprint = "box") -> NDArray[np.int64]:
    """Return the offsets of a window's samples from its first corner, one row each, in raster order."""
    return np.argwhere(window_mask(radii, footprint)).astype(np.int64)
