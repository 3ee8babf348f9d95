"""Sums over labelled regions that merge over blocks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

_DENSE_IDS = 1 << 16


@dataclass(frozen=True)
class Values:
    """Sums of grey values per region; for 16 bits and fewer `squares` sums squares, else squared deviations from the mean."""

    whole: bool
    total: NDArray[Any]
    squares: NDArray[Any]
    low: NDArray[Any]
    high: NDArray[Any]


@dataclass(frozen=True)
class Regions:
    """Sums per region of one or more blocks, in the order of the labels.

    `total`, `low` and `high` are over the indices of the pixels, one column per axis.
    """

    labels: NDArray[np.int64]
    pixels: NDArray[np.int64]
    total: NDArray[np.int64]
    low: NDArray[np.int64]
    high: NDArray[np.int64]
    values: Values | None = None


def numbered(labels: NDArray[Any], background: int, mask: NDArray[np.bool_] | None) -> tuple[NDArray[np.int64], NDArray[Any]]:
    """Return the labels that occur, and an array of their numbers from 1 with 0 for the background."""
    from napari_lightbox.kernels.region_sums_compiled import mark_present

    data = labels if mask is None else np.where(mask, labels, labels.dtype.type(background))
    if data.dtype == bool:
        data = data.view(np.uint8)
    low, high = (int(data.min()), int(data.max())) if data.size else (0, 0)
    if low >= 0 and high < max(_DENSE_IDS, data.size):
        present = np.zeros(high + 1, bool)
        if data.size:
            mark_present(_read_only(data).ravel(), present)
        if 0 <= background <= high:
            present[background] = False
        ids = np.flatnonzero(present)
        if background == 0 and len(ids) == high:
            return ids, data.astype(np.int32, copy=False)
        place = np.zeros(high + 1, np.int32)
        place[ids] = np.arange(1, len(ids) + 1)
        return ids, place[data]
    ids, inverse = np.unique(data, return_inverse=True)
    keep = ids != background
    place = np.where(keep, np.cumsum(keep), 0).astype(np.int32)
    return ids[keep].astype(np.int64), place[inverse].reshape(data.shape)


def _read_only(data: NDArray[Any]) -> NDArray[Any]:
    """Return a contiguous view that cannot be written to: one compiled kernel serves all callers."""
    view = np.ascontiguousarray(data).view()
    view.flags.writeable = False
    return view


def region_sums(ids: NDArray[np.int64], numbers: NDArray[Any], start: Sequence[int], image: NDArray[Any] | None) -> Regions:
    """Return the sums of one block whose first pixel has the index `start`."""
    from napari_lightbox.kernels import region_sums_compiled as compiled

    ndim, n = numbers.ndim, len(ids) + 1
    grid = np.ascontiguousarray(numbers).reshape((1,) * (3 - ndim) + numbers.shape)
    grid.flags.writeable = False
    pixels, total = np.zeros(n, np.int64), np.zeros((n, 3), np.int64)
    low, high = np.full((n, 3), np.iinfo(np.int64).max), np.full((n, 3), -1)
    compiled.sum_places(grid, pixels, total, low, high)
    first = np.asarray(start, np.int64)
    keep = (slice(1, None), slice(3 - ndim, None))
    total = total[keep] + pixels[1:, None] * first
    values = None if image is None else _values(grid.ravel(), np.ascontiguousarray(image).ravel(), pixels)
    return Regions(ids, pixels[1:], total, low[keep] + first, high[keep] + first, values)


def _values(numbers: NDArray[Any], image: NDArray[Any], pixels: NDArray[np.int64]) -> Values:
    from napari_lightbox.kernels import region_sums_compiled as compiled

    data = image.view(np.uint8) if image.dtype == bool else image.astype(np.float32) if image.dtype == np.float16 else image
    data.flags.writeable = False
    whole = data.dtype.kind != "f" and data.dtype.itemsize <= 2
    kind = np.int64 if whole else np.float64
    limits = (-np.inf, np.inf) if data.dtype.kind == "f" else (np.iinfo(data.dtype).min, np.iinfo(data.dtype).max)
    n = len(pixels)
    total, squares = np.zeros(n, kind), np.zeros(n, kind)
    low, high = np.full(n, limits[1], data.dtype), np.full(n, limits[0], data.dtype)
    compiled.sum_values(numbers, data, total, squares, low, high)
    if not whole:
        squares[:] = 0
        compiled.sum_deviations(numbers, data, total / np.maximum(pixels, 1), squares)
    return Values(whole, total[1:], squares[1:], low[1:], high[1:])


def merge_regions(a: Regions, b: Regions) -> Regions:
    """Add the sums of two blocks."""
    labels = np.union1d(a.labels, b.labels)
    left, right = (_spread(r, labels) for r in (a, b))
    merged = Regions(
        labels,
        left.pixels + right.pixels,
        left.total + right.total,
        np.minimum(left.low, right.low),
        np.maximum(left.high, right.high),
    )
    if left.values is None or right.values is None:
        return merged
    x, y = left.values, right.values
    squares = x.squares + y.squares
    if not x.whole:  # Chan's update of the sum of squared deviations
        n, m = left.pixels, right.pixels
        gap = x.total / np.maximum(n, 1) - y.total / np.maximum(m, 1)
        squares = squares + np.where((n > 0) & (m > 0), gap * gap * n * m / np.maximum(n + m, 1), 0)
    values = Values(x.whole, x.total + y.total, squares, np.minimum(x.low, y.low), np.maximum(x.high, y.high))
    return replace(merged, values=values)


def _spread(regions: Regions, labels: NDArray[np.int64]) -> Regions:
    """Return the same sums over a longer list of labels; the new ones are empty."""
    place = np.searchsorted(labels, regions.labels)

    def grown(array: NDArray[Any], empty: Any) -> NDArray[Any]:
        out = np.full((len(labels), *array.shape[1:]), empty, array.dtype)
        out[place] = array
        return out

    v = regions.values
    largest = np.iinfo(np.int64).max
    values = None
    if v is not None:
        top = np.inf if v.low.dtype.kind == "f" else np.iinfo(v.low.dtype).max
        bottom = -np.inf if v.low.dtype.kind == "f" else np.iinfo(v.low.dtype).min
        values = Values(v.whole, grown(v.total, 0), grown(v.squares, 0), grown(v.low, top), grown(v.high, bottom))
    return Regions(
        labels, grown(regions.pixels, 0), grown(regions.total, 0), grown(regions.low, largest), grown(regions.high, -1), values
    )
