"""Compute lazy arrays block by block within the memory budget."""

from __future__ import annotations

import shutil
import tempfile
import weakref
from collections.abc import Iterator, Sequence
from itertools import product
from math import prod
from pathlib import Path
from typing import Any

import dask.array as da
import numpy as np
from dask.highlevelgraph import HighLevelGraph

from napari_lightbox.engine.boxes import bounds_of, box_of
from napari_lightbox.engine.control import Control
from napari_lightbox.engine.schedule import compute_all, scheduler
from napari_lightbox.settings import settings

BATCH_SHARE = 0.25
RESULT_SHARE = 0.5


def materialise(arrays: Sequence[da.Array], control: Control, working: float = 4.0) -> list[Any]:
    """Return the computed arrays: NumPy while they fit into half of the budget, else Zarr on disk (as dask).

    Parameters
    ----------
    arrays
        Lazy arrays; those with equal block grids are computed together, so that shared work is done once.
    control
        Progress and cancel; a cancelled run leaves nothing behind.
    working
        Bytes of working memory per byte of a result block.
    """
    sizes = sum(prod(a.shape) * a.dtype.itemsize for a in arrays)
    if sizes != sizes:  # lengths that only the data can tell
        return compute_all(arrays, control)
    sinks = [_Sink.on_disk(a) if sizes > settings().memory_budget * RESULT_SHARE else _Sink.in_memory(a) for a in arrays]
    try:
        same = len({a.numblocks for a in arrays}) == 1
        groups = [list(zip(arrays, sinks, strict=True))] if same else [[pair] for pair in zip(arrays, sinks, strict=True)]
        for number, group in enumerate(groups):
            _fill(group, control, working, number / len(groups), 1 / len(groups))
    except BaseException:
        for sink in sinks:
            sink.discard()
        raise
    return [sink.result() for sink in sinks]


def _fill(group: Sequence[tuple[da.Array, _Sink]], control: Control, working: float, begin: float, span: float) -> None:
    blocks = prod(group[0][0].numblocks)
    done = 0
    for batch in batches([array for array, _ in group], working):
        keys = [(array.name, *index) for index in batch for array, _ in group]
        graph = da.Array.__dask_optimize__(_merged([array for array, _ in group]), keys)
        start, stop = begin + span * done / blocks, begin + span * (done + len(batch)) / blocks
        values = iter(scheduler().get(graph, keys, control, (start, stop), f"{done} of {blocks} blocks"))
        for index in batch:
            for _, sink in group:
                sink.write(index, next(values))
        done += len(batch)
        control.report(begin + span * done / blocks, f"{done} of {blocks} blocks")


def batches(arrays: Sequence[da.Array], working: float) -> Iterator[list[tuple[int, ...]]]:
    """Yield block indices in groups whose results and working memory fit into a quarter of the budget."""
    largest = sum(prod(max(c) for c in a.chunks) * a.dtype.itemsize for a in arrays)
    size = int(settings().memory_budget * BATCH_SHARE / max(largest * (1 + working), 1))
    size = min(max(size, 1), 64 * settings().threads)
    batch: list[tuple[int, ...]] = []
    for index in product(*map(range, arrays[0].numblocks)):
        batch.append(index)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


def _merged(arrays: Sequence[da.Array]) -> HighLevelGraph:
    return HighLevelGraph.merge(*[a.__dask_graph__() for a in arrays])


class _Sink:
    """Where the blocks of one result go."""

    def __init__(self, array: da.Array, target: Any, folder: Path | None) -> None:
        self.target = target
        self.folder = folder
        self.bounds = bounds_of(array.chunks)
        self.chunks = array.chunks

    @classmethod
    def in_memory(cls, array: da.Array) -> _Sink:
        return cls(array, np.empty(array.shape, array.dtype), None)

    @classmethod
    def on_disk(cls, array: da.Array) -> _Sink:
        import zarr

        root = Path(settings().cache_folder) / "results"
        root.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix="result-", dir=root))
        chunks = tuple(c[0] for c in array.chunks)
        target = zarr.create_array(store=folder / "data.zarr", shape=array.shape, chunks=chunks, dtype=array.dtype)
        return cls(array, target, folder)

    def write(self, index: tuple[int, ...], value: Any) -> None:
        self.target[box_of(self.bounds, index)] = value

    def discard(self) -> None:
        self.target = None
        if self.folder is not None:
            shutil.rmtree(self.folder, ignore_errors=True)

    def result(self) -> Any:
        if self.folder is None:
            return self.target
        lazy = da.from_array(self.target, chunks=self.target.chunks)
        # the store lives as long as somebody can still read from it
        weakref.finalize(self.target, shutil.rmtree, self.folder, ignore_errors=True)
        return lazy
