"""Erosion and dilation by flat footprints in two and three dimensions.

What lies outside the array, and every NaN, is neutral: it never wins. A NaN pixel stays NaN.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_lightbox.kernels.footprint import Footprint, Line
from napari_lightbox.kernels.missing import has_nan
from napari_lightbox.kernels.slabs import run_slabs

_PLANE_TYPES = frozenset(map(np.dtype, ("uint8", "uint16", "int16", "float32", "float64")))
_CACHE_BYTES = 1 << 18
_PIXELS_PER_THREAD = 1 << 18
# beyond these OpenCV's direct kernels lose to doubled windows
_LARGEST_DIRECT_REACH = 64
_LARGEST_DIRECT_CELLS = 150


def erode(block: NDArray[Any], footprint: Footprint, iterations: int = 1) -> NDArray[Any]:
    """Return the minimum over the footprint at every pixel, `iterations` times."""
    return _extreme(block, footprint, iterations, np.minimum)


def dilate(block: NDArray[Any], footprint: Footprint, iterations: int = 1) -> NDArray[Any]:
    """Return the maximum over the reflected footprint at every pixel, `iterations` times."""
    return _extreme(block, footprint.mirrored(), iterations, np.maximum)


def joined(footprint: Footprint, iterations: int) -> tuple[Footprint, int]:
    """Turn a repeated box into one larger box, which is the same, at the border too."""
    if footprint.shape != "box" or iterations <= 1:
        return footprint, iterations
    return Footprint("box", np.ones([2 * r * iterations + 1 for r in footprint.reach], bool)), 1


def _extreme(block: NDArray[Any], footprint: Footprint, iterations: int, better: np.ufunc) -> NDArray[Any]:
    if block.size == 0 or iterations == 0:
        return block.copy()
    if block.dtype == bool:
        return _extreme(block.view(np.uint8), footprint, iterations, better).view(bool)
    if block.dtype == np.float16:
        return _extreme(block.astype(np.float32), footprint, iterations, better).astype(np.float16)
    narrow = _narrow_type(block)
    if narrow is not None and footprint.centred:  # without its centre a footprint can miss every pixel: neutral shows
        return _extreme(block.astype(narrow), footprint, iterations, better).astype(block.dtype)
    neutral = _neutral(block.dtype, better)
    missing = np.isnan(block) if has_nan(block) else None
    footprint, iterations = joined(footprint, iterations)
    for _ in range(iterations):
        filled = block if missing is None else np.where(missing, neutral, block)
        block = _step(np.ascontiguousarray(filled), footprint, better, neutral)
        if missing is not None:
            block[missing] = np.nan
    return block


def _narrow_type(block: NDArray[Any]) -> str | None:
    """Return a type that OpenCV works on and that holds the values of a wider or rarer integer type."""
    if block.dtype.kind == "f" or block.dtype in _PLANE_TYPES:
        return None
    low, high = block.min(), block.max()
    fits = (name for name in ("uint8", "uint16", "int16") if np.iinfo(name).min <= low and high <= np.iinfo(name).max)
    return next(fits, None)


def _neutral(dtype: np.dtype[Any], better: np.ufunc) -> Any:
    """Return the value that never wins: the largest for a minimum, the smallest for a maximum."""
    if dtype.kind == "f":
        return dtype.type(np.inf if better is np.minimum else -np.inf)
    limits = np.iinfo(dtype)
    return dtype.type(limits.max if better is np.minimum else limits.min)


def _step(block: NDArray[Any], footprint: Footprint, better: np.ufunc, neutral: Any) -> NDArray[Any]:
    if footprint.shape == "box":
        if _direct(block, footprint.reach) and min(footprint.reach[-2:]) > 0:
            planes = _planes(block, footprint.reach[-2:], better, neutral)
            return planes if block.ndim == 2 else _window(planes, 0, footprint.reach[0], better, neutral)
        for axis, reach in enumerate(footprint.reach):
            block = _window(block, axis, reach, better, neutral)
        return block
    if block.ndim == 2 and opencv_is_best(block, footprint):
        return _opencv(block, footprint.cells, better, neutral)
    if footprint.shape == "cross":
        arms = (_window(block, axis, reach, better, neutral) for axis, reach in enumerate(footprint.reach))
        return functools.reduce(better, arms)
    return _lines(block, footprint, better, neutral)


def opencv_is_best(plane: NDArray[Any], footprint: Footprint) -> bool:
    """Tell whether no kernel is faster on a plane than OpenCV's with this footprint."""
    if footprint.shape == "box":
        return _direct(plane, footprint.reach) and min(footprint.reach) > 0
    return _direct(plane, ()) and int(np.count_nonzero(footprint.cells)) <= _LARGEST_DIRECT_CELLS


def _direct(block: NDArray[Any], reach: Sequence[int]) -> bool:
    """Tell whether OpenCV's own kernels know the type and are the fastest for windows of this half width."""
    return block.dtype in _PLANE_TYPES and max(reach, default=0) <= _LARGEST_DIRECT_REACH


def _opencv(plane: NDArray[Any], cells: NDArray[np.bool_], better: np.ufunc, neutral: Any) -> NDArray[Any]:
    import cv2

    operation = cv2.erode if better is np.minimum else cv2.dilate
    return np.asarray(operation(plane, cells.view(np.uint8), borderType=cv2.BORDER_CONSTANT, borderValue=(float(neutral),) * 4))


def _planes(block: NDArray[Any], reach: Sequence[int], better: np.ufunc, neutral: Any) -> NDArray[Any]:
    """Return the extreme over a box in every (y, x) plane."""
    cells = np.ones([2 * r + 1 for r in reach], bool)
    if block.ndim == 2:
        return _opencv(block, cells, better, neutral)
    out = np.empty_like(block)

    def work(start: int, stop: int) -> None:
        for z in range(start, stop):
            out[z] = _opencv(block[z], cells, better, neutral)

    run_slabs(work, len(block), 1 + _PIXELS_PER_THREAD // block[0].size)
    return out


def _window(block: NDArray[Any], axis: int, reach: int, better: np.ufunc, neutral: Any) -> NDArray[Any]:
    """Return the extreme over ``2 * reach + 1`` samples along one axis, in a few passes per doubling of the window."""
    reach = min(reach, block.shape[axis] - 1)
    if reach == 0:
        return block
    if _direct(block, (reach,)):
        if axis == block.ndim - 1:
            rows = block.reshape(-1, block.shape[-1])
            return _opencv(rows, np.ones((1, 2 * reach + 1), bool), better, neutral).reshape(block.shape)
        if axis == 0:
            columns = block.reshape(len(block), -1)
            return _opencv(columns, np.ones((2 * reach + 1, 1), bool), better, neutral).reshape(block.shape)
        return _planes(block, (reach, 0), better, neutral)
    out = np.empty_like(block)
    other = 1 if axis == 0 else 0

    def work(part: slice) -> None:
        index = tuple(part if a == other else slice(None) for a in range(block.ndim))
        padded = _padded(block[index], [reach if a == axis else 0 for a in range(block.ndim)], neutral)
        out[index] = _widened(padded, axis, 1, 2 * reach + 1, better)

    per_item = block.nbytes // block.shape[other] + 1
    _in_parts(work, block.shape[other], max(1, _CACHE_BYTES // per_item), block.size)
    return out


def _padded(block: NDArray[Any], reach: Sequence[int], neutral: Any) -> NDArray[Any]:
    padded = np.full([n + 2 * r for n, r in zip(block.shape, reach, strict=True)], neutral, block.dtype)
    padded[tuple(slice(r, r + n) for n, r in zip(block.shape, reach, strict=True))] = block
    return padded


def _widened(windows: NDArray[Any], axis: int, width: int, length: int, better: np.ufunc) -> NDArray[Any]:
    """Turn extremes over ``i ... i + width - 1`` along an axis into those over ``i ... i + length - 1``."""
    while width < length:
        step = min(width, length - width)
        windows = better(_cut(windows, axis, 0, -step), _cut(windows, axis, step, None))
        width += step
    return windows


def _cut(array: NDArray[Any], axis: int, start: int, stop: int | None) -> NDArray[Any]:
    return array[(slice(None),) * axis + (slice(start, stop),)]


def _lines(block: NDArray[Any], footprint: Footprint, better: np.ufunc, neutral: Any) -> NDArray[Any]:
    """Take the extreme over the footprint's rows of cells, each a window along the last axis shared by all equal rows."""
    reach = tuple(min(r, n - 1) for r, n in zip(footprint.reach, block.shape, strict=True))
    lines = [clipped for line in footprint.lines() if (clipped := _clipped(line, reach))]
    groups = [(length, list(group)) for length, group in groupby(sorted(lines, key=_length), key=_length)]
    padded = _padded(block, reach, neutral)
    out = np.full_like(block, neutral)

    def work(part: slice) -> None:
        windows, target, width = padded[part.start : part.stop + 2 * reach[0]], out[part], 1
        for length, group in groups:
            windows, width = _widened(windows, block.ndim - 1, width, length, better), length
            for line in group:
                corner = (o + r for o, r in zip((*line.lead, line.start), reach, strict=True))
                better(target, windows[tuple(slice(c, c + n) for c, n in zip(corner, target.shape, strict=True))], out=target)

    rows = max(2 * reach[0], _CACHE_BYTES * padded.shape[0] // padded.nbytes, 1)
    _in_parts(work, block.shape[0], rows, block.size)
    return out


def _length(line: Line) -> int:
    return line.length


def _clipped(line: Line, reach: Sequence[int]) -> Line | None:
    """Cut a line of cells to what can lie inside the array."""
    if any(abs(o) > r for o, r in zip(line.lead, reach, strict=False)):
        return None
    start, stop = max(line.start, -reach[-1]), min(line.start + line.length, reach[-1] + 1)
    return Line(line.lead, start, stop - start) if stop > start else None


def _in_parts(work: Callable[[slice], None], length: int, size: int, pixels: int) -> None:
    """Call `work` on consecutive parts that fit the cache, on several threads when there are enough pixels."""
    starts = range(0, length, size)

    def run(first: int, last: int) -> None:
        for start in starts[first:last]:
            work(slice(start, min(start + size, length)))

    least = max(1, -(-len(starts) * _PIXELS_PER_THREAD // pixels))
    run_slabs(run, len(starts), least)
