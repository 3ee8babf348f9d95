"""A lazy array whose blocks are each read by one task that is made when somebody asks for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import dask.array as da
import numpy as np
from dask._task_spec import DataNode, GraphNode, Task
from dask.highlevelgraph import HighLevelGraph
from numpy.typing import NDArray

from napari_lightbox.engine.layers import OnDemandLayer
from napari_lightbox.wire import ArrayCard

Read = Callable[[tuple[int, ...]], NDArray[Any]]


class ReadLayer(OnDemandLayer):
    """Blocks of a card, each what `read` returns for its index."""

    def __init__(self, name: str, card: ArrayCard, read: Read) -> None:
        super().__init__(name, tuple(map(len, lengths_of(card))))
        self.card = card
        self.read = read

    def make(self, index: tuple[int, ...]) -> dict[Any, GraphNode]:
        """Return the task that reads one block."""
        key = (self.name, *index)
        if 0 in self.card.shape:
            return {key: DataNode(key, np.empty(self._shape(index), self.card.kind))}
        return {key: Task(key, self.read, index)}

    def _shape(self, index: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(sizes[i] for sizes, i in zip(lengths_of(self.card), index, strict=True))


def lazy_array(name: str, card: ArrayCard, read: Read) -> Any:
    """Return the dask array of a card.

    Parameters
    ----------
    name
        Name of the array and of its only layer.
    card
        Type, shape and chunks.
    read
        Returns the block of an index; it travels to the workers.
    """
    graph = HighLevelGraph.from_collections(name, ReadLayer(name, card, read), dependencies=[])
    return da.Array(graph, name, lengths_of(card), meta=np.empty((0,) * len(card.shape), card.kind))


def lengths_of(card: ArrayCard) -> tuple[tuple[int, ...], ...]:
    """Return the lengths of all blocks along each axis, as dask wants them."""
    return tuple((c,) * (n // c) + ((n % c,) if n % c else ()) or (0,) for n, c in zip(card.shape, card.chunks, strict=True))
