"""Join labels of separately labelled blocks; the cost is linear in blocks and faces."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_lightbox.engine.boxes import Bounds, box_of

Index = tuple[int, ...]


@dataclass(frozen=True)
class Summary:
    """What joining needs to know of one block: first pixels, and labels and values on its faces.

    `faces` maps (axis, side) to (labels, values); side 0 is the low face, 1 the high one.
    """

    first: NDArray[np.int64]
    faces: Mapping[tuple[int, int], tuple[NDArray[Any], NDArray[Any]]]


def summarise(labels: NDArray[np.int32], values: NDArray[Any], start: Index, whole: Index) -> Summary:
    """Return the summary of a block that begins at `start` of an element of shape `whole`."""
    from napari_lightbox.engine.merge_compiled import first_pixels

    count = int(labels.max(initial=0))
    local = first_pixels(np.ascontiguousarray(labels), count)
    place = np.unravel_index(local, labels.shape)
    first = np.ravel_multi_index(tuple(p + s for p, s in zip(place, start, strict=True)), whole)
    faces = {}
    for axis, (begin, length, total) in enumerate(zip(start, labels.shape, whole, strict=True)):
        for side, at_border in ((0, begin == 0), (1, begin + length == total)):
            if not at_border:
                plane = (slice(None),) * axis + (-side,)
                faces[axis, side] = (labels[plane].copy(), values[plane].copy())
    return Summary(np.asarray(first, np.int64), faces)


def merge(summaries: Mapping[Index, Summary], bounds: Bounds, connectivity: int) -> dict[Index, NDArray[np.int32]]:
    """Return per block the table from local label (0 included) to final id.

    Final ids are consecutive from 1 in the raster order of each object's first pixel.
    """
    from napari_lightbox.engine.merge_compiled import final_ids

    order = sorted(summaries)
    counts = [len(summaries[i].first) for i in order]
    offsets = dict(zip(order, np.cumsum([0, *counts[:-1]]).tolist(), strict=True))
    first = np.concatenate([np.zeros(1, np.int64), *[summaries[i].first for i in order]])
    parent = np.arange(len(first), dtype=np.int64)
    for axis, edges in enumerate(bounds):
        for boundary in range(len(edges) - 2):
            _join_boundary(summaries, offsets, bounds, axis, boundary, connectivity - 1, parent)
    ids = final_ids(parent, first)
    return {i: np.concatenate([ids[:1], ids[offsets[i] + 1 : offsets[i] + 1 + n]]) for i, n in zip(order, counts, strict=True)}


def _join_boundary(
    summaries: Mapping[Index, Summary],
    offsets: Mapping[Index, int],
    bounds: Bounds,
    axis: int,
    boundary: int,
    reach: int,
    parent: Any,
) -> None:
    from napari_lightbox.engine.merge_compiled import join_planes

    low = _plane(summaries, offsets, bounds, axis, boundary, 1)
    high = _plane(summaries, offsets, bounds, axis, boundary + 1, 0)
    join_planes(low[0], high[0], low[1], high[1], reach, parent)


def _plane(
    summaries: Mapping[Index, Summary], offsets: Mapping[Index, int], bounds: Bounds, axis: int, slab: int, side: int
) -> Any:
    """Return global ids and values of one face of a whole slab of blocks, as two-dimensional arrays."""
    rest = tuple(edges for a, edges in enumerate(bounds) if a != axis)
    shape = tuple(edges[-1] for edges in rest)
    ids = np.zeros(shape, np.int64)
    values: Any = None
    for index in summaries:
        if index[axis] != slab:
            continue
        labels, own = summaries[index].faces[axis, side]
        box = box_of(rest, index[:axis] + index[axis + 1 :])
        ids[box] = np.where(labels > 0, labels + np.int64(offsets[index]), 0)
        values = np.zeros(shape, own.dtype) if values is None else values
        values[box] = own
    flat = (1, -1) if ids.ndim == 1 else ids.shape
    return ids.reshape(flat), values.reshape(flat)
