"""Preview: the visible part of a result, as quickly as it can be had."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import dask.array as da
import numpy as np

from napari_lightbox.axes import Volume
from napari_lightbox.contract import Collection, Halo, MergeLabels, Technique, Whole, registry
from napari_lightbox.contract import Plane as PlaneLocality
from napari_lightbox.contract import Volume as VolumeLocality
from napari_lightbox.engine.apply import computed, run
from napari_lightbox.engine.bind import Bound, bind
from napari_lightbox.engine.boxes import bounds_of, parts_of
from napari_lightbox.engine.control import Control
from napari_lightbox.engine.prepare import prepare
from napari_lightbox.engine.request import Region, Request
from napari_lightbox.engine.schedule import compute_all
from napari_lightbox.engine.wrap import wrap_all
from napari_lightbox.errors import InputError

PREVIEW_CHUNK = 1_000_000


def preview(request: Request, control: Control) -> tuple[Bound, tuple[Any, ...]]:
    """Return the outputs of the request's region, computed.

    Local techniques give exactly what the full run will show there. Techniques that need the whole volume run
    on the visible plane or crop alone, and labels are numbered within it: an approximation.

    Raises
    ------
    InputError
        The technique has no preview (it joins several images).
    """
    technique = registry.get(request.technique)
    if isinstance(technique.locality, Collection):
        raise InputError(technique.id, "joins several images and has no preview", "Run it")
    region = request.region
    inputs = wrap_all(request.inputs, PREVIEW_CHUNK)
    mask = None if request.mask is None else wrap_all([request.mask])[0]
    over = request.over
    crops = isinstance(technique.locality, (Whole, VolumeLocality, MergeLabels)) and technique.grid is None
    if crops and region is not None:
        inputs = tuple(_crop_like(v, region, inputs[0].axes) for v in inputs)
        mask = _crop_like(mask, region, request.inputs[0].axes)
        over, region = _flat_over(technique, inputs[0], over), None
    bound = bind(technique, inputs, request.parameters, mask=mask, over=over)
    outputs = run(bound)
    lazy = [o.data for o in outputs if isinstance(o, Volume) and isinstance(o.data, da.Array)]
    prepare(lazy, control)
    control.check()
    if region is not None:
        outputs = tuple(_crop_output(o, region, bound) for o in outputs)
    shown = tuple(o if isinstance(o, Volume) else None for o in outputs)
    return bound, computed(shown, lambda *values: compute_all(values, control, (0.99, 1.0)))


def is_exact(technique: Technique) -> bool:
    """Tell whether a preview equals the full result there."""
    return isinstance(technique.locality, (Halo, PlaneLocality)) or not isinstance(
        technique.locality, (Whole, VolumeLocality, MergeLabels, Collection)
    )


def _crop_like(value: Any, region: Region, axes: str) -> Any:
    """Return a volume cut to the region along the axes it has."""
    if not isinstance(value, Volume):
        return value
    wanted = dict(zip(axes, region, strict=True))
    box = tuple(_cut(wanted.get(a, slice(None)), n) for a, n in zip(value.axes, value.shape, strict=True))
    unknown = any(n != n for n in value.data.shape)
    data = _crop_blocks(value.data, box) if unknown else value.data[box]
    sizes = [0 if n != n else s.stop - s.start for s, n in zip(box, value.data.shape, strict=True)]
    return replace(value, data=data, geometry=value.geometry.crop([s.start for s in box], sizes))


def _crop_blocks(array: da.Array, box: Region) -> da.Array:
    """Return a box of an array that has axes of unknown length, taken whole; dask itself refuses to cut it."""
    taken: list[list[tuple[int, slice, int | float]]] = []
    for wanted, sizes in zip(box, array.chunks, strict=True):
        if sizes[0] != sizes[0]:
            taken.append([(i, slice(None), n) for i, n in enumerate(sizes)])
        else:
            parts = parts_of((wanted,), bounds_of([sizes]))
            taken.append([(p.index[0], p.inside[0], p.inside[0].stop - p.inside[0].start) for p in parts])
    blocks = array.blocks[tuple(slice(t[0][0], t[-1][0] + 1) for t in taken)]
    inside = [[part[1] for part in t] for t in taken]
    chunks = tuple(tuple(part[2] for part in t) for t in taken)
    return blocks.map_blocks(_cut_block, inside, chunks=chunks, dtype=array.dtype, meta=np.empty((0,) * array.ndim, array.dtype))


def _cut_block(block: Any, inside: Any, block_id: tuple[int, ...]) -> Any:
    return block[tuple(slices[i] for slices, i in zip(inside, block_id, strict=True))]


def _crop_output(value: Any, region: Region, bound: Bound) -> Any:
    if not isinstance(value, Volume) or bound.technique.grid is not None:
        return value
    return _crop_like(value, region, bound.first.axes)


def _cut(part: slice, length: int) -> slice:
    start, stop, _ = part.indices(length)
    return slice(start, max(stop, start + 1))


def _flat_over(technique: Technique, cropped: Volume, over: str | None) -> str | None:
    """Return the axes to work over on a crop: a crop one pixel thin is a plane where the technique allows it."""
    thick = "".join(a for a in "zyx" if a in cropped.axes and cropped.geometry.length(a) > 1)
    if over is None and len(thick) == 2 and 2 in technique.spatial and technique.over is None:
        return thick
    return over
