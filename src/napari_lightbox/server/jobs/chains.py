"""Sequences: blocks along t depend on those before, so they are written in runs that go on from kept states."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from math import prod
from pathlib import Path
from typing import Any

from dask._task_spec import GraphNode, Task
from dask.highlevelgraph import HighLevelGraph, Layer, MaterializedLayer

from napari_lightbox.axes.order import TIME
from napari_lightbox.engine.lower_sequence import SequenceLayer
from napari_lightbox.server.jobs.layout import Group
from napari_lightbox.server.jobs.tasks import recall_state
from napari_lightbox.server.jobs.wishes import Index, Order

RUN, LONGEST = 16, 64
_PREFIX = "state-"


class KeptChains(SequenceLayer):
    """A sequence whose chains begin at states that were kept in files.

    `states` maps the index of a block to the file of the states after it.
    """

    def __init__(self, layer: SequenceLayer, states: Mapping[Index, Path]) -> None:
        super().__init__(layer.name, layer.kernel, layer.gather, layer.blocking, layer.time)
        self.states = states

    def cull(self, keys: set[Any], all_hlg_keys: Collection[Any]) -> tuple[Layer, Mapping[Any, set[Any]]]:
        """Return the tasks of the requested keys; chains share their links and begin at kept states."""
        wanted = sorted((key for key in keys if key in self), key=lambda key: key[1 + self.time])
        tiles = {self.tile(key[1:]) for key in wanted}
        tasks: dict[Any, GraphNode] = {}
        for index, path in self.states.items():
            # a state alone does not bring back the outputs beside it
            if self.tile(index) in tiles and (self.name, *index) not in keys:
                link = self._link(index)
                tasks[link] = Task(link, recall_state, path)
        for key in wanted:
            self._chain(tasks, key[1:])
        return MaterializedLayer(tasks), {key: set(task.dependencies) for key, task in tasks.items()}

    def tile(self, index: Index) -> Index:
        """Return the index of a block without its place in time."""
        return (*index[: self.time], *index[self.time + 1 :])


class Chains:
    """The runs of one group of outputs, and the states they go on from.

    Parameters
    ----------
    group
        The outputs.
    layer
        The sequence they come from.
    folder
        Where states are kept.
    room
        Bytes of input that one batch may need.
    """

    def __init__(self, group: Group, layer: SequenceLayer, folder: Path, room: int) -> None:
        self.group = group
        self.folder = folder
        self.most = max(1, room // _block_bytes(layer))
        self.states: dict[Index, Path] = dict(_found(folder))
        self.layer = KeptChains(layer, self.states)
        layers = {**group.graph.layers, layer.name: self.layer}
        self.graph = HighLevelGraph(layers, group.graph.dependencies)
        self._time = group.axes.index(TIME)
        self._done: dict[Index, int] = {}
        self._written: set[int] = set()

    def take(self, order: Order, count: int) -> list[int]:
        """Return the units that come next on some chains: each up to what is wanted, or a run further."""
        run = max(1, min(RUN, self.most // count))
        taken: list[int] = []
        later: list[int] = []
        tiles: set[Index] = set()
        while len(tiles) < count and len(taken) < self.most:
            wanted = order.take(1)
            if not wanted:
                break
            unit = self.group.unit(wanted[0])
            tile = self._tile(unit)
            if tile in tiles:
                later += wanted
                break
            tiles.add(tile)
            begin = self._done.get(tile, 0)
            end = min(max(unit[self._time] + 1, begin + run), begin + min(LONGEST, self.most), self.group.counts[self._time])
            chain = [self.group.number(self._at(unit, n)) for n in range(begin, end)]
            later += [] if wanted[0] in chain else wanted
            order.mark(chain)
            self._done[tile] = end
            taken += [number for number in chain if number not in self._written]
        order.give_back(later)
        return taken

    def written(self, numbers: Collection[int]) -> None:
        """Say which units a server before has written."""
        self._written.update(numbers)
        for number in numbers:
            unit = self.group.unit(number)
            tile = self._tile(unit)
            if tile not in self._done:
                end = 0
                while end < self.group.counts[self._time] and self.group.number(self._at(unit, end)) in self._written:
                    end += 1
                self._done[tile] = end

    def last_of(self, numbers: Collection[int]) -> list[int]:
        """Return the last unit of each chain."""
        last: dict[Index, int] = {}
        for number in sorted(numbers, key=lambda n: self.group.unit(n)[self._time]):
            last[self._tile(self.group.unit(number))] = number
        return list(last.values())

    def path(self, index: Index) -> Path:
        """Return the file for the states after a block."""
        return self.folder / f"{_PREFIX}{'_'.join(map(str, index))}.npz"

    def kept(self, index: Index) -> None:
        """Go on from the states after a block, and forget those before."""
        tile = self.layer.tile(index)
        old = [other for other in self.states if self.layer.tile(other) == tile and other != index]
        self.states[index] = self.path(index)
        for other in old:
            self.states.pop(other).unlink(missing_ok=True)

    def _tile(self, unit: Index) -> Index:
        return (*unit[: self._time], *unit[self._time + 1 :])

    def _at(self, unit: Index, number: int) -> Index:
        return (*unit[: self._time], number, *unit[self._time + 1 :])


def _found(folder: Path) -> list[tuple[Index, Path]]:
    paths = sorted(folder.glob(f"{_PREFIX}*.npz"))
    return [(tuple(map(int, path.stem.removeprefix(_PREFIX).split("_"))), path) for path in paths]


def _block_bytes(layer: SequenceLayer) -> int:
    """Return the bytes of input behind one block."""
    return max(1, sum(int(prod(max(c) for c in array.chunks)) * int(array.dtype.itemsize) for array in layer.gather.arrays))
