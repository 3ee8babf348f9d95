"""Where a result lies: geometry to the keywords of a napari layer, exactly those of the source where nothing moved."""

from __future__ import annotations

from typing import Any

import numpy as np
from napari.layers import Layer

from napari_lightbox.axes import Geometry, Volume, is_rgb
from napari_lightbox.axes.tilt import straightened
from napari_lightbox.io.layer_data import TILT, place_of
from napari_lightbox.widgets.feed import Distant
from napari_lightbox.widgets.layers import geometry_of, world_matrix

_COLOUR_TYPES = (np.uint8, np.uint16, np.float32, np.float64)


def placed(geometry: Geometry, source: Layer | None = None, axes: str = "") -> dict[str, Any]:
    """Return scale, translate, affine, units and axis labels for a layer over all axes of `geometry`.

    A result on the grid of `source` (whose axes are `axes`) takes over the layer's own scale, translation, rotation,
    shear and affine, number for number. Where a tilted grid is shown straight, `metadata` holds the tilt; beside a
    layer that something else shows obliquely, results are shown so too.
    """
    names = {"units": geometry.units, "axis_labels": tuple(geometry.axes)}
    if source is not None and axes and _same_place(geometry, source, axes):
        keys = ("scale", "translate", "rotate", "shear")
        tilt = {"metadata": {TILT: source.metadata[TILT]}} if TILT in source.metadata else {}
        return {key: getattr(source, key) for key in keys} | {"affine": source.affine} | names | tilt
    return place_of(geometry, straight=source is None or not _shown_obliquely(source)) | names


def picture(volume: Volume) -> tuple[Any, Geometry, bool]:
    """Return data and geometry as napari shows them, and whether the last axis is colour.

    Colour that napari cannot show and channels that stand last come first instead, to be browsed.
    """
    data, geometry = volume.data, volume.geometry
    if not geometry.axes.endswith("c") or geometry.ndim < 3:
        return data, geometry, False
    if is_rgb(geometry.axes, geometry.shape) and volume.role == "image" and volume.dtype in _COLOUR_TYPES:
        return data, geometry.without("c"), True
    order = "c" + geometry.axes[:-1]
    turned = data.transpose([geometry.axes.index(a) for a in order])
    return data.same(turned) if isinstance(data, Distant) else turned, geometry.select(order), False


def _same_place(geometry: Geometry, source: Layer, axes: str) -> bool:
    own = geometry_of(source, axes)
    own = own.without("c") if len(own.axes) > source.ndim else own
    return geometry.axes == own.axes and np.allclose(geometry.affine, own.affine, rtol=1e-12, atol=1e-12)


def _shown_obliquely(layer: Layer) -> bool:
    return straightened(world_matrix(layer))[1] is not None
