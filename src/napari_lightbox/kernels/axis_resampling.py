"""Resample an array axis by axis onto a grid with the same extent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_lightbox.kernels.axis_taps import Taps
from napari_lightbox.kernels.rounding import to_dtype
from napari_lightbox.kernels.slabs import run_slabs

_DIRECT = ("uint8", "uint16", "int16", "float32", "float64")
_LEAST_SAMPLES = 1 << 16


def resample_axes(block: NDArray[Any], taps: Sequence[Taps], start: Sequence[int], order: Sequence[int]) -> NDArray[Any]:
    """Return `block` resampled along each axis; the type is kept, integers are rounded half to even and clipped.

    Parameters
    ----------
    block
        Array of two or three axes that holds every sample the taps look at.
    taps
        One set of taps per axis, in coordinates of the whole element.
    start
        Place of the block in the whole element.
    order
        Axes in the order of treatment; the same for all blocks of an element, so that tiles agree bit for bit.
    """
    for axis, (one, first) in enumerate(zip(taps, start, strict=True)):
        if _picks(one):
            block = _taken(block, one.index[:, 0] - first, axis)
    moving = [a for a in order if not _picks(taps[a])]
    if not moving:
        return np.ascontiguousarray(block)
    work = working_type(block.dtype)
    data = block if block.dtype.name in _DIRECT else block.astype(work)
    final = data.dtype
    for axis in moving:
        data = _along(data, axis, taps[axis], start[axis], work, final if axis == moving[-1] else work)
    return to_dtype(data, block.dtype)


def working_type(dtype: Any) -> np.dtype[Any]:
    """Return the type sums are made in: float32 where it holds the samples exactly."""
    kind = np.dtype(dtype)
    return np.dtype(np.float32 if kind.itemsize < 4 or kind == np.float32 else np.float64)


def _picks(taps: Taps) -> bool:
    """Tell whether every output is one input sample."""
    return bool(taps.weight.shape[1] == 1)


def _taken(block: NDArray[Any], index: NDArray[np.int64], axis: int) -> NDArray[Any]:
    if len(index) == block.shape[axis] and np.array_equal(index, np.arange(len(index))):
        return block
    steps = np.diff(index)
    if len(steps) and steps[0] > 0 and (steps == steps[0]).all():
        return block[(slice(None),) * axis + (slice(index[0], index[-1] + 1, steps[0]),)]
    return np.take(block, index, axis=axis)


def _along(block: NDArray[Any], axis: int, taps: Taps, start: int, work: np.dtype[Any], final: np.dtype[Any]) -> NDArray[Any]:
    from napari_lightbox.kernels.axis_resampling_compiled import along_lines, within_lines

    data = np.ascontiguousarray(block)
    count = len(taps.index)
    out = np.empty((*data.shape[:axis], count, *data.shape[axis + 1 :]), final)
    index, weight = taps.index - start, taps.weight.astype(work)
    whole = final.kind in "iu"
    low, high = (work.type(np.iinfo(final).min), work.type(np.iinfo(final).max)) if whole else (work.type(0), work.type(0))
    least = max(1, _LEAST_SAMPLES // max(data.shape[-1], 1))
    if axis == data.ndim - 1:
        flat, rows = data.reshape(-1, data.shape[-1]), out.reshape(-1, count)
        index, weight = np.ascontiguousarray(index.T), np.ascontiguousarray(weight.T)
        run_slabs(lambda a, b: within_lines(flat, index, weight, rows, low, high, whole, a, b), len(flat), least)
        return out
    outer = int(np.prod(data.shape[:axis], dtype=int))
    lines = data.reshape(outer, data.shape[axis], -1)
    target = out.reshape(outer, count, -1)
    run_slabs(lambda a, b: along_lines(lines, index, weight, target, low, high, whole, a, b), outer * count, least)
    return out
