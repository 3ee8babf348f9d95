"""The lazy outputs of a run, before any of their blocks is computed."""

from __future__ import annotations

from typing import Any

import dask.array as da
import numpy as np

from napari_lightbox.axes import Volume
from napari_lightbox.contract import registry
from napari_lightbox.engine.apply import run
from napari_lightbox.engine.bind import bind
from napari_lightbox.engine.control import Control
from napari_lightbox.engine.prepare import prepare
from napari_lightbox.engine.provenance import record
from napari_lightbox.engine.request import Request
from napari_lightbox.engine.runner import Outcome
from napari_lightbox.engine.schedule import compute_all


def lay_out(request: Request, control: Control) -> Outcome:
    """Return lazy outputs of known shape; what all their blocks share is computed."""
    technique = registry.get(request.technique)
    bound = bind(technique, request.inputs, request.parameters, mask=request.mask, over=request.over)
    control.report(0.0, technique.title)
    outputs = run(bound)
    prepare([o.data for o in outputs if isinstance(o, Volume) and isinstance(o.data, da.Array)], control)
    names = [spec.name for spec in technique.outputs]
    return Outcome(dict(zip(names, (_with_lengths(o, control) for o in outputs), strict=True)), record(bound))


def _with_lengths(output: Any, control: Control) -> Any:
    """Return an output with every length known: those that only the data can tell from its first block."""
    if not isinstance(output, Volume) or not isinstance(output.data, da.Array) or not any(n != n for n in output.data.shape):
        return output
    array = output.data
    (corner,) = compute_all([array.blocks[(0,) * array.ndim]], control)
    chunks = tuple((n,) if sizes[0] != sizes[0] else sizes for sizes, n in zip(array.chunks, corner.shape, strict=True))
    meta = np.empty((0,) * array.ndim, array.dtype)
    return output.with_data(da.Array(array.dask, array.name, chunks, dtype=array.dtype, meta=meta))
