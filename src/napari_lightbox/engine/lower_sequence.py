"""Lower `Sequence`: a chain along t per spatial tile, entered at the nearest remembered state."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from dask._task_spec import DataNode, GraphNode, Task, TaskRef
from dask.highlevelgraph import Layer, MaterializedLayer

from napari_lightbox.contract import Sequence as SequenceLocality
from napari_lightbox.engine.bind import Bound
from napari_lightbox.engine.blocking import Blocking, HaloSource, source_chunks
from napari_lightbox.engine.boxes import bounds_of, box_of
from napari_lightbox.engine.checkpoints import checkpoints
from napari_lightbox.engine.gather import Gather, gather_blocks, make_gather
from napari_lightbox.engine.kernel import Index, Kernel, Place
from napari_lightbox.engine.layers import OnDemandLayer
from napari_lightbox.engine.lower_region import extend_graph, token_of
from napari_lightbox.engine.make_kernel import make_kernel
from napari_lightbox.engine.results import LazyBundle
from napari_lightbox.engine.sequence import run_frames


class SequenceLayer(OnDemandLayer):
    """Blocks of (outputs...) along a chain of states."""

    def __init__(self, name: str, kernel: Kernel, gather: Gather, blocking: Blocking, time: int) -> None:
        super().__init__(name, (*blocking.counts, *((1,) if _coloured(kernel) else ())))
        self.kernel = kernel
        self.gather = gather
        self.blocking = blocking
        self.time = time

    def make(self, index: Index) -> dict[Any, GraphNode]:
        """Return the tasks from the nearest checkpoint up to one block."""
        tasks: dict[Any, GraphNode] = {}
        self._chain(tasks, index)
        return tasks

    def cull(self, keys: set[Any], all_hlg_keys: Collection[Any]) -> tuple[Layer, Mapping[Any, set[Any]]]:
        """Return the tasks of the requested keys; chains share their links."""
        tasks: dict[Any, GraphNode] = {}
        for key in sorted((k for k in keys if k in self), key=lambda k: k[1 + self.time]):
            self._chain(tasks, key[1:])
        return MaterializedLayer(tasks), {key: set(task.dependencies) for key, task in tasks.items()}

    def _chain(self, tasks: dict[Any, GraphNode], index: Index) -> None:
        key = (self.name, *index)
        link = self._link(index)
        last = index[self.time]
        first = last
        while first > 0 and self._link(self._at(index, first)) not in tasks:
            if checkpoints.holds(self._link(self._at(index, first - 1))):
                break
            first -= 1
        for number in range(first, last + 1):
            self._run(tasks, self._at(index, number))
        tasks[key] = Task(key, _outputs, TaskRef(link), self.kernel.direct)

    def _run(self, tasks: dict[Any, GraphNode], index: Index) -> None:
        link = self._link(index)
        if link in tasks:
            return
        previous = None
        if index[self.time] > 0:
            before = self._link(self._at(index, index[self.time] - 1))
            if before not in tasks:
                tasks[before] = DataNode(before, (checkpoints.get(before), None))
            previous = TaskRef(before)
        n = self.kernel.mapped
        mapped, over = box_of(self.blocking.mapped, index[:n]), box_of(self.blocking.over, index[n : n + self.kernel.over])
        assemblies, pieces = self.gather.tasks(mapped, over)
        place = Place(tuple(s.start for s in mapped), over, over)
        tasks[link] = Task(link, _advance, self.kernel, place, assemblies, pieces, self.time, previous, link)

    def _at(self, index: Index, number: int) -> Index:
        return (*index[: self.time], number, *index[self.time + 1 :])

    def _link(self, index: Index) -> Any:
        return (f"{self.name}-state", *index)


def _coloured(kernel: Kernel) -> bool:
    plan = kernel.plans[0]
    return kernel.direct and plan is not None and plan.axes.endswith("c")


def lower_sequence(bound: Bound) -> LazyBundle:
    """Return the lazy outputs of a technique whose state runs along t."""
    locality = bound.technique.locality
    assert isinstance(locality, SequenceLocality)
    kernel, gather = make_kernel(bound), make_gather(bound)
    chunks = source_chunks(bound)
    shape = bound.shape
    over = bounds_of([chunks[a] for a in bound.over]) if locality.tiled else tuple((0, n) for n in shape)
    blocking = Blocking(bounds_of([chunks[a] for a in bound.mapped]), over, HaloSource((0,) * len(shape), shape))
    name = f"{bound.technique.id}-{token_of(bound, gather, 'view')}"
    layer = SequenceLayer(name, kernel, gather, blocking, bound.mapped.index("t"))
    sources = {array.name for array in gather.arrays}
    return LazyBundle(bound, kernel, blocking, name, extend_graph(gather.arrays, {name: layer}, {name: sources}))


def _advance(kernel: Kernel, place: Place, assemblies: Any, pieces: Any, time: int, previous: Any, link: Any) -> Any:
    blocks = gather_blocks(assemblies, pieces)
    restriction = blocks.pop("mask:engine", None)
    states = previous[0] if previous is not None else None
    after, outputs = run_frames(kernel, {**kernel.extras, **blocks}, time, place, states, restriction)
    checkpoints.put(link, after)
    return after, outputs


def _outputs(advanced: Any, direct: bool) -> Any:
    return advanced[1][0] if direct else advanced[1]
