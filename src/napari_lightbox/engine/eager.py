"""Run a bound technique on NumPy arrays at once: no graph, next to no overhead."""

from __future__ import annotations

from typing import Any

import numpy as np

from napari_lightbox.axes.order import CHANNEL
from napari_lightbox.contract import Collection, GlobalThenPointwise
from napari_lightbox.contract import Sequence as SequenceLocality
from napari_lightbox.engine.bind import Bound
from napari_lightbox.engine.inputs import Source, transpose
from napari_lightbox.engine.kernel import Kernel, Place
from napari_lightbox.engine.make_kernel import make_kernel
from napari_lightbox.engine.sequence import run_frames
from napari_lightbox.engine.statistics import whole_statistics
from napari_lightbox.engine.stripes import fits_stripes, run_stripes


def run_eager(bound: Bound) -> tuple[Kernel, tuple[Any, ...]]:
    """Return the kernel and the raw outputs: canonical arrays, lists of (mapped index, value) for the rest."""
    kernel = make_kernel(bound)
    if isinstance(bound.technique.locality, Collection):
        return kernel, _run_collection(bound, kernel)
    return kernel, run_blocks(bound, kernel, eager_blocks(bound))


def run_blocks(bound: Bound, kernel: Kernel, blocks: dict[str, Any]) -> tuple[Any, ...]:
    """Return the raw outputs for inputs as `eager_blocks` returns them; of those in `bound` only the shapes matter."""
    locality = bound.technique.locality
    taken = tuple(slice(0, n) for n in bound.shape)
    given = taken if bound.technique.grid is None else tuple(slice(0, n) for n in bound.grid.shape)
    place = Place((0,) * len(bound.mapped), taken, given)
    restriction = blocks.pop("mask:engine", None)
    if isinstance(locality, SequenceLocality):
        time = bound.mapped.index("t")
        if fits_stripes(kernel):
            return run_stripes(kernel, blocks, time, place, restriction)
        return run_frames(kernel, blocks, time, place, None, restriction)[1]
    statistics = whole_statistics(kernel, blocks, taken) if isinstance(locality, GlobalThenPointwise) else None
    if statistics is not None and not any(kernel.plans):
        return tables_alone(kernel, statistics)
    return kernel(blocks, place, statistics, restriction)


def eager_blocks(bound: Bound) -> dict[str, Any]:
    """Return the inputs as the kernel wants them: canonical axis order, missing mapped axes of length one."""
    blocks: dict[str, Any] = {k: v for k, v in bound.values.items() if not isinstance(v, Source)}
    blocks |= {name: source.data for name, source in bound.references.items()}
    for source in bound.arrays:
        if source is not None:
            blocks[source.name] = _canonical(bound, source)
    if bound.mask is not None:
        blocks["mask:engine"] = _canonical(bound, bound.mask)
    return blocks


def _canonical(bound: Bound, source: Source) -> Any:
    order = "".join(a for a in bound.mapped if a in source.axes) + bound.over
    if bound.colour and CHANNEL in source.axes:
        order += CHANNEL
    data = transpose(source.data, source.axes, order)
    absent = tuple(i for i, a in enumerate(bound.mapped) if a not in source.axes)
    return np.expand_dims(data, absent) if absent else data


def tables_alone(kernel: Kernel, statistics: dict[Any, Any]) -> tuple[Any, ...]:
    """Call a technique whose outputs all come from its statistic, once per group."""
    collected: list[list[Any]] = [[] for _ in kernel.plans]
    for group in sorted(statistics):
        for bucket, value in zip(collected, kernel.summarise(statistics[group]), strict=True):
            bucket.append((group, value))
    return tuple(collected)


def _run_collection(bound: Bound, kernel: Kernel) -> tuple[Any, ...]:
    images = [_canonical(bound, source) for source in bound.arrays if source is not None]
    outcome = kernel.collect(images)
    return tuple(
        value if plan is not None and value is not None else [((), value)]
        for plan, value in zip(kernel.plans, outcome, strict=True)
    )
