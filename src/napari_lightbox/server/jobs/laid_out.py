"""The lazy outputs of a run, before any of their blocks is computed."""

from __future__ import annotations

import dask.array as da

from napari_lightbox.axes import Volume
from napari_lightbox.contract import registry
from napari_lightbox.engine.apply import run
from napari_lightbox.engine.bind import bind
from napari_lightbox.engine.control import Control
from napari_lightbox.engine.prepare import prepare
from napari_lightbox.engine.provenance import record
from napari_lightbox.engine.request import Request
from napari_lightbox.engine.results import with_lengths
from napari_lightbox.engine.runner import Outcome


def lay_out(request: Request, control: Control) -> Outcome:
    """Return lazy outputs of known shape; what all their blocks share is computed."""
    technique = registry.get(request.technique)
    bound = bind(technique, request.inputs, request.parameters, mask=request.mask, over=request.over)
    control.report(0.0, technique.title)
    outputs = run(bound)
    prepare([o.data for o in outputs if isinstance(o, Volume) and isinstance(o.data, da.Array)], control)
    names = [spec.name for spec in technique.outputs]
    return Outcome(dict(zip(names, (with_lengths(o, control) for o in outputs), strict=True)), record(bound))
