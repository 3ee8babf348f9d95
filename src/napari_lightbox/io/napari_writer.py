"""npe2 writer hooks: layers become volumes and go through the same writers as `napari_lightbox.write`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from napari_lightbox.io.formats import write
from napari_lightbox.io.layer_data import LayerData, volume_from_layer_data


def write_image(path: str, data: Any, attributes: Mapping[str, Any]) -> list[str]:
    """Write one Image layer."""
    return write_multiple(path, [(data, dict(attributes), "image")])


def write_labels(path: str, data: Any, attributes: Mapping[str, Any]) -> list[str]:
    """Write one Labels layer."""
    return write_multiple(path, [(data, dict(attributes), "labels")])


def write_multiple(path: str, layer_data: Sequence[LayerData]) -> list[str]:
    """Write layers into one file; several go into one OME-Zarr as an image and its labels."""
    write(path, *(volume_from_layer_data(*layer) for layer in layer_data))
    return [path]
