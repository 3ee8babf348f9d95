"""How often each pair of labels meets at one pixel."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

_MOST_CELLS = 1 << 16


class Contingency(NamedTuple):
    """Pairs of labels that occur (n, 2), sorted, and their numbers of pixels."""

    pairs: NDArray[np.int64]
    pixels: NDArray[np.int64]


def count_pairs(a: NDArray[Any], b: NDArray[Any], mask: NDArray[np.bool_] | None = None) -> Contingency:
    """Count the pairs of labels of two arrays of one shape, where the mask is true."""
    first, second = (a.ravel(), b.ravel()) if mask is None else (a[mask], b[mask])
    if first.size == 0:
        return Contingency(np.empty((0, 2), np.int64), np.empty(0, np.int64))
    (ids_a, place_a), (ids_b, place_b) = _numbered(first), _numbered(second)
    cells = place_a * np.intp(len(ids_b)) + place_b
    if len(ids_a) * len(ids_b) <= max(_MOST_CELLS, first.size):
        counts = np.bincount(cells)
        found = np.flatnonzero(counts)
        counts = counts[found]
    else:
        found, counts = np.unique(cells, return_counts=True)
    row, column = np.divmod(found, len(ids_b))
    return Contingency(np.stack([ids_a[row], ids_b[column]], axis=1), counts)


def _numbered(labels: NDArray[Any]) -> tuple[NDArray[np.int64], NDArray[np.intp]]:
    """Return the values that may occur, and for every pixel the number of its value."""
    if labels.dtype.kind == "b":
        return np.arange(2), labels.astype(np.intp)
    low, high = int(labels.min()), int(labels.max())
    if high - low < 256:
        return np.arange(low, high + 1), labels.astype(np.intp) - low
    ids, place = np.unique(labels, return_inverse=True)
    return ids.astype(np.int64), place


def merge_pairs(a: Contingency, b: Contingency) -> Contingency:
    """Add two counts."""
    pairs, place = np.unique(np.concatenate([a.pairs, b.pairs]), axis=0, return_inverse=True)
    pixels = np.zeros(len(pairs), np.int64)
    np.add.at(pixels, place.ravel(), np.concatenate([a.pixels, b.pixels]))
    return Contingency(pairs, pixels)
