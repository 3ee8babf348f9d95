"""How often each pair of labels meets at one pixel."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from napari_lightbox.kernels.slabs import run_slabs

_MOST_CELLS = 1 << 16
_PIXELS_PER_THREAD = 1 << 18


class Contingency(NamedTuple):
    """Pairs of labels that occur (n, 2), sorted, and their numbers of pixels."""

    pairs: NDArray[np.int64]
    pixels: NDArray[np.int64]


def count_pairs(a: NDArray[Any], b: NDArray[Any], mask: NDArray[np.bool_] | None = None) -> Contingency:
    """Count the pairs of labels of two arrays of one shape, where the mask is true."""
    if a.size == 0:
        return Contingency(np.empty((0, 2), np.int64), np.empty(0, np.int64))
    low = int(a.min()), int(b.min())
    spans = int(a.max()) - low[0] + 1, int(b.max()) - low[1] + 1
    if spans[0] * spans[1] <= max(_MOST_CELLS, a.size):
        counts = _table(a, b, mask, low, spans)
        row, column = np.nonzero(counts)
        return Contingency(np.stack([row + low[0], column + low[1]], axis=1), counts[row, column])
    first, second = (a.ravel(), b.ravel()) if mask is None else (a[mask], b[mask])
    (ids_a, place_a), (ids_b, place_b) = (np.unique(labels, return_inverse=True) for labels in (first, second))
    found, pixels = np.unique(place_a * np.intp(len(ids_b)) + place_b, return_counts=True)
    row, column = np.divmod(found, max(len(ids_b), 1))
    return Contingency(np.stack([ids_a[row].astype(np.int64), ids_b[column].astype(np.int64)], axis=1), pixels)


def _table(
    a: NDArray[Any], b: NDArray[Any], mask: NDArray[np.bool_] | None, low: tuple[int, int], spans: tuple[int, int]
) -> NDArray[np.int64]:
    """Return the number of pixels of every pair of labels that may occur."""
    from napari_lightbox.kernels.contingency_compiled import add_pairs

    first, second = _flat(a), _flat(b)
    counted = np.empty(0, np.uint8) if mask is None else _flat(mask)
    tables = []

    def add(start: int, stop: int) -> None:
        table = np.zeros((2, *spans), np.int64)
        add_pairs(first, second, counted, low, table, start, stop)
        tables.append(table.sum(axis=0))

    run_slabs(add, a.size, max(_PIXELS_PER_THREAD, spans[0] * spans[1]))
    return np.asarray(sum(tables))


def _flat(array: NDArray[Any]) -> NDArray[Any]:
    flat = np.ascontiguousarray(array).reshape(-1).view(np.uint8 if array.dtype == bool else array.dtype)
    flat.flags.writeable = False
    return flat


def merge_pairs(a: Contingency, b: Contingency) -> Contingency:
    """Add two counts."""
    pairs, place = np.unique(np.concatenate([a.pairs, b.pairs]), axis=0, return_inverse=True)
    pixels = np.zeros(len(pairs), np.int64)
    np.add.at(pixels, place.ravel(), np.concatenate([a.pixels, b.pixels]))
    return Contingency(pairs, pixels)
