"""Techniques whose output lies on another grid: crop, flip, rescale, rotate, resample."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from napari_lightbox.axes.geometry import Geometry

Box: TypeAlias = tuple[slice, ...]
Others: TypeAlias = Mapping[str, Geometry]


@dataclass(frozen=True)
class Grid:
    """How an output grid follows from the input grid.

    Parameters
    ----------
    geometry
        ``geometry(input, parameters, others)``: output geometry over the kernel's axes; `parameters` also holds the inputs
        that are no arrays (points, transforms), `others` the geometry of each further input, both by name.
    source
        ``source(box, input, output, parameters)``: the input box (slices inside the input's shape, never
        empty) that the output `box` needs. None when every output block needs the whole element.
    """

    geometry: Callable[[Geometry, Mapping[str, Any], Others], Geometry]
    source: Callable[[Box, Geometry, Geometry, Mapping[str, Any]], Box] | None = None
