"""Outputs of a run as layers: in place, with provenance, lazy where the engine left them lazy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Image, Labels, Layer, Points, Shapes, Surface, Vectors

from napari_lightbox.axes import Geometry, Volume
from napari_lightbox.contract import Technique, values
from napari_lightbox.engine.runner import Outcome
from napari_lightbox.widgets.arrival import bring_in, select_soon
from napari_lightbox.widgets.form import readable
from napari_lightbox.widgets.label_ids import write_into
from napari_lightbox.widgets.layers import METADATA, geometry_of
from napari_lightbox.widgets.placement import picture, placed

if TYPE_CHECKING:
    from napari.components import ViewerModel


@dataclass(frozen=True)
class Origin:
    """What a result came from: the first input, its axes, the labels that were measured, and where labels go."""

    layer: Layer | None
    axes: str
    labels: Labels | None = None
    target: Labels | None = None
    ids: list[int] | None = None


def show_outcome(
    viewer: ViewerModel, technique: Technique, outcome: Outcome, origin: Origin, limits: tuple[float, float] | None = None
) -> tuple[list[Layer], dict[str, values.Table], list[str]]:
    """Add every output to the viewer.

    Returns
    -------
    layers, tables, notes
        Layers added or written to, tables by name, and sentences for the user (measured values, pixels written).
    """
    layers: list[Layer] = []
    tables: dict[str, values.Table] = {}
    notes: list[str] = []
    extras: dict[str, Any] = {}
    for position, (name, value) in enumerate(outcome.outputs.items()):
        title = _title(technique, origin, name if len(outcome.outputs) > 1 else "")
        if value is None:
            continue
        if position == 0 and origin.target is not None and isinstance(value, Volume):
            count = write_into(origin.target, _as_array(value.data), origin.ids)
            layers.append(origin.target)
            notes.append(f"{count} pixels written into {origin.target.name}")
        elif isinstance(value, values.Table):
            tables[title] = value
        elif isinstance(value, values.Transform):
            extras["transform"] = value
        elif isinstance(value, values.TrainedModel):
            continue  # the dock asks where to save it
        elif isinstance(value, (int, float, np.number)):
            notes.append(f"{readable(name) if name != 'result' else technique.title}: {value:.6g}")
        elif isinstance(value, np.ndarray):
            tables[title] = _array_table(value)
        else:
            layers.append(bring_in(viewer, _layer(value, title, origin, limits if position == 0 else None)))
    select_soon(viewer, [layer for layer in layers if layer is not origin.target])
    _remember(layers, origin, extras)
    for table in tables.values():
        put_features(described(layers, origin), table)
    return layers, tables, notes


def described(layers: list[Layer], origin: Origin) -> Labels | None:
    """Return the objects a table speaks of: those just made, else those that were measured."""
    return next((layer for layer in layers if isinstance(layer, Labels)), origin.labels)


def put_features(labels: Labels | None, table: values.Table) -> None:
    """Write one row per object to the features of the layer that was measured."""
    if labels is None or "label" not in table or len(np.unique(table["label"])) != len(table):
        return
    features = table.to_pandas()
    features.insert(0, "index", features["label"])
    labels.metadata = {**labels.metadata, METADATA: {**labels.metadata.get(METADATA, {}), "units": dict(table.units)}}
    labels.features = features


def array_layer(volume: Volume, title: str, origin: Origin, limits: tuple[float, float] | None = None) -> Image | Labels:
    """Return the layer for a volume, not yet in a viewer."""
    data, geometry, rgb = picture(volume)
    keywords = placed(geometry, origin.layer, origin.axes)
    keywords["metadata"] = {**volume.metadata, **keywords.get("metadata", {})}
    if volume.role == "labels":
        return Labels(data, name=title, **keywords)
    source = origin.layer if isinstance(origin.layer, Image) else None
    if source is not None and not rgb and not source.rgb:
        keywords["colormap"] = source.colormap.name
    if limits is not None and not rgb:
        keywords["contrast_limits"] = limits
    return Image(data, name=title, rgb=rgb, **keywords)


def _layer(value: Any, title: str, origin: Origin, limits: tuple[float, float] | None) -> Layer:
    if isinstance(value, Volume):
        return array_layer(value, title, origin, limits)
    if isinstance(value, values.Points):
        return Points(value.data, name=title, features=_features(value), size=5, **_point_place(value.data, origin))
    if isinstance(value, values.Shapes):
        data = list(value.data)
        place = _point_place(data[0], origin) if data else {}
        return Shapes(data, shape_type=list(value.kinds), name=title, features=_features(value), **place)
    if isinstance(value, values.Vectors):
        return Vectors(value.data, name=title, **_point_place(value.data[:, 0], origin))
    if isinstance(value, values.Surface):
        parts = (value.vertices, value.faces) if value.values is None else (value.vertices, value.faces, value.values)
        return Surface(parts, name=title, **_point_place(value.vertices, origin))
    raise TypeError(f"no layer shows a {type(value).__name__}")


def _point_place(points: Any, origin: Origin) -> dict[str, Any]:
    """Return the place of positions given in indices of the first input, over all its axes or the spatial ones."""
    if origin.layer is None or not origin.axes:
        return {}
    geometry: Geometry = geometry_of(origin.layer, origin.axes)
    count = np.shape(points)[1]
    for axes in (geometry.axes, geometry.axes.replace("c", ""), geometry.spatial):
        if len(axes) == count:
            return placed(geometry.select(axes), origin.layer, origin.axes)
    return {}


def _features(value: values.Points | values.Shapes) -> Any:
    return None if value.features is None else value.features.to_pandas()


def _array_table(array: np.ndarray[Any, Any]) -> values.Table:
    """Return one row per element of an array of values, such as one per frame."""
    places = np.indices(array.shape).reshape(array.ndim, -1)
    return values.Table({f"axis {i}": p for i, p in enumerate(places)} | {"value": array.ravel()})


def _remember(layers: list[Layer], origin: Origin, extras: Mapping[str, Any]) -> None:
    """Keep a transform that came with the result in the metadata of its layers, or of the input without any."""
    if not extras:
        return
    for layer in layers or ([origin.layer] if origin.layer is not None else []):
        layer.metadata = {**layer.metadata, METADATA: {**layer.metadata.get(METADATA, {}), **extras}}


def _title(technique: Technique, origin: Origin, output: str) -> str:
    name = f"{origin.layer.name} " if origin.layer is not None else ""
    return f"{name}{technique.title}{f' {readable(output).lower()}' if output else ''}"


def _as_array(data: Any) -> Any:
    return data.compute() if hasattr(data, "compute") else np.asarray(data)
