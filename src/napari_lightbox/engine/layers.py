"""Graph layers that make only the tasks somebody asks for.

A layer of 100,000 chunks costs nothing until one of its keys is requested: `cull` builds the tasks for those
keys alone, so the price of a slice does not depend on the length of the stack.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import product
from typing import Any

from dask._task_spec import DataNode, GraphNode, List, Task, TaskRef
from dask.highlevelgraph import Layer, MaterializedLayer

from napari_lightbox.engine.remembered import memo

Key = tuple[Any, ...]


class OnDemandLayer(Layer):  # type: ignore[misc]
    """A layer whose keys are a grid of block indices and whose tasks are made when culled."""

    has_legacy_tasks = False

    def __init__(self, name: str, blocks: tuple[int, ...]) -> None:
        super().__init__()
        self.name = name
        self.blocks = blocks

    @abstractmethod
    def make(self, index: tuple[int, ...]) -> dict[Any, GraphNode]:
        """Return the task of one block and any private tasks it needs."""

    def __getitem__(self, key: Key) -> GraphNode:
        return self.make(tuple(key[1:]))[key]

    def __iter__(self) -> Iterator[Key]:
        return ((self.name, *index) for index in product(*map(range, self.blocks)))

    def __len__(self) -> int:
        total = 1
        for n in self.blocks:
            total *= n
        return total

    def __contains__(self, key: object) -> bool:
        if not (isinstance(key, tuple) and len(key) == len(self.blocks) + 1 and key[0] == self.name):
            return False
        return all(isinstance(i, int) and 0 <= i < n for i, n in zip(key[1:], self.blocks, strict=True))

    def is_materialized(self) -> bool:
        """Return False: tasks do not exist before they are asked for."""
        return False

    def get_output_keys(self) -> set[Key]:
        """Return all keys (asked for only by whole-graph tools)."""
        return set(self)

    def cull(self, keys: set[Any], all_hlg_keys: Collection[Any]) -> tuple[Layer, Mapping[Any, set[Any]]]:
        """Return the tasks of the requested keys and what they depend on."""
        tasks: dict[Any, GraphNode] = {}
        for key in keys:
            if key in self:
                tasks.update(self.make(tuple(key[1:])))
        dependencies = {key: set(task.dependencies) for key, task in tasks.items()}
        return MaterializedLayer(tasks), dependencies


class SelectLayer(OnDemandLayer):
    """One output of a layer whose blocks are tuples of outputs.

    `keep` holds the positions of the bundle's indices inside this layer's index.
    """

    def __init__(self, name: str, blocks: tuple[int, ...], bundle: str, keep: tuple[int, ...], position: int) -> None:
        super().__init__(name, blocks)
        self.bundle = bundle
        self.keep = keep
        self.position = position

    def make(self, index: tuple[int, ...]) -> dict[Any, GraphNode]:
        """Return the task that takes one output out of its bundle."""
        key = (self.name, *index)
        source = TaskRef((self.bundle, *(index[i] for i in self.keep)))
        return {key: Task(key, _take, source, self.position)}


class ValuesLayer(OnDemandLayer):
    """One key: the values of all mapped elements, from the first block of each along the kernel's axes.

    Each block's value is picked by a task of its own, so that no more blocks than running tasks are in memory; values that a
    run over the arrays left behind are taken from the memo instead.
    """

    def __init__(self, name: str, bundle: str, elements: tuple[int, ...], over: int, position: int) -> None:
        super().__init__(name, (1,))
        self.bundle = bundle
        self.elements = elements
        self.over = over
        self.position = position

    def make(self, index: tuple[int, ...]) -> dict[Any, GraphNode]:
        """Return the task that joins the values of all elements."""
        key = (self.name, *index)
        zeros = (0,) * self.over
        tasks: dict[Any, GraphNode] = {}
        for element in product(*map(range, self.elements)):
            pick = (f"{self.name}-pick", *element)
            known, values = memo.get((self.bundle, *element))
            tasks[pick] = (
                DataNode(pick, values[self.position])
                if known
                else Task(pick, _take, TaskRef((self.bundle, *element, *zeros)), self.position)
            )
        tasks[key] = Task(key, _join, List(*map(TaskRef, tasks)))
        return tasks


def _join(picked: Sequence[list[Any]]) -> list[Any]:
    return [pair for values in picked for pair in values]


def _take(bundle: tuple[Any, ...], position: int) -> Any:
    return bundle[position]
