"""Lower `MergeLabels`: label blocks alone, join them across faces, look the final ids up."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from itertools import product
from typing import Any

import numpy as np
from dask._task_spec import DataNode, GraphNode, List, Task, TaskRef
from dask.highlevelgraph import Layer, MaterializedLayer

from napari_lightbox.contract import MergeLabels
from napari_lightbox.engine.bind import Bound
from napari_lightbox.engine.blocking import Blocking, choose_blocks
from napari_lightbox.engine.boxes import box_of
from napari_lightbox.engine.gather import Gather, gather_blocks, make_gather
from napari_lightbox.engine.kernel import Index, Kernel, Place
from napari_lightbox.engine.layers import OnDemandLayer
from napari_lightbox.engine.lower_region import extend_graph, token_of
from napari_lightbox.engine.make_kernel import make_kernel
from napari_lightbox.engine.merge import merge, summarise
from napari_lightbox.engine.remembered import cache
from napari_lightbox.engine.results import LazyBundle
from napari_lightbox.errors import ContractError
from napari_lightbox.settings import settings


class LabelsLayer(OnDemandLayer):
    """Blocks of final labels.

    Block labels are kept between the two sweeps while they fit into a quarter of the memory budget, else they are
    computed again, so that memory does not grow with the volume.
    """

    def __init__(self, name: str, kernel: Kernel, gather: Gather, blocking: Blocking, keep: bool) -> None:
        super().__init__(name, blocking.counts)
        self.kernel = kernel
        self.gather = gather
        self.blocking = blocking
        self.keep = keep

    def make(self, index: Index) -> dict[Any, GraphNode]:
        """Return the tasks behind one block: its whole element, unless the join is remembered."""
        return self._tasks(index[: self.kernel.mapped], [index[self.kernel.mapped :]])

    def cull(self, keys: set[Any], all_hlg_keys: Collection[Any]) -> tuple[Layer, Mapping[Any, set[Any]]]:
        """Return the tasks of the requested keys, building each element once."""
        wanted: dict[Index, list[Index]] = {}
        for key in keys:
            if key in self:
                wanted.setdefault(key[1 : 1 + self.kernel.mapped], []).append(key[1 + self.kernel.mapped :])
        tasks: dict[Any, GraphNode] = {}
        for mapped, blocks in wanted.items():
            tasks.update(self._tasks(mapped, blocks))
        return MaterializedLayer(tasks), {key: set(task.dependencies) for key, task in tasks.items()}

    def joins(self) -> dict[Any, Any]:
        """Return the joins that are not remembered, one per element, each with the key of a block that needs it."""
        elements = product(*map(range, self.blocks[: self.kernel.mapped]))
        first = (0,) * self.kernel.over
        joins = {(f"{self.name}-join", *m): (self.name, *m, *first) for m in elements}
        return {join: key for join, key in joins.items() if not cache.get(join)[0]}

    def _tasks(self, mapped: Index, wanted: list[Index]) -> dict[Any, GraphNode]:
        tasks: dict[Any, GraphNode] = {}
        join = (f"{self.name}-join", *mapped)
        known, tables = cache.get(join)
        if not known:
            blocks = list(product(*[range(len(e) - 1) for e in self.blocking.over]))
            references = [self._summary(tasks, mapped, block) for block in blocks]
            tasks[join] = Task(join, _join, self.kernel, self.blocking.over, blocks, List(*references), join)
        for block in wanted:
            key, ids = (self.name, *mapped, *block), (f"{self.name}-ids", *mapped, *block)
            # a block travels with its own ids, not with those of all blocks
            tasks[ids] = DataNode(ids, _own(tables, block)) if known else Task(ids, _own, TaskRef(join), block)
            tasks[key] = Task(key, _final, *self._local(tasks, mapped, block), TaskRef(ids))
        return tasks

    def _summary(self, tasks: dict[Any, GraphNode], mapped: Index, block: Index) -> TaskRef:
        key = (f"{self.name}-summary", *mapped, *block)
        tasks[key] = Task(key, _summary, *self._local(tasks, mapped, block))
        return TaskRef(key)

    def _local(self, tasks: dict[Any, GraphNode], mapped: Index, block: Index) -> tuple[Any, ...]:
        m, o = box_of(self.blocking.mapped, mapped), box_of(self.blocking.over, block)
        place = Place(tuple(s.start for s in m), o, o)
        assemblies, pieces = self.gather.tasks(m, o)
        if not self.keep:
            return self.kernel, place, assemblies, pieces, None
        key = (f"{self.name}-local", *mapped, *block)
        if key not in tasks:
            tasks[key] = Task(key, _label, self.kernel, place, assemblies, pieces)
        return self.kernel, place, assemblies, pieces, TaskRef(key)


def lower_labels(bound: Bound) -> LazyBundle:
    """Return the lazy labels of a technique that labels blocks.

    Raises
    ------
    ContractError
        The technique declares more than its labels.
    """
    if len(bound.technique.outputs) != 1:
        raise ContractError(
            bound.technique.id, "merges labels but has further outputs", "Measure the labels with a technique of its own"
        )
    kernel, gather, blocking = make_kernel(bound), make_gather(bound), choose_blocks(bound)
    name = f"{bound.technique.id}-{token_of(bound, gather, 'view')}"
    room = settings().memory_budget / 4
    keep = 4 * float(np.prod(bound.shape)) <= room
    layer = LabelsLayer(name, kernel, gather, blocking, keep)
    sources = {array.name for array in gather.arrays}
    return LazyBundle(bound, kernel, blocking, name, extend_graph(gather.arrays, {name: layer}, {name: sources}))


def _label(kernel: Kernel, place: Place, assemblies: Any, pieces: Any) -> Any:
    blocks = gather_blocks(assemblies, pieces)
    blocks.pop("mask:engine", None)
    return kernel({**kernel.extras, **blocks}, place)[0]


def _summary(kernel: Kernel, place: Place, assemblies: Any, pieces: Any, labels: Any) -> Any:
    labels = _label(kernel, place, assemblies, pieces) if labels is None else labels
    values = gather_blocks(assemblies, pieces)[kernel.aligned[0]]
    start = tuple(s.start for s in place.taken)
    return [summarise(labels[i], values[i], start, kernel.whole) for i in np.ndindex(*labels.shape[: kernel.mapped])]


def _join(kernel: Kernel, bounds: Any, blocks: Any, summaries: Any, key: Any) -> Any:
    locality = kernel.technique.locality
    assert isinstance(locality, MergeLabels)
    connectivity = locality.connectivity(kernel.parameters, kernel.over)
    elements = [merge(dict(zip(blocks, element, strict=True)), bounds, connectivity) for element in zip(*summaries, strict=True)]
    cache.put(key, elements)
    return elements


def _own(tables: Any, block: Index) -> list[Any]:
    return [table[block] for table in tables]


def _final(kernel: Kernel, place: Place, assemblies: Any, pieces: Any, labels: Any, ids: Any) -> Any:
    from napari_lightbox.engine.merge_compiled import relabel

    labels = _label(kernel, place, assemblies, pieces) if labels is None else labels
    done = [
        relabel(np.ascontiguousarray(labels[i]), own)
        for i, own in zip(np.ndindex(*labels.shape[: kernel.mapped]), ids, strict=True)
    ]
    result = np.stack(done).reshape(labels.shape)
    restriction = gather_blocks(assemblies, pieces).get("mask:engine")
    return result if restriction is None else np.where(restriction != 0, result, np.int32(0))
