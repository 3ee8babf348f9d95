"""Statistics as a graph: one tree reduction per group, remembered once computed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import reduce
from itertools import product
from typing import Any, TypeAlias

from dask._task_spec import DataNode, GraphNode, List, Task, TaskRef

from napari_lightbox.contract import Pass
from napari_lightbox.engine.boxes import Bounds, Box, box_of
from napari_lightbox.engine.gather import Gather, gather_blocks
from napari_lightbox.engine.kernel import Index, Kernel, Place
from napari_lightbox.engine.layers import OnDemandLayer
from napari_lightbox.engine.occupied import occupied
from napari_lightbox.engine.remembered import cache
from napari_lightbox.engine.statistics import block_state, is_left_out, locality_of, passes_of

FAN_IN = 16

Around: TypeAlias = Callable[[Box], Box]


class StatisticLayer(OnDemandLayer):
    """One key per group: the finished statistic.

    While a statistic is not in the cache its key stands for a reduction over all blocks of the group; afterwards
    for the value itself, so that the next slice costs nothing. A pass that follows one input alone skips the blocks where it
    is zero: that input is looked through first, when the tasks are made.
    """

    def __init__(self, name: str, kernel: Kernel, gather: Gather, mapped: Bounds, over: Bounds, source: Around) -> None:
        groups = tuple(mapped[a][-1] for a in kernel.group)
        super().__init__(name, groups)
        self.kernel = kernel
        self.gather = gather
        self.mapped = mapped
        self.over = over
        self.source = source

    def make(self, index: Index) -> dict[Any, GraphNode]:
        """Return the reduction of one group, or its remembered value."""
        key = (self.name, *index)
        known, value = cache.get(key)
        if known:
            return {key: DataNode(key, value)}
        tasks: dict[Any, GraphNode] = {}
        previous: Any = None
        for number, stage in enumerate(passes_of(self.kernel)):
            filled = None if stage.only is None else occupied(stage.only, self.gather)
            boxes = [box for box in self._boxes(index) if filled is None or filled.reaches(*box)]
            states = [self._block_task(tasks, index, number, stage, previous, m, o, i) for i, (m, o) in enumerate(boxes)]
            previous = self._reduce(tasks, index, number, stage, states) if states else None
        tasks[key] = Task(key, _finish, self.kernel, key, TaskRef(previous) if previous is not None else None)
        return tasks

    def remembered(self, key: Any) -> bool:
        """Tell whether the statistic behind a key is in the cache."""
        return cache.get(key)[0]

    def _boxes(self, group: Index) -> Iterator[tuple[Box, Box]]:
        fixed = dict(zip(self.kernel.group, group, strict=True))
        edges = [((fixed[a], fixed[a] + 1) if a in fixed else e) for a, e in enumerate(self.mapped)]
        free = [range(1) if a in fixed else range(len(e) - 1) for a, e in enumerate(self.mapped)]
        for m in product(*free):
            mapped = tuple(slice(e[i], e[i + 1]) for e, i in zip(edges, m, strict=True))
            for o in product(*[range(len(e) - 1) for e in self.over]):
                yield mapped, box_of(self.over, o)

    def _block_task(
        self, tasks: dict[Any, GraphNode], group: Index, number: int, stage: Pass, previous: Any, mapped: Box, over: Box, i: int
    ) -> Any:
        key = (f"{self.name}-state", *group, number, 0, i)
        taken = self.source(over) if stage.around else over
        assemblies, references = self.gather.tasks(mapped, taken)
        place = Place(tuple(s.start for s in mapped), taken, over)
        before = TaskRef(previous) if previous is not None else None
        tasks[key] = Task(key, _state, self.kernel, number, place, assemblies, references, before)
        return key

    def _reduce(self, tasks: dict[Any, GraphNode], group: Index, number: int, stage: Pass, keys: list[Any]) -> Any:
        level = 1
        while len(keys) > 1:
            merged = []
            for i in range(0, len(keys), FAN_IN):
                key = (f"{self.name}-state", *group, number, level, i // FAN_IN)
                tasks[key] = Task(key, _combine, self.kernel, number, List(*[TaskRef(k) for k in keys[i : i + FAN_IN]]))
                merged.append(key)
            keys, level = merged, level + 1
        return keys[0]


def _state(kernel: Kernel, number: int, place: Place, assemblies: Any, pieces: Any, previous: Any) -> Any:
    blocks = gather_blocks(assemblies, pieces)
    stage = passes_of(kernel)[number]
    shape = blocks[kernel.aligned[0]].shape[: kernel.mapped]
    wanted = [index for index in product(*map(range, shape)) if not is_left_out(kernel, stage, blocks, index)]
    states = [block_state(kernel, stage, blocks, index, place, previous) for index in wanted]
    return reduce(stage.combine, states) if states else None


def _combine(kernel: Kernel, number: int, states: Any) -> Any:
    found = [state for state in states if state is not None]
    return reduce(passes_of(kernel)[number].combine, found) if found else None


def _finish(kernel: Kernel, key: Any, state: Any) -> Any:
    value = locality_of(kernel).finish(state, kernel.settings)
    cache.put(key, value)
    return value
