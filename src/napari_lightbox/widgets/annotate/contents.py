"""What an array of labels holds, as a change from zeros: small however large the array is."""

from __future__ import annotations

from typing import Any

import numpy as np

from napari_lightbox.engine.request import Region
from napari_lightbox.interaction.deltas import Delta
from napari_lightbox.widgets.annotate.scope import joined, slabs


def content(array: Any, region: Region | None = None) -> Delta | None:
    """Return the change from zeros to what (a region of) an array holds; None when it holds nothing."""
    if getattr(array, "nchunks_initialized", None) == 0:
        return None
    box: Region | None = None
    for part in slabs(region or tuple(slice(0, n) for n in array.shape), 4_000_000):
        inner = _bounds(np.asarray(array[part]) != 0)
        if inner is not None:
            box = joined(box, tuple(slice(p.start + i.start, p.start + i.stop) for p, i in zip(part, inner, strict=True)))
    if box is None:
        return None
    values = np.asarray(array[box])
    return Delta.between(np.zeros(values.shape, values.dtype), values, tuple(s.start for s in box))


def largest(array: Any, region: Region, below: int) -> int:
    """Return the largest id in a region that is smaller than `below`, 0 without any."""
    top = 0
    for part in slabs(region, 4_000_000):
        values = np.asarray(array[part])
        found = int(values.max())
        if found >= below:
            rest = values[values < below]
            found = int(rest.max()) if rest.size else 0
        top = max(top, found)
    return top


def _bounds(inside: Any) -> tuple[slice, ...] | None:
    if not inside.any():
        return None
    box = []
    for axis in range(inside.ndim):
        hit = np.flatnonzero(inside.any(axis=tuple(i for i in range(inside.ndim) if i != axis)))
        box.append(slice(int(hit[0]), int(hit[-1]) + 1))
    return tuple(box)
