"""Techniques that join several images: what they give is kept as files, since nobody knows its shape beforehand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dask.array as da
from dask._task_spec import Task, TaskRef
from dask.base import tokenize
from dask.highlevelgraph import HighLevelGraph
from dask.utils import ensure_dict

from napari_lightbox.axes import Volume
from napari_lightbox.contract import registry
from napari_lightbox.engine.apply import run
from napari_lightbox.engine.bind import bind
from napari_lightbox.engine.control import Control
from napari_lightbox.engine.provenance import record
from napari_lightbox.engine.request import Request
from napari_lightbox.engine.runner import Outcome
from napari_lightbox.engine.schedule import scheduler
from napari_lightbox.server.jobs.kept import read_values, write_values
from napari_lightbox.server.jobs.layout import card_of
from napari_lightbox.server.jobs.tasks import keep_array, read_kept
from napari_lightbox.server.store.read_layer import lazy_array

Index = tuple[int, ...]


@dataclass(frozen=True)
class KeptReader:
    """Reads one chunk of a kept array; travels to workers as a path."""

    path: Path
    shape: Index
    dtype: str
    chunks: Index

    def __call__(self, index: Index) -> Any:
        """Return a chunk."""
        box = tuple(slice(i * c, (i + 1) * c) for i, c in zip(index, self.chunks, strict=True))
        return read_kept(self.path, self.shape, self.dtype, box)


def collect(request: Request, folder: Path, control: Control) -> Outcome:
    """Run a technique that takes a list of images; its arrays are lazy views of files below a folder.

    A run that was interrupted after this goes on from the files.
    """
    technique = registry.get(request.technique)
    bound = bind(technique, request.inputs, request.parameters, mask=request.mask, over=request.over)
    outputs = run(bound)
    done = folder / "collected.npz"
    if not done.exists():
        write_values(done, _computed(outputs, folder, control, technique.title))
    kept = read_values(done)
    made = [_lazy(output, value, _path(folder, n)) for n, (output, value) in enumerate(zip(outputs, kept, strict=True))]
    return Outcome(dict(zip((spec.name for spec in technique.outputs), made, strict=True)), record(bound))


def _computed(outputs: Sequence[Any], folder: Path, control: Control, title: str) -> list[Any]:
    """Return the value of each output; shape and type of those that are arrays, which go to files."""
    lazy = {n: _data(output) for n, output in enumerate(outputs) if output is not None}
    graph = HighLevelGraph.merge(*[value.__dask_graph__() for value in lazy.values()])
    keys = {n: _key(value) for n, value in lazy.items()}
    tasks = dict(ensure_dict(graph.cull(set(keys.values()))))
    for n, value in lazy.items():
        if isinstance(value, da.Array):
            key = (f"keep-{folder.name}", n)
            tasks[key] = Task(key, keep_array, _path(folder, n), TaskRef(keys[n]))
            keys[n] = key
    found = dict(zip(keys, scheduler().get(tasks, list(keys.values()), control, message=title), strict=True))
    return [found.get(n) for n in range(len(outputs))]


def _data(output: Any) -> Any:
    return output.data if isinstance(output, Volume) else output


def _key(value: Any) -> Any:
    return (value.name, *(0,) * value.ndim) if isinstance(value, da.Array) else value.key


def _path(folder: Path, number: int) -> Path:
    return folder / f"array-{number}.bin"


def _lazy(output: Any, value: Any, path: Path) -> Any:
    data = _data(output)
    if not isinstance(data, da.Array):
        return value
    shape, dtype = tuple(value[0]), value[1]
    if not isinstance(output, Volume):
        return read_kept(path, shape, dtype, tuple(slice(0, n) for n in shape))
    card = card_of(da.zeros(shape, dtype=dtype, chunks=-1), output.axes)
    return output.with_data(lazy_array(f"kept-{tokenize(str(path))}", card, KeptReader(path, shape, dtype, card.chunks)))
