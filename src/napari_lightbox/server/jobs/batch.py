"""Units of work that are computed together, as one graph that ends on the disk."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from dask._task_spec import DataNode, GraphNode, List, Task, TaskRef

from napari_lightbox.engine.cut import tasks_of
from napari_lightbox.engine.lower_labels import LabelsLayer
from napari_lightbox.engine.lower_sequence import SequenceLayer
from napari_lightbox.engine.prepare import MOST_GROUPS
from napari_lightbox.engine.remembered import cache
from napari_lightbox.engine.statistic_layer import StatisticLayer
from napari_lightbox.server.jobs.chains import Chains
from napari_lightbox.server.jobs.layout import Group
from napari_lightbox.server.jobs.tasks import keep_state, write_unit
from napari_lightbox.server.jobs.values import Values


@dataclass
class Batch:
    """A graph, the keys to compute, and what to do with each value afterwards."""

    graph: dict[Any, GraphNode] = field(default_factory=dict)
    then: dict[Any, Callable[[Any], None]] = field(default_factory=dict)

    def finish(self, values: Sequence[Any]) -> None:
        """Do what is to be done with the values of the keys."""
        for action, value in zip(self.then.values(), values, strict=True):
            action(value)


class Writer:
    """Makes the batches of one group of outputs.

    Parameters
    ----------
    job_id
        Names its tasks.
    group
        The outputs.
    values
        What is to be noted along the way.
    chains
        The runs along t, for sequences.

    Attributes
    ----------
    shares
        Whether blocks share what is only found on the way: batches then follow each other, so that it is found once.
    """

    def __init__(self, job_id: str, group: Group, values: Values | None, chains: Chains | None) -> None:
        self._job_id = job_id
        self._group = group
        self._values = values
        self._chains = chains
        self._graph = group.graph if chains is None else chains.graph
        layers = self._graph.layers.values()
        self._shared = {layer.name for layer in layers if isinstance(layer, StatisticLayer)}
        self._shared |= {f"{layer.name}-join" for layer in layers if isinstance(layer, LabelsLayer)}
        self.shares = any(map(_is_shared_unknown, layers))

    def batch(self, numbers: Sequence[int]) -> Batch:
        """Return what writes some units."""
        units = {number: self._group.blocks(self._group.unit(number)) for number in numbers}
        keys = {number: [(sink.array.name, *block) for sink, block in blocks] for number, blocks in units.items()}
        batch = Batch(tasks_of(self._graph, {key for wanted in keys.values() for key in wanted}))
        batch.then |= {key: partial(cache.put, key) for key, task in batch.graph.items() if self._is_shared(key, task)}
        for number, blocks in units.items():
            notes = self._notes(keys[number], batch)
            key = (f"write-{self._job_id}", number)
            targets = [(sink.target, sink.first_of(block)) for sink, block in blocks]
            references = List(*map(TaskRef, keys[number]))
            batch.graph[key] = Task(key, write_unit, targets, references, List(*map(TaskRef, notes)))
            batch.then[key] = _nothing
        if self._chains is not None:
            self._keep_states(self._chains, [keys[n][0] for n in self._chains.last_of(numbers)], batch)
        return batch

    def _is_shared(self, key: Any, task: Any) -> bool:
        """Tell whether a key is worth remembering: other blocks need it, and it is not known yet."""
        return isinstance(key, tuple) and key[0] in self._shared and not isinstance(task, DataNode)

    def _notes(self, keys: Sequence[Any], batch: Batch) -> list[Any]:
        if self._values is None:
            return []
        noted: dict[Any, GraphNode] = {}
        for key in keys:
            noted |= self._values.tasks(key, batch.graph)
        batch.graph |= noted
        return list(noted)

    def _keep_states(self, chains: Chains, keys: Sequence[Any], batch: Batch) -> None:
        for key in keys:
            link = _under(batch.graph, key, chains.layer)
            index = tuple(link[1:])
            name = (f"state-{self._job_id}", *index)
            batch.graph[name] = Task(name, keep_state, chains.path(index), TaskRef(link))
            batch.then[name] = partial(_keep, chains, index)


def _under(graph: dict[Any, GraphNode], key: Any, layer: SequenceLayer) -> Any:
    """Return the link of a chain that a block is taken from."""
    work = [key]
    while work:
        here = work.pop()
        if isinstance(here, tuple) and here[0] == layer.name:
            return next(iter(graph[here].dependencies))
        work.extend(graph[here].dependencies)
    raise LookupError(key)


def _is_shared_unknown(layer: Any) -> bool:
    """Tell whether a layer holds what several blocks share and nobody has computed yet."""
    if isinstance(layer, StatisticLayer):
        return len(layer) > MOST_GROUPS
    return isinstance(layer, LabelsLayer) and bool(layer.joins())


def _keep(chains: Chains, index: tuple[int, ...], _: Any) -> None:
    chains.kept(index)


def _nothing(_: Any) -> None:
    pass
