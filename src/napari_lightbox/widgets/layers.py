"""napari layers as Volumes: the only file that reads a layer's pixels and place in the world."""

from __future__ import annotations

from typing import Any

import numpy as np
from napari.layers import Labels, Layer
from napari.utils.transforms import Affine

from napari_lightbox.axes import Geometry, Volume, check_axes, guess_axes
from napari_lightbox.axes.affine import Matrix, inserted
from napari_lightbox.errors import AxesError
from napari_lightbox.io import note, pyramid
from napari_lightbox.io.layer_data import TILT, tilted
from napari_lightbox.io.units import short

METADATA = "lightbox"
_OF_THE_LAYER_ALONE = (METADATA, note.KEY, pyramid.KEY, TILT)


def data_shape(layer: Layer) -> tuple[int, ...]:
    """Return the shape of a layer's finest pixels, colour included."""
    return tuple(int(n) for n in finest(layer).shape)


def finest(layer: Layer) -> Any:
    """Return the array of a layer, the finest level of a pyramid."""
    return layer.data[0] if getattr(layer, "multiscale", False) else layer.data


def suggest_axes(layer: Layer) -> tuple[str, bool]:
    """Return the axes of an image or labels layer and whether they are a guess.

    The layer's own axis labels count when they are single letters; a numbered label is napari's default.
    """
    colour = "c" if getattr(layer, "rgb", False) else ""
    named = "".join(layer.axis_labels) + colour
    shape = data_shape(layer)
    if len(layer.axis_labels) == layer.ndim and len(named) == len(shape):
        try:
            return check_axes(named, len(shape)), False
        except AxesError:
            pass
    return (guess_axes(shape[:-1]) + colour if colour else guess_axes(shape)), True


def name_axes(layer: Layer, axes: str) -> None:
    """Write axes that the user entered to the layer, where every dock and writer finds them.

    Raises
    ------
    AxesError
        The letters do not fit the layer.
    """
    check_axes(axes, len(data_shape(layer)))
    if getattr(layer, "rgb", False) and not axes.endswith("c"):
        raise AxesError("axes", f"{axes!r} does not end with the colours of {layer.name!r}", "End it with c")
    layer.axis_labels = tuple(axes[: layer.ndim])


def world_matrix(layer: Layer) -> Matrix:
    """Return the homogeneous matrix from a layer's indices to the world as napari shows it."""
    own = Affine(scale=layer.scale, translate=layer.translate, rotate=layer.rotate, shear=layer.shear, ndim=layer.ndim)
    whole: Matrix = np.asarray(layer.affine.affine_matrix, float) @ np.asarray(own.affine_matrix, float)
    return whole


def unit_names(layer: Layer) -> tuple[str, ...]:
    """Return the unit of each axis of a layer, short: ``"mm"``, ``"um"``, ``"pixel"``."""
    return tuple(short(str(unit)) for unit in layer.units)


def geometry_of(layer: Layer, axes: str) -> Geometry:
    """Return where a layer lies, colour included; one that is shown straight where it really lies."""
    matrix, units = tilted(world_matrix(layer), layer.metadata), unit_names(layer)
    shape = data_shape(layer)
    if len(shape) > layer.ndim:
        matrix, units = inserted(matrix, layer.ndim), (*units, "pixel")
    return Geometry(axes, shape, matrix, units)


def volume_of(layer: Layer, axes: str | None = None) -> Volume:
    """Return a layer as a Volume without reading a pixel."""
    role = "labels" if isinstance(layer, Labels) else "image"
    geometry = geometry_of(layer, axes or suggest_axes(layer)[0])
    metadata = {key: value for key, value in layer.metadata.items() if key not in _OF_THE_LAYER_ALONE}
    return Volume(finest(layer), geometry, metadata, role, layer.name)  # type: ignore[arg-type]


def index_positions(layer: Layer, positions: Any, target: Layer) -> Any:
    """Return positions given in a layer's coordinates as (fractional) indices of another layer.

    Layers of fewer dimensions lie along the last axes of the other one, as napari shows them.
    """
    points = np.atleast_2d(np.asarray(positions, float))
    source, goal = world_matrix(layer), world_matrix(target)
    world = points @ source[:-1, :-1].T + source[:-1, -1]
    missing = target.ndim - layer.ndim
    if missing > 0:
        world = np.hstack([np.zeros((len(world), missing)), world])
    elif missing < 0:
        world = world[:, -target.ndim :]
    inverse = np.linalg.inv(goal)
    return world @ inverse[:-1, :-1].T + inverse[:-1, -1]


def is_preview(layer: Layer) -> bool:
    """Tell whether a layer is one of our temporary previews."""
    return bool(layer.metadata.get(METADATA, {}).get("preview"))
