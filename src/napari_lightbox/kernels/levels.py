"""Types with few levels: every value the type can hold, and maps over them as lookup tables."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_lightbox.kernels.slabs import run_slabs

_PER_THREAD = 1 << 19


def has_few_levels(dtype: Any) -> bool:
    """Tell whether `dtype` is bool or an integer type of 8 or 16 bits."""
    kind = np.dtype(dtype)
    return kind.kind in "biu" and kind.itemsize <= 2


def all_levels(dtype: Any) -> NDArray[np.int64]:
    """Return every value a bool, 8-bit or 16-bit type can hold, ascending."""
    kind = np.dtype(dtype)
    if kind.kind == "b":
        return np.arange(2)
    limits = np.iinfo(kind)
    return np.arange(limits.min, limits.max + 1)


def look_up(image: NDArray[Any], table: NDArray[Any]) -> NDArray[Any]:
    """Replace every pixel by the entry of its level.

    Parameters
    ----------
    image
        Image of a type with few levels.
    table
        One entry per level of that type, in the order of `all_levels`.
    """
    if image.dtype == table.dtype == np.uint8:
        import cv2

        rows = np.ascontiguousarray(image).reshape(image.shape[0], -1)
        return np.asarray(cv2.LUT(rows, table)).reshape(image.shape)
    from napari_lightbox.kernels.levels_compiled import gather

    unsigned = bit_patterns(image)
    entries = np.roll(table, len(table) // 2) if image.dtype.kind == "i" else np.ascontiguousarray(table)
    out = np.empty(image.shape, table.dtype)
    target = out.reshape(-1)
    run_slabs(lambda a, b: gather(unsigned[a:b], entries, target[a:b]), unsigned.size, least=_PER_THREAD)
    return out


def bit_patterns(image: NDArray[Any]) -> NDArray[Any]:
    """Return the pixels as one row of unsigned integers; negative levels come after the positive ones."""
    flat = np.ascontiguousarray(image).reshape(-1)
    return flat.view(np.uint8 if image.dtype.itemsize == 1 else np.uint16)
