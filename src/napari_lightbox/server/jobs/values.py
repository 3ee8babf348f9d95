"""Values among the outputs of blocks: noted when a block is written, joined at the end, so that no block runs twice."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

from dask._task_spec import GraphNode, Task, TaskRef
from dask.delayed import Delayed

from napari_lightbox.engine.layers import ValuesLayer
from napari_lightbox.engine.remembered import memo
from napari_lightbox.server.jobs.kept import read_values
from napari_lightbox.server.jobs.tasks import note_values

Index = tuple[int, ...]
_PREFIX = "values-"


@dataclass(frozen=True)
class Values:
    """The values that blocks of one bundle of outputs carry.

    Parameters
    ----------
    bundle
        Name of the blocks.
    elements
        Number of elements along each mapped axis; values come from the first block of each.
    positions
        Which of the outputs they are.
    folder
        Where they are noted.
    """

    bundle: str
    elements: Index
    positions: tuple[int, ...]
    folder: Path

    @classmethod
    def of(cls, outputs: Iterable[Any], folder: Path) -> Values | None:
        """Return what is to be noted for some outputs, None when no block carries any."""
        layers = [
            layer
            for output in outputs
            if isinstance(output, Delayed)
            for layer in output.__dask_graph__().layers.values()
            if isinstance(layer, ValuesLayer)
        ]
        if not layers:
            return None
        return cls(layers[0].bundle, layers[0].elements, tuple(sorted({layer.position for layer in layers})), folder)

    def tasks(self, key: Any, graph: Mapping[Any, GraphNode]) -> dict[Any, GraphNode]:
        """Return the tasks that note the values behind a block before it is written."""
        noted: dict[Any, GraphNode] = {}
        for bundle in self._bundles(key, graph):
            element = self._element(bundle)
            if element is not None:
                name = (f"{_PREFIX}{self.folder.name}", *element)
                noted[name] = Task(name, note_values, self._path(element), TaskRef(bundle), self.positions)
        return noted

    def recall(self) -> None:
        """Have the engine find what was noted, so that joining the values computes no block again."""
        for element in product(*map(range, self.elements)):
            path = self._path(element)
            if path.exists():
                found = dict(zip(self.positions, read_values(path), strict=True))
                values = [_pairs(found.get(position)) for position in range(max(self.positions) + 1)]
                memo.put((self.bundle, *element), tuple(values))

    def _bundles(self, key: Any, graph: Mapping[Any, GraphNode]) -> list[Any]:
        """Return the bundles that a block is taken from."""
        found, work = [], [key]
        while work:
            here = work.pop()
            if isinstance(here, tuple) and here[0] == self.bundle:
                found.append(here)
            elif here in graph:
                work.extend(graph[here].dependencies)
        return found

    def _element(self, bundle: Any) -> Index | None:
        mapped = len(self.elements)
        element, over = tuple(bundle[1 : 1 + mapped]), bundle[1 + mapped :]
        if any(over) or any(i >= n for i, n in zip(element, self.elements, strict=True)):
            return None
        return element

    def _path(self, element: Index) -> Path:
        return self.folder / f"{_PREFIX}{'_'.join(map(str, element))}.npz"


def _pairs(noted: Any) -> Any:
    """Return values by element as blocks give them; JSON knows no tuples."""
    return None if noted is None else [(tuple(index), value) for index, value in noted]
