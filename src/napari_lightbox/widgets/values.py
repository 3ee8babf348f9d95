"""Layers as the inputs of a technique: volumes, seeds from points, masks from shapes, tables, transforms."""

from __future__ import annotations

from typing import Any

import dask.array as da
import numpy as np
from napari.layers import Image, Labels, Layer, Points, Shapes, Surface, Tracks, Vectors

from napari_lightbox.axes import Volume
from napari_lightbox.contract import values
from napari_lightbox.contract.signature import InputSpec
from napari_lightbox.errors import InputError
from napari_lightbox.widgets.layers import METADATA, geometry_of, index_positions, is_preview, suggest_axes, volume_of

_KINDS: dict[str, tuple[type[Layer], ...]] = {
    "image": (Image,),
    "labels": (Labels,),
    "image_or_labels": (Image, Labels),
    "seeds": (Labels, Points),
    "mask": (Labels, Shapes),
    "points": (Points,),
    "shapes": (Shapes,),
    "tracks": (Tracks,),
    "vectors": (Vectors,),
    "surface": (Surface,),
    "table": (Labels, Points, Shapes),
}
_CLASS_COLUMNS = ("label", "class", "id")


def accepts(role: str, layer: Layer) -> bool:
    """Tell whether a layer can serve as an input of this role."""
    if is_preview(layer):
        return False
    if role == "transform":
        return isinstance(layer.metadata.get(METADATA, {}).get("transform"), values.Transform)
    if role == "table":
        return isinstance(layer, _KINDS[role]) and len(layer.features.columns) > 0
    return isinstance(layer, _KINDS.get(role, ()))


def input_value(spec: InputSpec, layer: Layer, first: Layer, axes: str) -> Any:
    """Return what the engine gets for `layer`; `first` is the first input and `axes` are its axes.

    Raises
    ------
    InputError
        The layer cannot serve as this input.
    """
    role = spec.role.name
    if role == "transform":
        return layer.metadata[METADATA]["transform"]
    if role == "table":
        return _table(layer.features)
    if role == "surface":
        return values.Surface(np.asarray(layer.vertices), np.asarray(layer.faces), np.asarray(layer.vertex_values))
    if isinstance(layer, (Image, Labels)):
        return volume_of(layer, axes if layer is first else shared_axes(layer, first, axes))
    if role == "seeds":
        return points_as_seeds(layer, first, axes)
    if role == "mask":
        return shapes_as_mask(layer, first, axes)
    if isinstance(layer, (Points, Tracks)):
        positions = layer.data[:, 1:] if isinstance(layer, Tracks) else layer.data
        return values.Points(_spatial(index_positions(layer, positions, first), axes), _table(layer.features))
    if isinstance(layer, Shapes):
        vertices = [_spatial(index_positions(layer, shape, first), axes) for shape in layer.data]
        return values.Shapes(vertices, list(layer.shape_type), _table(layer.features))
    if isinstance(layer, Vectors):
        return values.Vectors(np.asarray(layer.data, float))
    raise InputError(spec.name, f"cannot be read from the layer {layer.name!r}", "Choose another layer")


def shared_axes(layer: Layer, first: Layer, axes: str) -> str:
    """Return the axes of a further layer: its own names, else those of the first input where the lengths agree."""
    own, guessed = suggest_axes(layer)
    if not guessed:
        return own
    lengths = dict(zip(axes, geometry_of(first, axes).shape, strict=True))
    shape = geometry_of(layer, own).shape
    for candidate in (axes, axes.replace("c", ""), axes.replace("c", "").replace("t", "")):
        if tuple(lengths[a] for a in candidate) == shape:
            return candidate
    return own


def points_as_seeds(layer: Points, first: Layer, axes: str) -> Volume:
    """Return a labels volume with one pixel per point.

    The class of a point is its feature `label`, `class` or `id`; without one, points are numbered from 1.
    """
    geometry = geometry_of(first, axes)
    if "c" in geometry.axes:
        geometry = geometry.without("c")
    pixels = np.rint(index_positions(layer, layer.data, first)).astype(int)
    pixels = pixels[:, [i for i, a in enumerate(axes[: first.ndim]) if a != "c"]]
    inside = np.all((pixels >= 0) & (pixels < geometry.shape), axis=1)
    if not inside.any():
        raise InputError(layer.name, "has no point inside the image", "Add points on the image first")
    column = next((c for c in _CLASS_COLUMNS if c in layer.features), None)
    classes = np.arange(1, len(pixels) + 1) if column is None else layer.features[column].to_numpy().astype(np.int32)
    seeds = np.zeros(geometry.shape, np.int32)
    seeds[tuple(pixels[inside].T)] = classes[inside]
    return Volume(seeds, geometry, {}, "labels", layer.name)


def shapes_as_mask(layer: Shapes, first: Layer, axes: str) -> Volume:
    """Return the pixels of the image that lie inside any shape; flat shapes count on every plane of a stack."""
    geometry = geometry_of(first, axes)
    if "c" in geometry.axes:
        geometry = geometry.without("c")
    if not len(layer.data):
        raise InputError(layer.name, "has no shape", "Draw one first")
    outlines = [index_positions(layer, shape, first)[:, -layer.ndim :] for shape in layer.data]
    drawn = Shapes(outlines, shape_type=list(layer.shape_type))
    shape = geometry.shape[-layer.ndim :]
    mask = np.asarray(drawn.to_labels(shape)) > 0
    whole = da.broadcast_to(mask, geometry.shape) if layer.ndim < len(geometry.shape) else mask
    return Volume(whole, geometry, {}, "labels", layer.name)


def _spatial(positions: Any, axes: str) -> Any:
    """Return the spatial columns of positions in z, y, x order, as kernels expect them."""
    letters = [a for a in axes if a != "c"]
    return positions[:, [letters.index(a) for a in "zyx" if a in letters]]


def _table(features: Any) -> values.Table | None:
    return values.Table({str(name): features[name].to_numpy() for name in features.columns}) if len(features.columns) else None
