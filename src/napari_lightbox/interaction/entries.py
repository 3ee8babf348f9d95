"""What an interactive segmentation consists of, one entry per thing that was done, and each entry as JSON."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np

from napari_lightbox.axes import Geometry
from napari_lightbox.interaction.deltas import Delta
from napari_lightbox.interaction.layout import Layout
from napari_lightbox.interaction.pieces import Box

Store: TypeAlias = Callable[[bytes], Any]
Fetch: TypeAlias = Callable[[Any], bytes]

#: what stands in a request for the pixels of an input that is logged elsewhere; its name follows
INPUT = "input:"


@dataclass(frozen=True, eq=False)
class SourceAdded:
    """An image that runs read."""

    name: str
    geometry: Geometry
    dtype: np.dtype[Any]
    role: str
    path: str | None
    layout: Layout


@dataclass(frozen=True, eq=False)
class TargetAdded:
    """A Labels layer that is painted or written into; `initial` leads from zeros to what it held."""

    name: str
    geometry: Geometry
    dtype: np.dtype[Any]
    initial: Delta | None


@dataclass(frozen=True, eq=False)
class Painted:
    """Pixels of a target changed by hand, by undo or by redo."""

    target: str
    delta: Delta


@dataclass(frozen=True, eq=False)
class Ran:
    """A run of an engine.

    Parameters
    ----------
    number
        Runs are counted from 0.
    request
        The request as JSON; pixels are ``"input:<name>"`` or ``"array:<hash>"``.
    sources
        Input name to ``"source:<name>"`` or ``"target:<name>"``.
    boxes
        Input name to the part of the source or target that it was cut from, for inputs that were cut.
    """

    number: int
    request: Mapping[str, Any]
    sources: Mapping[str, str]
    boxes: Mapping[str, Box] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Accepted:
    """The result of a run written into a target; `fingerprint` is that of the change it made, where known."""

    run: int
    target: str
    ids: tuple[int, ...] | None
    region: Box | None
    fingerprint: str | None = None


Entry: TypeAlias = SourceAdded | TargetAdded | Painted | Ran | Accepted


def to_json(entry: Entry, store: Store) -> dict[str, Any]:
    """Return JSON-ready data; `store` keeps the bytes of a change and returns where they are."""
    if isinstance(entry, SourceAdded):
        return {
            "do": "source",
            "name": entry.name,
            "geometry": entry.geometry.to_json(),
            "dtype": entry.dtype.str,
            "role": entry.role,
            "path": entry.path,
            "layout": entry.layout.to_json(),
        }
    if isinstance(entry, TargetAdded):
        initial = None if entry.initial is None else store(entry.initial.to_bytes())
        geometry = entry.geometry.to_json()
        return {"do": "target", "name": entry.name, "geometry": geometry, "dtype": entry.dtype.str, "initial": initial}
    if isinstance(entry, Painted):
        return {"do": "paint", "target": entry.target, "change": store(entry.delta.to_bytes())}
    if isinstance(entry, Ran):
        boxes = {name: edges(box) for name, box in entry.boxes.items()}
        return {
            "do": "run",
            "number": entry.number,
            "request": dict(entry.request),
            "sources": dict(entry.sources),
            "boxes": boxes,
        }
    return {
        "do": "accept",
        "run": entry.run,
        "target": entry.target,
        "ids": None if entry.ids is None else list(entry.ids),
        "region": None if entry.region is None else edges(entry.region),
        "fingerprint": entry.fingerprint,
    }


def from_json(data: Mapping[str, Any], fetch: Fetch) -> Entry:
    """Return the entry behind `to_json`; whatever is wrong raises KeyError, TypeError, ValueError or our own errors."""
    return _READERS[data["do"]](data, fetch)


def edges(box: Box) -> list[list[int]]:
    """Return start and stop along each axis."""
    return [[int(s.start), int(s.stop)] for s in box]


def box_of(pairs: Any) -> Box:
    """Return the box behind `edges`."""
    return tuple(slice(_whole(a), _whole(b)) for a, b in pairs)


def _source(data: Mapping[str, Any], _fetch: Fetch) -> Entry:
    path = None if data["path"] is None else str(data["path"])
    layout = Layout.from_json(data["layout"])
    if data["role"] not in ("image", "labels"):
        raise ValueError(f"role {data['role']!r}")
    return SourceAdded(str(data["name"]), _geometry(data), _dtype(data["dtype"], "iufbc"), data["role"], path, layout)


def _target(data: Mapping[str, Any], fetch: Fetch) -> Entry:
    initial = None if data["initial"] is None else Delta.from_bytes(fetch(data["initial"]))
    return TargetAdded(str(data["name"]), _geometry(data), _dtype(data["dtype"], "iub"), initial)


def _run(data: Mapping[str, Any], _fetch: Fetch) -> Entry:
    sources = {str(k): str(v) for k, v in data["sources"].items()}
    boxes = {str(k): box_of(v) for k, v in data["boxes"].items()}
    return Ran(_whole(data["number"]), dict(data["request"]), sources, boxes)


def _accept(data: Mapping[str, Any], _fetch: Fetch) -> Entry:
    ids = None if data["ids"] is None else tuple(_whole(i) for i in data["ids"])
    region = None if data["region"] is None else box_of(data["region"])
    return Accepted(_whole(data["run"]), str(data["target"]), ids, region, data["fingerprint"])


_READERS: dict[str, Callable[[Mapping[str, Any], Fetch], Entry]] = {
    "source": _source,
    "target": _target,
    "paint": lambda data, fetch: Painted(str(data["target"]), Delta.from_bytes(fetch(data["change"]))),
    "run": _run,
    "accept": _accept,
}


def _geometry(data: Mapping[str, Any]) -> Geometry:
    return Geometry.from_json(data["geometry"])


def _dtype(name: str, kinds: str) -> np.dtype[Any]:
    dtype = np.dtype(str(name))
    if dtype.kind not in kinds:
        raise ValueError(f"type {dtype}")
    return dtype


def _whole(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{value!r} is not a whole number")
    return value
