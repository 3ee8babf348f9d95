"""A level of its own for every pixel, and the labels it makes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_lightbox.contract import floating
from napari_lightbox.kernels.missing import all_finite, nan_spreads
from napari_lightbox.kernels.slabs import run_slabs

_PER_THREAD = 1 << 19
Split = tuple[NDArray[np.int32], NDArray[Any]]


def split_by_surface(image: NDArray[Any], surface: NDArray[Any], count: float, offset: float, below: bool) -> Split:
    """Return the labels ``image > surface / count - offset`` (``<=`` with `below`) and the levels compared with."""
    from napari_lightbox.kernels.local_levels_compiled import label_by_surface

    flat, labels, levels = _prepare(image)
    heights = np.ascontiguousarray(surface).reshape(-1)
    run_slabs(
        lambda a, b: label_by_surface(flat[a:b], heights[a:b], float(count), float(offset), below, labels[a:b], levels[a:b]),
        flat.size,
        least=_PER_THREAD,
    )
    return labels.reshape(image.shape), levels.reshape(image.shape)


def split_by_moments(
    image: NDArray[Any], sums: NDArray[Any], squares: NDArray[Any], count: int, k: float, r: float, below: bool
) -> Split:
    """Return the labels ``image > m (1 + k (s / r - 1))`` and the levels; m and s are mean and standard deviation."""
    from napari_lightbox.kernels.local_levels_compiled import label_by_moments

    flat, labels, levels = _prepare(image)
    first, second = sums.reshape(-1), squares.reshape(-1)
    run_slabs(
        lambda a, b: label_by_moments(
            flat[a:b], first[a:b], second[a:b], float(count), float(k), float(r), below, labels[a:b], levels[a:b]
        ),
        flat.size,
        least=_PER_THREAD,
    )
    return labels.reshape(image.shape), levels.reshape(image.shape)


def finite_windows(summed: Callable[[NDArray[Any]], NDArray[Any]], block: NDArray[Any], size: tuple[int, ...]) -> NDArray[Any]:
    """Run a window filter; the result is NaN where a window of odd `size` holds a NaN or an infinity, and only there."""
    if all_finite(block):
        return summed(block)
    missing = np.where(np.isfinite(block), block, block.dtype.type(np.nan))
    return nan_spreads(summed, missing, np.ones(size, np.bool_))


def _prepare(image: NDArray[Any]) -> tuple[NDArray[Any], NDArray[np.int32], NDArray[Any]]:
    flat = np.ascontiguousarray(image).reshape(-1)
    if flat.dtype == np.float16 or flat.dtype.kind == "b":
        flat = flat.astype(np.float32)
    return flat, np.empty(flat.size, np.int32), np.empty(flat.size, floating(image.dtype))
