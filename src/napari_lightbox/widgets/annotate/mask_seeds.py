"""Seeds from an existing mask: what lies well inside an object, and well outside of all, is certain."""

from __future__ import annotations

from typing import Any

import numpy as np

from napari_lightbox.axes import Volume
from napari_lightbox.axes.order import SPATIAL
from napari_lightbox.engine.request import Region, Request
from napari_lightbox.widgets.annotate.scope import slabs, within
from napari_lightbox.widgets.annotate.steps import Steps

BAND = 3.0


def edge_request(mask: Volume, region: Region) -> Request:
    """Return the run that marks the pixels near a boundary; 0 means that everything nearby has the same id."""
    steps = [s for s, a in zip(mask.geometry.spacing, mask.axes, strict=True) if a in SPATIAL]
    part = mask.geometry.crop([s.start for s in region], [s.stop - s.start for s in region])
    cut = Volume(mask.data[region], part, {}, "image", mask.name)
    parameters = {"radius": BAND * min(steps), "unit": "physical"}
    return Request("morphological_gradient", (cut,), parameters, lazy=False)


def seeds_in(mask: Any, edges: Any, region: Region, background: int, seeds: Any) -> Steps:
    """Write the seeds of a mask into an empty array, in steps; objects too thin to shrink stay whole."""
    kept: set[int] = set()
    found: set[int] = set()
    parts = slabs(region)
    for part in parts:
        old, inner = np.asarray(mask[part]), edges[within(part, region)] == 0
        certain = np.where(inner, np.where(old == 0, background, old), 0)
        seeds[part] = certain
        found |= set(np.unique(old).tolist())
        kept |= set(np.unique(certain).tolist())
        yield
    thin = sorted(found - kept - {0})
    for part in parts if thin else ():
        old = np.asarray(mask[part])
        seeds[part] = np.where(np.isin(old, thin), old, np.asarray(seeds[part]))
        yield
    return seeds
