"""Collect from chunked inputs exactly the pixels that one block needs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import dask.array as da
import numpy as np
from dask._task_spec import List, TaskRef

from napari_lightbox.axes.order import CHANNEL
from napari_lightbox.engine.bind import Bound
from napari_lightbox.engine.boxes import Bounds, Box, assemble, bounds_of, parts_of, shape_of
from napari_lightbox.engine.inputs import Source, transpose
from napari_lightbox.errors import InputError


@dataclass(frozen=True)
class Input:
    """A chunked input in canonical axis order; `whole` inputs are always taken completely."""

    label: str
    array: Any
    axes: str
    bounds: Bounds
    whole: bool = False


@dataclass(frozen=True)
class Assembly:
    """How the pieces of one input go together (pickles with the task)."""

    label: str
    count: int
    parts: tuple[tuple[Box, Box], ...]
    shape: tuple[int, ...]
    absent: tuple[int, ...]


@dataclass(frozen=True)
class Gather:
    """All chunked inputs of a run."""

    inputs: tuple[Input, ...]
    mapped: str
    over: str

    def tasks(self, mapped: Box, over: Box) -> tuple[tuple[Assembly, ...], List]:
        """Return assemblies and task references for the block `mapped` x `over` (input coordinates)."""
        wanted = dict(zip(self.mapped + self.over, (*mapped, *over), strict=True))
        assemblies: list[Assembly] = []
        references: list[TaskRef] = []
        for source in self.inputs:
            full = {a: slice(0, edges[-1]) for a, edges in zip(source.axes, source.bounds, strict=True)}
            box = tuple(full[a] if source.whole or a not in wanted else wanted[a] for a in source.axes)
            parts = list(parts_of(box, source.bounds))
            absent = () if source.whole else tuple(i for i, a in enumerate(self.mapped) if a not in source.axes)
            assemblies.append(
                Assembly(source.label, len(parts), tuple((p.inside, p.target) for p in parts), shape_of(box), absent)
            )
            references.extend(TaskRef((source.array.name, *p.index)) for p in parts)
        return tuple(assemblies), List(*references)

    @property
    def arrays(self) -> list[Any]:
        """The dask arrays that tasks refer to."""
        return [source.array for source in self.inputs]


def gather_blocks(assemblies: Sequence[Assembly], pieces: Sequence[Any]) -> dict[str, Any]:
    """Put the pieces of every input together; axes an input lacks come back with length one."""
    blocks: dict[str, Any] = {}
    start = 0
    for assembly in assemblies:
        own = pieces[start : start + assembly.count]
        start += assembly.count
        block = assemble(own, assembly.parts, assembly.shape)
        blocks[assembly.label] = np.expand_dims(block, assembly.absent) if assembly.absent else block
    return blocks


def make_gather(bound: Bound) -> Gather:
    """Return the gather over all array inputs of a bound technique; NumPy inputs become one chunk."""
    aligned = [_aligned(bound, source) for source in bound.arrays if source is not None]
    if bound.mask is not None:
        aligned.append(_aligned(bound, bound.mask))
    free = [_chunked(name, source.data, source.axes, whole=True) for name, source in bound.references.items()]
    return Gather((*aligned, *free), bound.mapped, bound.over)


def _aligned(bound: Bound, source: Source) -> Input:
    order = "".join(a for a in bound.mapped if a in source.axes) + bound.over
    if bound.colour and CHANNEL in source.axes:
        order += CHANNEL
    label = "mask:engine" if source is bound.mask else source.name
    return _chunked(label, transpose(source.data, source.axes, order), order)


def _chunked(label: str, data: Any, axes: str, *, whole: bool = False) -> Input:
    array = data if isinstance(data, da.Array) else da.from_array(np.ascontiguousarray(data), chunks=-1)
    if any(n != n for n in array.shape):
        raise InputError(label, "has chunks of unknown size", "Call compute_chunk_sizes() on it first")
    return Input(label, array, axes, bounds_of(array.chunks), whole)
