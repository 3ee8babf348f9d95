"""Everything a run needs, as one value that survives JSON plus array references."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from napari_lightbox.axes import Volume
from napari_lightbox.engine.encoding import Get, Put, decode, encode, plain, unplain

__all__ = ["Region", "Request", "decode", "encode"]

Region = tuple[slice, ...]


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
            "parameters": plain(self.parameters),
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
            parameters=unplain(data["parameters"]),
            mask=decode(data["mask"], get),
            over=data["over"],
            region=None if region is None else tuple(slice(a, b) for a, b in region),
            preview=data["preview"],
            lazy=data["lazy"],
        )
