"""The JSON of OME-Zarr (0.4 and 0.5, and older files when reading): axes, levels, coordinate transformations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from napari_lightbox.axes import Geometry, guess_axes
from napari_lightbox.axes.affine import scaling
from napari_lightbox.io.units import short, spelled

_TYPES = {"t": "time", "c": "channel", "z": "space", "y": "space", "x": "space"}
_DEFAULT = "tczyx"


def content_of(attributes: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the OME part of the attributes of a group (0.5 keeps it under ``"ome"``)."""
    inner = attributes.get("ome")
    return inner if isinstance(inner, Mapping) else attributes


def axes_of(multiscale: Mapping[str, Any], ndim: int) -> str:
    """Return our letters for the axes of an image."""
    listed = multiscale.get("axes")
    if not listed:
        return _DEFAULT[-ndim:]
    axes = ""
    spatial = iter("zyx"[-sum(isinstance(a, Mapping) and a.get("type") == "space" for a in listed) or 3 :])
    for entry in listed:
        name = str(entry.get("name", "") if isinstance(entry, Mapping) else entry).lower()
        kind = entry.get("type") if isinstance(entry, Mapping) else None
        by_kind = next(spatial, "q") if kind == "space" else {"time": "t", "channel": "c"}.get(str(kind), "")
        letter = name if len(name) == 1 and name.isascii() and name.isalpha() else by_kind
        axes += letter if letter and letter not in axes else next(a for a in "qrpuvwhlemaki" if a not in axes)
    return axes


def array_axes(array: Any) -> str:
    """Return the axes of a plain Zarr array: its dimension names when each is a letter, else a guess."""
    names = [str(n).lower() for n in (getattr(array.metadata, "dimension_names", None) or ())]
    if (
        len(names) == array.ndim
        and all(len(n) == 1 and n.isalpha() and n.isascii() for n in names)
        and len(set(names)) == len(names)
    ):
        return "".join(names)
    return guess_axes(tuple(array.shape))


def geometry_of(multiscale: Mapping[str, Any], dataset: Mapping[str, Any], axes: str, shape: tuple[int, ...]) -> Geometry:
    """Return the geometry of one level: its own transformations, then those of the whole image."""
    matrix = np.eye(len(axes) + 1)
    for step in (*dataset.get("coordinateTransformations", ()), *multiscale.get("coordinateTransformations", ())):
        if "scale" in step:
            matrix = scaling([v if v > 0 else 1.0 for v in map(float, step["scale"])]) @ matrix
        elif "translation" in step:
            matrix = scaling([1.0] * len(axes), step["translation"]) @ matrix
    listed = multiscale.get("axes") or [{}] * len(axes)
    units = tuple(short(a.get("unit") if isinstance(a, Mapping) else None) for a in listed)
    return Geometry(axes, shape, matrix, units)


def multiscale_of(name: str, levels: Sequence[Geometry], version: str) -> dict[str, Any]:
    """Return the description of an image whose levels lie at ``"0"``, ``"1"``, ..."""
    axes = [_axis(a, u) for a, u in zip(levels[0].axes, levels[0].units, strict=True)]
    datasets = [
        {
            "path": str(i),
            "coordinateTransformations": [
                {"type": "scale", "scale": list(level.spacing)},
                {"type": "translation", "translation": list(level.origin)},
            ],
        }
        for i, level in enumerate(levels)
    ]
    described: dict[str, Any] = {"name": name, "axes": axes, "datasets": datasets}
    return described | ({"version": version} if version == "0.4" else {})


def group_attributes(ome: Mapping[str, Any], version: str, **more: Any) -> dict[str, Any]:
    """Return the attributes of a group: `ome` in its place for this version, and `more` beside it."""
    return {**ome, **more} if version == "0.4" else {"ome": {"version": version, **ome}, **more}


def _axis(letter: str, unit: str) -> dict[str, str]:
    entry = {"name": letter}
    if letter in _TYPES:
        entry["type"] = _TYPES[letter]
    name = spelled(unit)
    return entry | ({"unit": name} if name and letter != "c" else {})
