"""Everything a run needs, as one value that survives JSON plus array references."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from napari_lightbox.axes import Geometry, Volume
from napari_lightbox.contract.values import Points, Shapes, Table, Transform
from napari_lightbox.errors import RecipeError

Region = tuple[slice, ...]
Put = Callable[[Any], str]
Get = Callable[[str], Any]


@dataclass(frozen=True)
class Request:
    """One run of one technique.

    Parameters
    ----------
    technique, inputs, parameters
        What to run on what; inputs in declared order, None for absent ones.
    mask
        Restriction to part of the image.
    over
        Axes to work over; None for the spatial ones.
    region
        Part of the result that is wanted (slices over the axes of the first input); None for all.
    preview
        Whether an approximate answer for `region` alone is good enough.
    lazy
        Whether lazy inputs give lazy results; otherwise everything is computed.
    """

    technique: str
    inputs: tuple[Any, ...]
    parameters: Mapping[str, Any] = field(default_factory=dict)
    mask: Volume | None = None
    over: str | None = None
    region: Region | None = None
    preview: bool = False
    lazy: bool = True

    def to_json(self, put: Put) -> dict[str, Any]:
        """Return JSON-ready data; `put` stores an array and returns its reference."""
        return {
            "technique": self.technique,
            "inputs": [encode(value, put) for value in self.inputs],
            "parameters": {k: list(v) if isinstance(v, tuple) else v for k, v in self.parameters.items()},
            "mask": encode(self.mask, put),
            "over": self.over,
            "region": None if self.region is None else [[s.start, s.stop] for s in self.region],
            "preview": self.preview,
            "lazy": self.lazy,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any], get: Get) -> Request:
        """Rebuild a request; `get` returns the array behind a reference."""
        region = data["region"]
        return cls(
            technique=data["technique"],
            inputs=tuple(decode(value, get) for value in data["inputs"]),
            parameters=dict(data["parameters"]),
            mask=decode(data["mask"], get),
            over=data["over"],
            region=None if region is None else tuple(slice(a, b) for a, b in region),
            preview=data["preview"],
            lazy=data["lazy"],
        )


def encode(value: Any, put: Put) -> Any:
    """Return one input or output as JSON-ready data plus array references.

    Raises
    ------
    RecipeError
        A value of a kind that no technique takes.
    """
    if value is None or isinstance(value, (int, float, str, bool)):
        return value
    if isinstance(value, Volume):
        return {
            "kind": "volume",
            "data": put(value.data),
            "geometry": value.geometry.to_json(),
            "role": value.role,
            "name": value.name,
        }
    if isinstance(value, Points):
        return {"kind": "points", "data": put(value.data), "features": encode(value.features, put)}
    if isinstance(value, Shapes):
        data = [put(d) for d in value.data]
        return {"kind": "shapes", "data": data, "kinds": list(value.kinds), "features": encode(value.features, put)}
    if isinstance(value, Table):
        return {"kind": "table", "columns": {k: put(v) for k, v in value.columns.items()}, "units": dict(value.units)}
    if isinstance(value, Transform):
        shift = None if value.field is None else put(value.field)
        grid = None if value.grid is None else value.grid.to_json()
        return {"kind": "transform", "matrix": value.matrix.tolist(), "field": shift, "grid": grid}
    if isinstance(value, (list, tuple)):
        return {"kind": "list", "items": [encode(v, put) for v in value]}
    if hasattr(value, "shape") and hasattr(value, "dtype"):
        return {"kind": "array", "data": put(value)}
    raise RecipeError("request", f"cannot hold a {type(value).__name__}", "Pass arrays, Volumes, tables, points or transforms")


def decode(value: Any, get: Get) -> Any:
    """Return the value behind `encode`."""
    if not isinstance(value, Mapping):
        return value
    return _DECODERS[value["kind"]](value, get)


def _volume(v: Mapping[str, Any], get: Get) -> Volume:
    return Volume(get(v["data"]), Geometry.from_json(v["geometry"]), {}, v["role"], v["name"])


def _transform(v: Mapping[str, Any], get: Get) -> Transform:
    shift = None if v["field"] is None else get(v["field"])
    return Transform(np.array(v["matrix"], float), shift, None if v["grid"] is None else Geometry.from_json(v["grid"]))


_DECODERS: dict[str, Callable[[Mapping[str, Any], Get], Any]] = {
    "volume": _volume,
    "points": lambda v, get: Points(get(v["data"]), decode(v["features"], get)),
    "shapes": lambda v, get: Shapes([get(d) for d in v["data"]], v["kinds"], decode(v["features"], get)),
    "table": lambda v, get: Table({k: get(c) for k, c in v["columns"].items()}, v["units"]),
    "transform": _transform,
    "list": lambda v, get: [decode(item, get) for item in v["items"]],
    "array": lambda v, get: get(v["data"]),
}
