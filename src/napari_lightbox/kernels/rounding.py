"""Bring a floating result back to the type of the image without wrapping."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def as_floating(block: NDArray[Any]) -> NDArray[Any]:
    """Return the block as the smallest float type (float32 or float64) that holds its values exactly."""
    if block.dtype in (np.float32, np.float64):
        return block
    return block.astype(np.float64 if block.dtype.itemsize >= 4 else np.float32)


def to_dtype(values: NDArray[Any], dtype: Any) -> NDArray[Any]:
    """Return `values` as `dtype`; integers are rounded half to even and clipped to their range."""
    kind = np.dtype(dtype)
    if values.dtype == kind:
        return values
    if kind.kind == "f":
        return values.astype(kind)
    if kind.kind == "b":
        return values >= 0.5
    limits = np.iinfo(kind)
    rounded = np.rint(values)
    # float64 cannot hold the largest 64-bit integers: clip below them, then the cast cannot wrap
    top = np.nextafter(float(limits.max), 0) if kind.itemsize == 8 else limits.max
    return np.asarray(np.clip(rounded, limits.min, top).astype(kind))
