"""What a job gives, as JSON with references: arrays that grow, and small values that are stored when they are known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import dask.array as da
import numpy as np
from dask.delayed import Delayed

from napari_lightbox.axes import Volume
from napari_lightbox.engine.encoding import encode
from napari_lightbox.engine.runner import Outcome
from napari_lightbox.engine.wrap import chunk_shape
from napari_lightbox.server.jobs.job import Job
from napari_lightbox.server.jobs.layout import CHUNK_BYTES, Sink, card_of, regular
from napari_lightbox.wire import ArrayCard

PENDING = {"kind": "pending"}


class Stored:
    """The arrays that a job has on the disk; those that a server before has made are found again.

    Parameters
    ----------
    job
        Whose they are.
    results
        Where they are.
    """

    def __init__(self, job: Job, results: Any) -> None:
        self._job = job
        self._results = results
        self._known = results.of(job.id)

    def array(self, name: str, card: ArrayCard) -> Any:
        """Return the array of results of a name, made when it is not there."""
        known = self._known.get(name)
        if known is None or known.card != card:
            known = self._results.create(self._job.id, name, card, self._job.owner)
            self._known[name] = known
        return known

    def cards(self) -> dict[str, Any]:
        """Return type, shape and chunks of each array, by its name in the store."""
        return {array.id: array.card.to_json() for array in self._known.values()}

    def sinks(self, outcome: Outcome) -> list[Sink]:
        """Return the array outputs that are still to be computed."""
        sinks = []
        for name, output in outcome.outputs.items():
            if isinstance(output, Volume) and isinstance(output.data, da.Array):
                array = regular(output.data)
                sinks.append(Sink(name, array, output.axes, self.array(name, card_of(array, output.axes))))
        return sinks

    def save(self, name: str, values: Any) -> Any:
        """Write an array that is in memory and return where it is."""
        array = np.asarray(values)
        sizes = tuple(max(n, 1) for n in chunk_shape("?" * array.ndim, array.shape, array.itemsize, CHUNK_BYTES))
        target = self.array(name, ArrayCard.of(array, sizes))
        for index in target.card.indices:
            if not target.has(index):
                target.write(index, array[target.card.box(index)])
        return target


def encoded(outputs: Mapping[str, Any], sinks: Sequence[Sink], stored: Stored, pending: bool) -> dict[str, Any]:
    """Return the outputs as JSON with references; with `pending`, whatever is not an array on its way stays open."""
    there = {sink.name: sink.target.id for sink in sinks}
    told: dict[str, Any] = {}
    for name, output in outputs.items():
        if name in there:
            told[name] = encode(output, _Known(there[name]))
        elif output is not None and (pending or isinstance(output, Delayed)):
            told[name] = PENDING
        else:
            told[name] = encode(output, _Put(name, stored))
    return told


class _Known:
    """Says where the array of one output is."""

    def __init__(self, array_id: str) -> None:
        self._array_id = array_id

    def __call__(self, _: Any) -> str:
        return f"array:{self._array_id}"


class _Put:
    """Stores the arrays of one output under names that follow from it."""

    def __init__(self, name: str, stored: Stored) -> None:
        self._name = name
        self._stored = stored
        self._count = 0

    def __call__(self, array: Any) -> str:
        self._count += 1
        return f"array:{self._stored.save(f'{self._name}.{self._count}', array).id}"
