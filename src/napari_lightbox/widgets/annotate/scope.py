"""Where an engine works: the visible plane, a box around the new stroke, or the whole volume of the frame in view."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from napari.layers import Layer

from napari_lightbox.axes import Geometry
from napari_lightbox.axes.order import CHANNEL, SPATIAL
from napari_lightbox.engine.request import Region
from napari_lightbox.widgets.layers import data_shape
from napari_lightbox.widgets.preview import visible_region

if TYPE_CHECKING:
    from napari.components import ViewerModel

Scope = Literal["plane", "box", "volume"]
SCOPES: dict[Scope, str] = {"plane": "Visible plane", "box": "Around stroke", "volume": "Whole volume"}


def region_of(scope: Scope, viewer: ViewerModel, image: Layer, axes: str) -> Region:
    """Return the visible plane or the volume it belongs to, over all axes of the image; colour is taken whole."""
    seen = visible_region(viewer, image)
    lengths = data_shape(image)
    whole = SPATIAL if scope != "plane" else ""
    return tuple(
        slice(0, n) if axis == CHANNEL or axis in whole else part for part, axis, n in zip(seen, axes, lengths, strict=True)
    )


def around(stroke: Sequence[slice], margin: float, geometry: Geometry, flat: Sequence[int] = ()) -> Region:
    """Return the box of a stroke with a margin, within the grid of the seeds.

    Parameters
    ----------
    stroke
        Smallest box that holds the stroke.
    margin
        Pixels along the finest spatial axis; coarser axes get the same physical length.
    geometry
        Grid of the seeds.
    flat
        Axes that get no margin.
    """
    steps = geometry.spacing
    finest = min((s for s, a in zip(steps, geometry.axes, strict=True) if a in SPATIAL), default=1.0)
    box = []
    for i, (part, axis, step, length) in enumerate(zip(stroke, geometry.axes, steps, geometry.shape, strict=True)):
        extra = ceil(margin * finest / step - 1e-9) if axis in SPATIAL and i not in flat else 0
        box.append(slice(max(part.start - extra, 0), min(part.stop + extra, length)))
    return tuple(box)


def widened(stroke: Sequence[slice], margin: float, geometry: Geometry, seeds: Any, least: int, flat: Sequence[int]) -> Region:
    """Return the box around a stroke, made larger until the seeds inside hold at least `least` ids or it cannot grow."""
    box = around(stroke, margin, geometry, flat)
    while len(_ids(seeds, box)) < least:
        margin = max(2 * margin, 8.0)
        larger = around(stroke, margin, geometry, flat)
        if larger == box:
            break
        box = larger
    return box


def with_channels(box: Region, axes: str, lengths: Sequence[int]) -> Region:
    """Return a box over the seeds' axes as one over the image's axes."""
    parts = iter(box)
    return tuple(slice(0, n) if axis == CHANNEL else next(parts) for axis, n in zip(axes, lengths, strict=True))


def without_channels(region: Region, axes: str) -> Region:
    """Return a region over the image's axes as one over the seeds' axes."""
    return tuple(part for part, axis in zip(region, axes, strict=True) if axis != CHANNEL)


def covers(outer: Region, inner: Region) -> bool:
    """Tell whether one region lies within another."""
    return all(o.start <= i.start and i.stop <= o.stop for o, i in zip(outer, inner, strict=True))


def joined(a: Region | None, b: Region) -> Region:
    """Return the smallest region that holds both."""
    if a is None:
        return b
    return tuple(slice(min(p.start, q.start), max(p.stop, q.stop)) for p, q in zip(a, b, strict=True))


def within(part: Region, region: Region) -> Region:
    """Return a part of a region as slices of an array that holds the region alone."""
    return tuple(slice(p.start - r.start, p.stop - r.start) for p, r in zip(part, region, strict=True))


def slabs(region: Region, most: int = 250_000) -> list[Region]:
    """Return a region cut along its first long axis into parts of at most about `most` pixels."""
    sizes = [s.stop - s.start for s in region]
    axis = next((i for i, n in enumerate(sizes) if n > 1), 0)
    step = max(1, int(sizes[axis] * most / max(int(np.prod(sizes)), 1)))
    part = region[axis]
    return [
        (*region[:axis], slice(begin, min(begin + step, part.stop)), *region[axis + 1 :])
        for begin in range(part.start, part.stop, step)
    ]


def _ids(seeds: Any, box: Region) -> Any:
    inside = np.asarray(seeds[box])
    return np.unique(inside[inside > 0])
