"""Smaller copies of an image: made by averaging pairs (labels: by taking every second), kept beside the full one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_lightbox.axes import Geometry, Volume
from napari_lightbox.axes.affine import scaling
from napari_lightbox.io.world import with_axes

KEY = "pyramid"


def levels_of(data: Any, metadata: Mapping[str, Any]) -> list[Any]:
    """Return the levels of `data`, itself first; those of another array that shares its metadata do not count."""
    levels = metadata.get(KEY, ())
    return list(levels) if len(levels) > 0 and levels[0] is data else [data]


def with_levels(volume: Volume, levels: Sequence[Any], axes: str) -> Volume:
    """Return `volume` with smaller copies; `levels` are arrays over `axes`, without the full one."""
    if not levels:
        return volume
    turned = [with_axes(Volume(a, Geometry(axes, a.shape)), volume.axes).data.astype(volume.dtype) for a in levels]
    return replace(volume, metadata=dict(volume.metadata) | {KEY: (volume.data, *turned)})


def halved_axes(geometry: Geometry, smallest: int = 256) -> str:
    """Return the axes to halve next: long ones that are sampled about as finely as the finest; empty at the end."""
    spatial = geometry.spatial
    if max(geometry.length(a) for a in spatial) <= smallest:
        return ""
    finest = min(geometry.spacing_along("".join(a for a in spatial if geometry.length(a) > 1)))
    return "".join(a for a in spatial if geometry.length(a) > 1 and geometry.spacing_along(a)[0] < 1.5 * finest)


def halved_geometry(geometry: Geometry, axes: str, *, labels: bool) -> Geometry:
    """Return the geometry after one halving along `axes`; the centre of a mean lies between its samples."""
    factors = [2.0 if a in axes else 1.0 for a in geometry.axes]
    begin = [0.0 if labels else (f - 1) / 2 for f in factors]
    shape = tuple(-(-n // int(f)) for n, f in zip(geometry.shape, factors, strict=True))
    return replace(geometry, shape=shape, affine=geometry.affine @ scaling(factors, begin))


def halved(block: NDArray[Any], along: tuple[int, ...], *, labels: bool) -> NDArray[Any]:
    """Return `block` at half size along some axes; integers are rounded to nearest, odd ends are averaged alone."""
    if labels or block.dtype == bool:
        return block[tuple(slice(None, None, 2) if i in along else slice(None) for i in range(block.ndim))]
    total = block.astype(np.int64 if block.dtype.kind in "iu" else np.result_type(block.dtype, np.float64))
    for axis in along:
        if total.shape[axis] % 2:
            total = np.concatenate([total, np.take(total, [-1], axis)], axis)
        even, odd = (total[(slice(None),) * axis + (slice(k, None, 2),)] for k in (0, 1))
        total = even + odd
    count = 2 ** len(along)
    mean: NDArray[Any] = (total + count // 2) // count if block.dtype.kind in "iu" else total / count
    return mean.astype(block.dtype)
