"""From computed or lazy blocks to what the caller gets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import nan
from typing import Any

import dask.array as da
import numpy as np
from dask.delayed import Delayed
from dask.highlevelgraph import HighLevelGraph

from napari_lightbox.axes import Volume
from napari_lightbox.contract import GlobalThenPointwise
from napari_lightbox.contract.signature import OutputSpec
from napari_lightbox.contract.values import Points, Shapes, Table, stack_tables
from napari_lightbox.engine.bind import Bound
from napari_lightbox.engine.blocking import Blocking
from napari_lightbox.engine.boxes import chunks_of
from napari_lightbox.engine.control import Control
from napari_lightbox.engine.inputs import transpose
from napari_lightbox.engine.kernel import Index, Kernel
from napari_lightbox.engine.layers import SelectLayer, ValuesLayer
from napari_lightbox.engine.outputs import ArrayPlan, result_axes, result_geometry
from napari_lightbox.engine.schedule import compute_all

Collected = list[tuple[Index, Any]]


@dataclass(frozen=True)
class LazyBundle:
    """The blocks of a lazy run, before they are split into outputs."""

    bound: Bound
    kernel: Kernel
    blocking: Blocking
    name: str
    graph: HighLevelGraph
    statistics: str | None = None

    def output(self, position: int) -> Any:
        """Return one declared output: a dask array in canonical axis order, or a Delayed list of values."""
        spec = self.bound.technique.outputs[position]
        if not spec.present(self.bound.parameters):
            return None
        plan = self.kernel.plans[position]
        return self._values(position) if plan is None else self._array(position, plan)

    def _array(self, position: int, plan: ArrayPlan) -> da.Array:
        n = self.kernel.mapped
        extra = 1 if plan.spec.extra_axis is not None else 0
        sizes = chunks_of((*self.blocking.mapped, *self.blocking.over))
        middle = [(nan if plan.lengths[n] is None else plan.lengths[n],)] if extra else []
        tail = [(length,) for length in plan.lengths[n + extra + self.kernel.over :]]
        chunks = (*sizes[:n], *middle, *sizes[n:], *tail)
        if self.kernel.direct:
            return da.Array(self.graph, self.name, chunks, dtype=plan.dtype, meta=np.empty((0,) * len(chunks), plan.dtype))
        name = f"{self.name}-{plan.spec.name}"
        keep = (*range(n), *range(n + extra, n + extra + self.kernel.over))
        layer = SelectLayer(name, tuple(len(c) for c in chunks), self.name, keep, position)
        graph = HighLevelGraph({**self.graph.layers, name: layer}, {**self.graph.dependencies, name: {self.name}})
        return da.Array(graph, name, chunks, dtype=plan.dtype, meta=np.empty((0,) * len(chunks), plan.dtype))

    def _values(self, position: int) -> Delayed:
        """Return the values of all mapped elements, from the first block along the kernel's axes."""
        name = f"{self.name}-values-{position}"
        counts = self.blocking.counts[: self.kernel.mapped]
        if isinstance(self.bound.technique.locality, GlobalThenPointwise):
            # all blocks of a group carry the same value: one of them is enough
            counts = tuple(n if a in self.kernel.group else 1 for a, n in enumerate(counts))
        layer = ValuesLayer(name, self.name, counts, self.kernel.over, position)
        graph = HighLevelGraph({**self.graph.layers, name: layer}, {**self.graph.dependencies, name: {self.name}})
        return Delayed((name, 0), graph, layer=name)


def with_lengths(output: Any, control: Control) -> Any:
    """Return an output with every length known: those that only the data can tell from its first block."""
    array = output.data if isinstance(output, Volume) else output
    if not isinstance(array, da.Array) or not any(n != n for n in array.shape):
        return output
    (corner,) = compute_all([array.blocks[(0,) * array.ndim]], control)
    chunks = tuple((n,) if sizes[0] != sizes[0] else sizes for sizes, n in zip(array.chunks, corner.shape, strict=True))
    known = da.Array(array.dask, array.name, chunks, dtype=array.dtype, meta=np.empty((0,) * array.ndim, array.dtype))
    return output.with_data(known) if isinstance(output, Volume) else known


def lazily(function: Callable[..., Any], value: Any, *arguments: Any) -> Any:
    """Apply a function now, or later when the value is a Delayed."""
    if isinstance(value, Delayed):
        from dask import delayed

        return delayed(function, pure=True)(value, *arguments)
    return function(value, *arguments)


def presented(kernel: Kernel, bound: Bound, raw: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return all outputs as the caller wants them."""
    return tuple(present(kernel, bound, spec, value) for spec, value in zip(bound.technique.outputs, raw, strict=True))


def present(kernel: Kernel, bound: Bound, spec: OutputSpec, raw: Any) -> Any:
    """Return one output as the caller wants it: axes as in the input, a Volume when Volumes came in."""
    plan = kernel.plans[bound.technique.outputs.index(spec)]
    if raw is None:
        return None
    if plan is None:
        return lazily(join_elements, raw, spec.role.name, Layout.of(kernel, bound))
    axes = result_axes(bound, plan)
    data = transpose(raw, plan.axes, axes)
    if bound.first.volume is None:
        return data
    labels = spec.role.name == "labels" or (spec.role.name == "image_or_labels" and bound.first.role == "labels")
    shape = tuple(0 if n != n else n for n in data.shape)
    return Volume(data, result_geometry(bound, axes, shape), role="labels" if labels else "image")


@dataclass(frozen=True)
class Layout:
    """Axes of a run as needed to join values: mapped, kernel, all, and those with statistics of their own."""

    mapped: str
    over: str
    axes: str
    group: tuple[int, ...] | None

    @classmethod
    def of(cls, kernel: Kernel, bound: Bound) -> Layout:
        """Read the layout of a run."""
        shared = isinstance(bound.technique.locality, GlobalThenPointwise)
        return cls(bound.mapped, bound.over, bound.first.axes, kernel.group if shared else None)


def join_elements(collected: Collected, role: str, layout: Layout) -> Any:
    """Join the values of all mapped elements into one."""
    mapped = layout.mapped
    if layout.group is not None and role in ("value", "table", "model"):
        grouped: dict[Index, Any] = {}
        for index, value in collected:
            grouped.setdefault(tuple(index[a] for a in layout.group) if len(index) == len(mapped) else index, value)
        collected, mapped = list(grouped.items()), "".join(mapped[a] for a in layout.group)
    pairs = [(index, value) for index, value in collected if value is not None]
    if not pairs:
        return None
    if not mapped:
        value = pairs[0][1]
        return float(value) if role == "value" and np.ndim(value) == 0 else value
    return _joined(pairs, role, mapped, layout)


def _joined(pairs: Collected, role: str, mapped: str, layout: Layout) -> Any:
    indices = [index for index, _ in pairs]
    values = [value for _, value in pairs]
    if role == "value":
        return _value_array(indices, values)
    if role == "table":
        return stack_tables(values, [dict(zip(mapped, index, strict=True)) for index in indices])
    order = [a for a in layout.axes if a in mapped + layout.over]
    if role == "points":
        placed = [_placed(v.data, i, mapped, layout.over, order) for i, v in pairs]
        return Points(np.concatenate(placed), _joined_features(values))
    if role == "shapes":
        data = [_placed(np.asarray(d), i, mapped, layout.over, order) for i, v in pairs for d in v.data]
        return Shapes(data, [k for v in values for k in v.kinds], _joined_features(values))
    return values[0] if len(values) == 1 else values


def _value_array(indices: list[Index], values: list[Any]) -> Any:
    shape = tuple(int(n) + 1 for n in np.max(indices, axis=0))
    array = np.full(shape, np.nan)
    for index, value in zip(indices, values, strict=True):
        array[index] = value
    return array


def _placed(points: Any, index: Index, mapped: str, over: str, order: list[str]) -> Any:
    columns = {a: np.full(len(points), float(i)) for a, i in zip(mapped, index, strict=True)}
    columns |= {a: np.asarray(points, float)[:, n] for n, a in enumerate(over)}
    return np.stack([columns[a] for a in order], axis=1)


def _joined_features(values: list[Any]) -> Table | None:
    tables = [v.features for v in values]
    if any(t is None for t in tables):
        return None
    return stack_tables(tables, [{} for _ in tables])
