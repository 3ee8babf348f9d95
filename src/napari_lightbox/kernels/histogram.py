"""Histograms that blocks can make and merge: exact levels where there are few, fixed bins elsewhere."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from math import inf
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_lightbox.contract import Pass
from napari_lightbox.contract.locality import Parameters
from napari_lightbox.errors import InputError
from napari_lightbox.kernels.extrema import Extrema, find_extrema
from napari_lightbox.kernels.levels import all_levels, bit_patterns, has_few_levels
from napari_lightbox.kernels.slabs import run_slabs

LEVELS = 1 << 16
_FLOAT_COUNT_LIMIT = 1 << 24
_PER_THREAD = 1 << 19


@dataclass(frozen=True, eq=False)
class Histogram:
    """How many pixels hold which value.

    Parameters
    ----------
    values
        Ascending levels, or the centres of the bins.
    counts
        Pixels per level or bin.
    edges
        Borders of the bins; None when `values` are exact levels.
    settled
        Whether all blocks have been counted already, so that merging must not add.
    """

    values: NDArray[Any]
    counts: NDArray[np.int64]
    edges: NDArray[Any] | None = None
    settled: bool = False

    @property
    def total(self) -> int:
        """Number of pixels counted."""
        return int(self.counts.sum())

    def merged(self, other: Histogram) -> Histogram:
        """Return the histogram of both parts."""
        return self if self.settled else replace(self, counts=self.counts + other.counts)

    def trimmed(self) -> Histogram:
        """Return the histogram from the first to the last level that occurs; bins are left alone."""
        if self.edges is not None:
            return self
        found = self.counts != 0
        span = slice(found.argmax(), len(found) - found[::-1].argmax()) if found.any() else slice(0, 0)
        return replace(self, values=self.values[span], counts=self.counts[span])


def histogram_passes(bins: int | str) -> tuple[Pass, Pass]:
    """Return the two sweeps that make the `Histogram` of a scope.

    Bool, 8-bit and 16-bit images are counted level by level in the first sweep. Others are surveyed for their
    extrema first, then counted: integers that span at most 65536 levels exactly, the rest in equal bins as
    numpy.histogram cuts them. Only finite pixels under the mask count; with a parameter `ignore_zeros` that is
    true, zeros do not.

    Parameters
    ----------
    bins
        Number of bins, or the name of the parameter that says it.
    """
    return Pass(_survey_block, merge), Pass(partial(_count_block, bins), merge, needed=_has_many_levels)


def _has_many_levels(dtype: Any) -> bool:
    return not has_few_levels(dtype)


def merge(a: Any, b: Any) -> Any:
    """Return the statistic of both parts."""
    return a.merged(b)


def whole_histogram(image: NDArray[Any], bins: int, mask: NDArray[np.bool_] | None = None) -> Histogram:
    """Return the histogram of one array at once, as the passes make it from blocks."""
    return _count_block(bins, image, mask, _survey_block(image, mask, None, {}), {})


def _survey_block(image: Any, mask: Any, _previous: Any, parameters: Parameters) -> Histogram | Extrema:
    if not has_few_levels(image.dtype):
        return find_extrema(chosen(image, mask, parameters))
    counts = count_levels(image if mask is None else image[mask])
    values = all_levels(image.dtype)
    if parameters.get("ignore_zeros"):
        counts[np.searchsorted(values, 0)] = 0
    return Histogram(values, counts)


def _count_block(bins: int | str, image: Any, mask: Any, previous: Any, parameters: Parameters) -> Histogram:
    if isinstance(previous, Histogram):
        return replace(previous, settled=True)
    number = parameters[bins] if isinstance(bins, str) else bins
    return count_between(chosen(image, mask, parameters), previous, number)


def chosen(image: NDArray[Any], mask: NDArray[np.bool_] | None, parameters: Parameters) -> NDArray[Any]:
    """Return the pixels that count: all of the mask, without zeros when `ignore_zeros` says so."""
    values = image if mask is None else image[mask]
    return values[values != 0] if parameters.get("ignore_zeros") else values


def count_levels(values: NDArray[Any]) -> NDArray[np.int64]:
    """Return the number of pixels per level of a type with few levels, in the order of `all_levels`."""
    flat = bit_patterns(values)
    size = 1 << 8 * values.dtype.itemsize
    if size == 256 and 0 < flat.size < _FLOAT_COUNT_LIMIT:  # OpenCV gives counts as float32
        import cv2

        rows = flat.reshape(values.shape[0], -1)
        counts = cv2.calcHist([rows], [0], None, [size], [0, size]).reshape(-1).astype(np.int64)
    else:
        counts = _count_patterns(flat, size)
    if values.dtype.kind == "b":
        return np.asarray(counts[:2], np.int64)
    return np.asarray(np.roll(counts, size // 2), np.int64) if values.dtype.kind == "i" else counts


def _count_patterns(flat: NDArray[Any], size: int) -> NDArray[np.int64]:
    from napari_lightbox.kernels.levels_compiled import count

    parts = []

    def work(start: int, stop: int) -> None:
        counts = np.zeros(size, np.int64)
        count(flat[start:stop], counts)
        parts.append(counts)

    run_slabs(work, flat.size, least=_PER_THREAD)
    return np.asarray(np.sum(parts, axis=0), np.int64)


def count_between(values: NDArray[Any], extrema: Extrema, bins: int) -> Histogram:
    """Count the pixels of a wide type whose extrema over all blocks are known."""
    from napari_lightbox.kernels.histogram_compiled import count_offsets

    low, high = extrema.low, extrema.high
    if extrema.empty:
        return Histogram(np.empty(0), np.empty(0, np.int64))
    flat = np.ascontiguousarray(values).reshape(-1)
    if flat.dtype.kind in "iu" and high - low < LEVELS:
        counts = np.zeros(int(high - low) + 1, np.int64)
        count_offsets(flat, flat.dtype.type(low), counts)
        return Histogram(np.arange(len(counts)) + low, counts)
    if low == high:
        return Histogram(np.array([low]), np.array([np.count_nonzero(flat == low)]))
    if flat.dtype.kind != "f" or flat.dtype == np.float16:
        flat = flat.astype(np.float32 if flat.dtype == np.float16 else np.float64)
    edges = _cut(low, high, bins, flat.dtype)
    slack = 4.0 * float(np.spacing(np.abs(edges).max())) * (len(edges) - 1) / (float(edges[-1]) - float(edges[0]))
    return Histogram((edges[:-1] + edges[1:]) / 2, _count_in_slabs(flat, edges, slack), edges)


def _cut(low: float, high: float, bins: int, dtype: np.dtype[Any]) -> NDArray[Any]:
    """Return the edges of equal bins at the precision of the image; more precise or fewer where those would coincide."""
    if not abs(high - low) < inf:
        raise InputError("image", f"spans {low} to {high}, more than float64 can hold", "Clip it first")
    edges = np.linspace(dtype.type(low), dtype.type(high), bins + 1, dtype=dtype)
    if (edges[:-1] < edges[1:]).all():
        return edges
    return _cut(low, high, bins, np.dtype(np.float64)) if dtype != np.float64 else _cut(low, high, bins // 2, dtype)


def _count_in_slabs(flat: NDArray[Any], edges: NDArray[Any], slack: float) -> NDArray[np.int64]:
    from napari_lightbox.kernels.histogram_compiled import count_bins

    parts = []

    def work(start: int, stop: int) -> None:
        counts = np.zeros(len(edges) - 1, np.int64)
        count_bins(flat[start:stop], edges, slack, counts)
        parts.append(counts)

    run_slabs(work, flat.size, least=_PER_THREAD)
    return np.asarray(np.sum(parts, axis=0), np.int64)
