"""Inputs and outputs of runs as JSON-ready data plus array references, and back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import isfinite
from typing import Any

import numpy as np

from napari_lightbox.axes import Geometry, Volume
from napari_lightbox.contract.values import Points, Shapes, Surface, Table, TrainedModel, Transform, Vectors
from napari_lightbox.errors import RecipeError, WireError

Put = Callable[[Any], str]
Get = Callable[[str], Any]

#: what travels of a Volume's metadata: where it comes from and how it was made
ORIGINS = ("provenance", "lightbox-content", "source")


def plain(value: Any) -> Any:
    """Return a parameter or a piece of metadata as JSON-ready data; numbers that JSON has no word for are spelled out."""
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return float(value) if isfinite(value) else {"kind": "number", "value": str(float(value))}
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return plain(value.tolist()) if isinstance(value, (np.generic, np.ndarray)) else str(value)


def unplain(value: Any) -> Any:
    """Return the value behind `plain`; tuples are lists now."""
    if isinstance(value, Mapping):
        spelled = value.keys() == {"kind", "value"} and value["kind"] == "number"
        return float(value["value"]) if spelled else {key: unplain(item) for key, item in value.items()}
    return [unplain(item) for item in value] if isinstance(value, list) else value


def encode(value: Any, put: Put) -> Any:
    """Return one input or output as JSON-ready data plus array references.

    Raises
    ------
    RecipeError
        A value of a kind that no technique takes.
    """
    if value is None or isinstance(value, (int, float, str)):
        return plain(value)
    for kind, encoder in _ENCODERS:
        if isinstance(value, kind):
            return encoder(value, put)
    if hasattr(value, "shape") and hasattr(value, "dtype"):
        return {"kind": "array", "data": put(value)}
    raise RecipeError("request", f"cannot hold a {type(value).__name__}", "Pass arrays, Volumes, tables, points or transforms")


def decode(value: Any, get: Get) -> Any:
    """Return the value behind `encode`."""
    if not isinstance(value, Mapping):
        return value
    return _DECODERS[value["kind"]](value, get)


def _put_volume(value: Volume, put: Put) -> dict[str, Any]:
    told = {key: plain(value.metadata[key]) for key in ORIGINS if key in value.metadata}
    geometry = value.geometry.to_json()
    volume = {"kind": "volume", "data": put(value.data), "geometry": geometry, "role": value.role, "name": value.name}
    return volume | ({"metadata": told} if told else {})


def _get_volume(v: Mapping[str, Any], get: Get) -> Volume:
    return Volume(get(v["data"]), Geometry.from_json(v["geometry"]), unplain(v.get("metadata") or {}), v["role"], v["name"])


def _put_points(value: Points, put: Put) -> dict[str, Any]:
    return {"kind": "points", "data": put(value.data), "features": encode(value.features, put)}


def _put_shapes(value: Shapes, put: Put) -> dict[str, Any]:
    shapes = {"kind": "shapes", "kinds": list(value.kinds), "features": encode(value.features, put)}
    data = [np.asarray(d) for d in value.data]
    if len({(d.dtype, d.shape[1:]) for d in data}) != 1:
        return shapes | {"data": [put(d) for d in data]}
    # one array: there may be thousands of them
    return shapes | {"data": put(np.concatenate(data)), "counts": [len(d) for d in data]}


def _get_shapes(v: Mapping[str, Any], get: Get) -> Shapes:
    data = _cut(np.asarray(get(v["data"])), v["counts"]) if "counts" in v else [get(d) for d in v["data"]]
    return Shapes(data, v["kinds"], decode(v["features"], get))


def _cut(vertices: Any, counts: Any) -> list[Any]:
    """Return the vertices of each shape."""
    if sum(counts) != len(vertices) or min(counts) < 0:
        raise WireError("shapes", "have other numbers of vertices than they say", "Use the same version on both sides")
    return np.split(vertices, np.cumsum(counts)[:-1])


def _put_table(value: Table, put: Put) -> dict[str, Any]:
    columns = {name: _put_column(column, put) for name, column in value.columns.items()}
    return {"kind": "table", "columns": columns, "units": dict(value.units)}


def _put_column(column: Any, put: Put) -> Any:
    texts = column.dtype.kind in "UO" and all(isinstance(text, str) for text in column.tolist())
    return {"texts": column.tolist()} if texts else put(column)


def _get_table(v: Mapping[str, Any], get: Get) -> Table:
    columns = {k: np.array(c["texts"], str) if isinstance(c, Mapping) else get(c) for k, c in v["columns"].items()}
    return Table(columns, v["units"])


def _put_surface(value: Surface, put: Put) -> dict[str, Any]:
    values = None if value.values is None else put(value.values)
    return {"kind": "surface", "vertices": put(value.vertices), "faces": put(value.faces), "values": values}


def _get_surface(v: Mapping[str, Any], get: Get) -> Surface:
    return Surface(get(v["vertices"]), get(v["faces"]), None if v["values"] is None else get(v["values"]))


def _put_transform(value: Transform, put: Put) -> dict[str, Any]:
    shift = None if value.field is None else put(value.field)
    grid = None if value.grid is None else value.grid.to_json()
    return {"kind": "transform", "matrix": value.matrix.tolist(), "field": shift, "grid": grid}


def _get_transform(v: Mapping[str, Any], get: Get) -> Transform:
    shift = None if v["field"] is None else get(v["field"])
    return Transform(np.array(v["matrix"], float), shift, None if v["grid"] is None else Geometry.from_json(v["grid"]))


def _put_model(value: TrainedModel, put: Put) -> dict[str, Any]:
    return {"kind": "model", "card": dict(value.card), "arrays": {name: put(array) for name, array in value.arrays.items()}}


def _put_list(value: Any, put: Put) -> dict[str, Any]:
    return {"kind": "list", "items": [encode(v, put) for v in value]}


_ENCODERS: tuple[tuple[Any, Callable[[Any, Put], dict[str, Any]]], ...] = (
    (Volume, _put_volume),
    (Points, _put_points),
    (Shapes, _put_shapes),
    (Vectors, lambda value, put: {"kind": "vectors", "data": put(value.data)}),
    (Surface, _put_surface),
    (Table, _put_table),
    (Transform, _put_transform),
    (TrainedModel, _put_model),
    ((list, tuple), _put_list),
)

_DECODERS: dict[str, Callable[[Mapping[str, Any], Get], Any]] = {
    "volume": _get_volume,
    "points": lambda v, get: Points(get(v["data"]), decode(v["features"], get)),
    "shapes": _get_shapes,
    "vectors": lambda v, get: Vectors(get(v["data"])),
    "surface": _get_surface,
    "table": _get_table,
    "transform": _get_transform,
    "model": lambda v, get: TrainedModel(v["card"], {name: get(array) for name, array in v["arrays"].items()}),
    "list": lambda v, get: [decode(item, get) for item in v["items"]],
    "array": lambda v, get: get(v["data"]),
    "number": lambda v, _: float(v["value"]),
}
