"""Seeds: a new layer to paint them in, and points and shapes as painted ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Image, Labels, Layer, Points, Shapes

from napari_lightbox.axes import Geometry, Volume
from napari_lightbox.axes.order import CHANNEL
from napari_lightbox.errors import InputError
from napari_lightbox.settings import settings
from napari_lightbox.widgets.layers import data_shape, geometry_of, index_positions, is_preview, volume_of
from napari_lightbox.widgets.placement import placed
from napari_lightbox.widgets.values import points_as_seeds

if TYPE_CHECKING:
    from napari.components import ViewerModel

BACKGROUND = 65535
_CLASS_COLUMNS = ("label", "class", "id")
_BRUSH_SHARE = 60


def can_seed(layer: Layer) -> bool:
    """Tell whether a layer can hold seeds."""
    return isinstance(layer, (Labels, Points, Shapes)) and not is_preview(layer)


def can_be_target(layer: Layer) -> bool:
    """Tell whether a segmentation can be written into a layer."""
    return isinstance(layer, Labels) and not is_preview(layer) and not layer.multiscale and _is_writable(layer.data)


def can_be_image(layer: Layer) -> bool:
    """Tell whether an engine can look at a layer."""
    return isinstance(layer, Image) and not is_preview(layer)


def seeds_geometry(image: Layer, axes: str) -> Geometry:
    """Return the grid of seeds for an image: its own without colour."""
    return geometry_of(image, axes).without(CHANNEL)


def blank(shape: tuple[int, ...], dtype: Any = np.int32) -> Any:
    """Return zeros; beyond the memory budget in chunks of which only the painted ones take memory."""
    if int(np.prod(shape, dtype=np.int64)) * np.dtype(dtype).itemsize <= settings().memory_budget:
        return np.zeros(shape, dtype)
    import zarr

    chunks = tuple(min(n, 512) if i >= len(shape) - 2 else 1 for i, n in enumerate(shape))
    return zarr.create_array(store=zarr.storage.MemoryStore(), shape=shape, chunks=chunks, dtype=np.dtype(dtype), fill_value=0)


def blank_layer(image: Layer, axes: str, name: str) -> Labels:
    """Return an empty Labels layer that lies exactly on an image, not yet in a viewer."""
    geometry = seeds_geometry(image, axes)
    return Labels(blank(geometry.shape), name=name, **placed(geometry, image, axes))


def start_painting(viewer: ViewerModel, layer: Labels, label: int | None = None) -> None:
    """Select a Labels layer with the brush in hand."""
    viewer.layers.selection.active = layer
    if label is not None:
        layer.selected_label = label
    if layer.mode not in ("paint", "erase", "fill", "polygon"):
        layer.mode = "paint"


def brush_size(layer: Labels) -> int:
    """Return a brush that suits the image."""
    return int(np.clip(round(min(data_shape(layer)[-2:]) / _BRUSH_SHARE), 1, 20))


def background_id(layer: Layer | None) -> int:
    """Return the id that stands for background in a layer: `BACKGROUND`, or the largest its type holds."""
    if not isinstance(layer, Labels):
        return BACKGROUND
    return min(BACKGROUND, int(np.iinfo(layer.data.dtype).max))


def check_grid(layer: Labels, image: Layer, axes: str) -> None:
    """Raise unless a Labels layer has the image's shape.

    Raises
    ------
    InputError
        Another shape, or a pyramid.
    """
    shape, wanted = data_shape(layer), seeds_geometry(image, axes).shape
    if layer.multiscale:
        raise InputError(layer.name, "is a pyramid, which napari cannot paint in", "Press New to get seeds for the finest level")
    if shape != wanted:
        raise InputError(
            layer.name, f"has shape {shape}, the image {image.name} needs {wanted}", "Press New, or choose seeds for this image"
        )


def seeds_volume(layer: Layer, image: Layer, axes: str) -> Volume:
    """Return the seeds in a layer as Labels on the image's grid.

    Raises
    ------
    InputError
        Another shape, or nothing inside the image.
    """
    if isinstance(layer, Labels):
        check_grid(layer, image, axes)
        return volume_of(layer, axes.replace(CHANNEL, ""))
    if isinstance(layer, Points):
        return points_as_seeds(layer, image, axes)
    return shapes_as_seeds(layer, image, axes)


def shapes_as_seeds(layer: Shapes, image: Layer, axes: str) -> Volume:
    """Return a labels volume with the pixels of every shape: areas filled, lines and paths as drawn.

    The class of a shape is its feature `label`, `class` or `id`; without one, shapes are numbered from 1.

    Raises
    ------
    InputError
        No shape, or none inside the image.
    """
    geometry = seeds_geometry(image, axes)
    if not len(layer.data):
        raise InputError(layer.name, "has no shape", "Draw one first")
    kept = [i for i, a in enumerate(axes[: image.ndim]) if a != CHANNEL]
    outlines = [index_positions(layer, shape, image)[:, kept] for shape in layer.data]
    column = next((c for c in _CLASS_COLUMNS if c in layer.features), None)
    classes = range(1, len(outlines) + 1) if column is None else layer.features[column].to_numpy().astype(int).tolist()
    seeds = np.zeros(geometry.shape, np.int32)
    for outline, kind, label in zip(outlines, layer.shape_type, classes, strict=True):
        place, plane = _plane_of(outline, geometry.shape)
        drawn = Shapes([outline[:, -2:]], shape_type=kind).to_masks(plane)[0]
        if place is not None:
            seeds[place][drawn] = label
    if not seeds.any():
        raise InputError(layer.name, "has no shape inside the image", "Draw shapes on the image first")
    return Volume(seeds, geometry, {}, "labels", layer.name)


def _plane_of(outline: Any, shape: tuple[int, ...]) -> tuple[tuple[int, ...] | None, tuple[int, ...]]:
    """Return the index of the plane a shape lies on, None outside the image, and the plane's shape."""
    place = tuple(int(v) for v in np.rint(outline[:, :-2].mean(axis=0)))
    inside = all(0 <= at < n for at, n in zip(place, shape[:-2], strict=True))
    return (place if inside else None), shape[-2:]


def _is_writable(data: Any) -> bool:
    return bool(data.flags.writeable) if isinstance(data, np.ndarray) else hasattr(data, "store")
