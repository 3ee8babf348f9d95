"""Blocks of a file that count only when the file is still the one that was allowed."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import dask.array as da
import numpy as np
from dask._task_spec import GraphNode, Task, TaskRef
from dask.highlevelgraph import HighLevelGraph

from napari_lightbox.engine.layers import OnDemandLayer
from napari_lightbox.errors import GoneError

Identity = tuple[int, int, int, int]


class UnchangedLayer(OnDemandLayer):
    """The blocks of another array, each looked at after it was read."""

    def __init__(self, name: str, array: Any, path: Path, identity: Identity) -> None:
        super().__init__(name, array.numblocks)
        self.array = array.name
        self.path = path
        self.identity = identity

    def make(self, index: tuple[int, ...]) -> dict[Any, GraphNode]:
        """Return the task that checks one block."""
        key = (self.name, *index)
        return {key: Task(key, _checked, TaskRef((self.array, *index)), self.path, self.identity)}


def unchanged(name: str, array: Any, path: Path, identity: Identity) -> Any:
    """Return an array that fails where its file was moved, changed or replaced by a link after it was opened."""
    graph = HighLevelGraph.from_collections(name, UnchangedLayer(name, array, path, identity), dependencies=[array])
    return da.Array(graph, name, array.chunks, meta=np.empty((0,) * array.ndim, array.dtype))


def identity_of(path: Path) -> Identity:
    """Return what tells a file from another one, and from itself after a change."""
    status = os.lstat(path)
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def _checked(block: Any, path: Path, identity: Identity) -> Any:
    try:
        same = Path(os.path.realpath(path)) == path and identity_of(path) == identity
    except OSError:
        same = False
    if not same:
        raise GoneError(path.name, "was moved or changed since it was opened", "Open it again")
    return block
