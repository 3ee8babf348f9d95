"""The zarr.json of an array that is stored as it is: Zarr v3, regular chunks, little-endian, not compressed."""

from __future__ import annotations

from typing import Any

from napari_lightbox.wire import ArrayCard


def zarr_json(card: ArrayCard, separator: str) -> dict[str, Any]:
    """Return the metadata of an array, the numbers in whose chunks' names are separated by a slash or a dot."""
    zero: Any = {"b": False, "f": 0.0, "c": [0.0, 0.0]}.get(card.kind.kind, 0)
    return {
        "zarr_format": 3,
        "node_type": "array",
        "shape": list(card.shape),
        "data_type": card.kind.name,
        "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": list(card.chunks)}},
        "chunk_key_encoding": {"name": "default", "configuration": {"separator": separator}},
        "fill_value": zero,
        "codecs": [{"name": "bytes", "configuration": {"endian": "little"}}],
        "attributes": {},
    }
