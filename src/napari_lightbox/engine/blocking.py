"""Decide the blocks of a lazy run: which output chunks there are and which input box each needs."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any, Literal

import dask.array as da

from napari_lightbox.axes import Geometry
from napari_lightbox.contract import GlobalThenPointwise, Grid, Halo, MergeLabels, Plane, Pointwise
from napari_lightbox.contract.locality import radius_of
from napari_lightbox.engine.bind import Bound
from napari_lightbox.engine.boxes import Bounds, Box, bounds_of, grown
from napari_lightbox.engine.inputs import Source
from napari_lightbox.errors import ParameterError

Granularity = Literal["view", "full"]
TARGET = 32_000_000


@dataclass(frozen=True)
class Blocking:
    """Edges of the output blocks along mapped and kernel axes, and the rule from output box to input box."""

    mapped: Bounds
    over: Bounds
    source: Any

    @property
    def counts(self) -> tuple[int, ...]:
        """Number of blocks along each axis."""
        return tuple(len(edges) - 1 for edges in (*self.mapped, *self.over))


def choose_blocks(bound: Bound, granularity: Granularity = "view") -> Blocking:
    """Return the blocking of a run.

    ``"view"`` keeps the input's chunks, so that one visible slice costs one chunk; ``"full"`` joins chunks that are
    thin against the halo, so that a run over everything does not compute borders many times.
    """
    chunks = source_chunks(bound)
    mapped = bounds_of([chunks[a] for a in bound.mapped])
    over = bounds_of([chunks[a] for a in bound.over])
    shape = bound.shape
    whole = tuple((0, n) for n in shape)
    locality = bound.technique.locality
    if bound.technique.grid is not None:
        return _grid_blocks(bound, bound.technique.grid, mapped, over)
    if radius_of(locality) is not None:
        radius = check_radius(bound, locality)
        if granularity == "full":
            over = _joined(bound, over, radius)
        return Blocking(mapped, over, HaloSource(radius, shape))
    if isinstance(locality, (Pointwise, GlobalThenPointwise, MergeLabels)):
        return Blocking(mapped, over, HaloSource((0,) * len(shape), shape))
    if isinstance(locality, Plane) and len(shape) == 2:
        return Blocking(mapped, whole, HaloSource((0, 0), shape))
    return Blocking(mapped, whole, HaloSource((0,) * len(shape), shape))


def check_radius(bound: Bound, locality: Any) -> tuple[int, ...]:
    """Return the declared radius as one whole number per axis, 0 where none is declared."""
    declared = radius_of(locality)
    radius = 0 if declared is None else declared(bound.grid_parameters, bound.extent)
    values = (radius,) * len(bound.over) if isinstance(radius, int) else tuple(int(r) for r in radius)
    if len(values) != len(bound.over) or min(values) < 0:
        raise ParameterError(bound.technique.id, f"declares radius {radius}", f"It must be one number per axis of {bound.over!r}")
    return values


@dataclass(frozen=True)
class HaloSource:
    """Input box of an output box: grown by a radius, cut at the border."""

    radius: tuple[int, ...]
    shape: tuple[int, ...]

    def __call__(self, box: Box) -> Box:
        """Return the input box."""
        return grown(box, self.radius, self.shape)


@dataclass(frozen=True)
class GridSource:
    """Input box of an output box on another grid."""

    grid: Grid
    taken: Geometry
    given: Geometry
    parameters: Any

    def __call__(self, box: Box) -> Box:
        """Return the input box."""
        if self.grid.source is None:
            return tuple(slice(0, n) for n in self.taken.shape)
        return self.grid.source(box, self.taken, self.given, self.parameters)


def _grid_blocks(bound: Bound, grid: Grid, mapped: Bounds, over: Bounds) -> Blocking:
    out = bound.grid
    if grid.source is None or not isinstance(bound.technique.locality, (Pointwise, Halo)):
        edges: Bounds = tuple((0, n) for n in out.shape)
    else:
        largest = [max(b - a for a, b in zip(e, e[1:], strict=False)) for e in over]
        edges = tuple((*range(0, n, size), n) for n, size in zip(out.shape, largest, strict=True))
    return Blocking(mapped, edges, GridSource(grid, bound.geometry, out, bound.grid_parameters))


def source_chunks(bound: Bound) -> dict[str, tuple[int, ...]]:
    """Return the chunk sizes per axis: those of the first lazy input, whole axes where no input is lazy."""
    lazy = next((s for s in bound.arrays if s is not None and isinstance(s.data, da.Array)), None)
    chunks: dict[str, tuple[int, ...]] = {a: (n,) for a, n in zip(bound.first.axes, bound.first.data.shape, strict=True)}
    if isinstance(lazy, Source):
        chunks |= dict(zip(lazy.axes, lazy.data.chunks, strict=True))
    return chunks


def _joined(bound: Bound, over: Bounds, radius: tuple[int, ...]) -> Bounds:
    """Join neighbouring chunks until a block is four radii thick, as long as it stays below `TARGET` bytes."""
    largest = [max(b - a for a, b in zip(edges, edges[1:], strict=False)) for edges in over]
    room = TARGET / (bound.first.data.dtype.itemsize * prod(largest))
    result = []
    for edges, size, r in zip(over, largest, radius, strict=True):
        times = max(1, min(int(room), -(-4 * r // size)))
        room /= times
        result.append((*edges[:-1:times], edges[-1]))
    return tuple(result)
