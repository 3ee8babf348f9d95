"""Lower a technique whose output blocks each need one box of the input."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import Any

from dask._task_spec import DataNode, GraphNode, List, Task, TaskRef
from dask.base import tokenize
from dask.highlevelgraph import HighLevelGraph, MaterializedLayer

from napari_lightbox import __version__
from napari_lightbox.contract import GlobalThenPointwise
from napari_lightbox.engine.bind import Bound
from napari_lightbox.engine.blocking import Blocking, Granularity, choose_blocks
from napari_lightbox.engine.boxes import Box, box_of
from napari_lightbox.engine.gather import Gather, make_gather
from napari_lightbox.engine.kernel import Kernel, Place
from napari_lightbox.engine.layers import OnDemandLayer
from napari_lightbox.engine.make_kernel import make_kernel
from napari_lightbox.engine.results import LazyBundle
from napari_lightbox.engine.run_block import run_block, run_noted, run_single
from napari_lightbox.engine.statistic_layer import StatisticLayer


class RegionLayer(OnDemandLayer):
    """Output blocks, each computed from one gathered box of every input."""

    def __init__(
        self, name: str, kernel: Kernel, gather: Gather, blocking: Blocking, statistics: str | None, pad: tuple[int, ...]
    ) -> None:
        super().__init__(name, (*blocking.counts, *pad))
        self.kernel = kernel
        self.gather = gather
        self.blocking = blocking
        self.statistics = statistics
        self.run = run_single if kernel.direct else run_block
        roles = {spec.role.name for spec in kernel.technique.outputs if not spec.is_array}
        self.notes = bool(roles) and roles <= {"value", "table", "model"}

    def make(self, index: tuple[int, ...]) -> dict[Any, GraphNode]:
        """Return the task of one output block."""
        key = (self.name, *index)
        n = self.kernel.mapped
        mapped = box_of(self.blocking.mapped, index[:n])
        given = box_of(self.blocking.over, index[n : n + self.kernel.over])
        taken = self.blocking.source(given)
        assemblies, references = self.gather.tasks(mapped, taken)
        place = Place(tuple(s.start for s in mapped), taken, given)
        groups = self._groups(mapped)
        statistics = List(*[TaskRef((self.statistics, *g)) for g in groups]) if groups is not None else None
        if self.notes and not any(index[n:]):
            note = (self.name, *index[:n])
            return {key: Task(key, run_noted, self.kernel, place, assemblies, groups, references, statistics, note)}
        return {key: Task(key, self.run, self.kernel, place, assemblies, groups, references, statistics)}

    def _groups(self, mapped: Box) -> tuple[tuple[int, ...], ...] | None:
        if self.statistics is None:
            return None
        return tuple(product(*[range(mapped[a].start, mapped[a].stop) for a in self.kernel.group]))


def lower_region(bound: Bound, granularity: Granularity = "view") -> LazyBundle:
    """Return the lazy outputs of any locality except labels, sequences and collections."""
    kernel = make_kernel(bound)
    gather = make_gather(bound)
    blocking = choose_blocks(bound, granularity)
    name = f"{bound.technique.id}-{token_of(bound, gather, granularity)}"
    dependencies = list(gather.arrays)
    layers: dict[str, Any] = {}
    needs: dict[str, set[str]] = {}
    sources = {a.name for a in dependencies}
    statistics = None
    if isinstance(bound.technique.locality, GlobalThenPointwise):
        # granularity has no influence on a statistic: its name must not either, or the cache would miss
        statistics = f"{bound.technique.id}-statistic-{token_of(bound, gather, 'view')}"
        layers[statistics] = StatisticLayer(statistics, kernel, gather, blocking.mapped, blocking.over, blocking.source)
        needs[statistics] = sources
    layers[name] = RegionLayer(name, kernel, gather, blocking, statistics, pad_of(kernel))
    needs[name] = sources | ({statistics} if statistics else set())
    graph = extend_graph(dependencies, layers, needs)
    return LazyBundle(bound, kernel, blocking, name, graph, statistics)


def pad_of(kernel: Kernel) -> tuple[int, ...]:
    """Return the index of the colour axis in the keys of a lone output."""
    plan = kernel.plans[0]
    return (1,) if kernel.direct and plan is not None and plan.axes.endswith("c") else ()


def extend_graph(dependencies: list[Any], layers: dict[str, Any], needs: dict[str, set[str]]) -> HighLevelGraph:
    """Return the graphs of all dependencies joined with new layers."""
    all_layers: dict[str, Any] = dict(layers)
    all_needs: dict[str, set[str]] = dict(needs)
    for array in dependencies:
        graph = array.__dask_graph__()
        all_layers.update({name: modern(layer) for name, layer in graph.layers.items()})
        all_needs.update(graph.dependencies)
    return HighLevelGraph(all_layers, all_needs)


def modern(layer: Any) -> Any:
    """Return a layer that holds one plain object, as `dask.array.from_array` makes it, with that object as a data node.

    A single old-style entry makes dask list every key of the whole graph, which costs a second on a long stack.
    """
    if not isinstance(layer, MaterializedLayer) or len(layer) != 1 or not layer.has_legacy_tasks:
        return layer
    key, value = next(iter(layer.mapping.items()))
    if isinstance(value, (tuple, list, dict, str)):
        return layer
    return MaterializedLayer({key: DataNode(key, value)}, layer.annotations)


def _identity(value: Any) -> Any:
    """Return a value that changes when the file behind a path does."""
    if not isinstance(value, str):
        return value
    try:
        entry = Path(value).stat()
    except (OSError, ValueError):
        return value
    return value, entry.st_mtime_ns, entry.st_size


def token_of(bound: Bound, gather: Gather, granularity: str) -> str:
    """Return a name for the result that follows from its inputs: equal runs get equal names."""
    parts = [(i.label, i.array.name, i.axes) for i in gather.inputs]
    values = [_identity(v) for v in bound.values.values() if not hasattr(v, "is_lazy")]
    geometry = bound.geometry.to_json() if "where" in bound.technique.injected else bound.spacing
    return str(
        tokenize(
            __version__,
            bound.technique.id,
            dict(bound.parameters),
            parts,
            values,
            bound.over,
            geometry,
            bound.first.role,
            granularity,
        )
    )
