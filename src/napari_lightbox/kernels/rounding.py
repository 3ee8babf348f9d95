"""Bring a floating result back to the type of the image without wrapping."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_lightbox.kernels.slabs import run_slabs

_PER_THREAD = 1 << 18
_FEW = 1 << 14


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
    if kind.itemsize <= 2 and values.size > _FEW and values.dtype in (np.float32, np.float64):
        return _to_small_integers(values, kind)
    limits = np.iinfo(kind)
    rounded = np.rint(values)
    # float64 cannot hold the largest 64-bit integers: clip below them, then the cast cannot wrap
    top = np.nextafter(float(limits.max), 0) if kind.itemsize == 8 else limits.max
    return np.asarray(np.clip(rounded, limits.min, top).astype(kind))


def _to_small_integers(values: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[Any]:
    from napari_lightbox.kernels.rounding_compiled import round_within

    limits = np.iinfo(dtype)
    flat = np.ascontiguousarray(values).reshape(-1)
    low, high = flat.dtype.type(limits.min), flat.dtype.type(limits.max)
    out = np.empty(values.shape, dtype)
    target = out.reshape(-1)
    run_slabs(lambda a, b: round_within(flat[a:b], low, high, target[a:b]), flat.size, least=_PER_THREAD)
    return out
