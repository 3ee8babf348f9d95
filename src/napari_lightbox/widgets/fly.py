"""Bring a place into view: the sliders and the middle of the canvas."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from napari.layers import Layer
from numpy.typing import NDArray

from napari_lightbox.widgets.layers import world_matrix

if TYPE_CHECKING:
    from napari.components import ViewerModel


def fly_to(viewer: ViewerModel, layer: Layer, position: NDArray[np.float64]) -> None:
    """Centre the viewer on an index position of a layer."""
    matrix = world_matrix(layer)
    world = matrix[:-1, :-1] @ position + matrix[:-1, -1]
    dims, offset = viewer.dims, viewer.dims.ndim - layer.ndim
    dims.set_point(range(offset, dims.ndim), tuple(world))
    center = list(viewer.camera.center)
    for slot, axis in enumerate(dims.displayed, start=3 - len(dims.displayed)):
        if axis >= offset:
            center[slot] = world[axis - offset]
    viewer.camera.center = tuple(center)
