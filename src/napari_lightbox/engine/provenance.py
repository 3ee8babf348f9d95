"""How a result was made: kept with every Volume."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from napari_lightbox import __version__
from napari_lightbox.axes import Volume
from napari_lightbox.engine.bind import Bound
from napari_lightbox.engine.inputs import Source

KEY = "provenance"


def record(bound: Bound) -> dict[str, Any]:
    """Return one provenance step as JSON-ready data."""
    return {
        "technique": bound.technique.id,
        "version": __version__,
        "parameters": {name: _plain(value) for name, value in bound.parameters.items()},
        "over": bound.over,
        "inputs": [
            _describe(source) for source in (*bound.arrays, *bound.values.values(), bound.mask) if isinstance(source, Source)
        ],
    }


def steps_of(metadata: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the provenance steps kept in some metadata."""
    return list(metadata.get(KEY, ()))


def with_provenance(bound: Bound, outputs: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return the outputs with what was done appended to the history of the first input."""
    assert bound.first.volume is not None
    inherited = bound.first.volume.metadata
    history = [*steps_of(inherited), record(bound)]
    name = bound.first.volume.name
    title = f"{name} {bound.technique.title}".strip()
    return tuple(replace(o, metadata={**inherited, KEY: history}, name=title) if isinstance(o, Volume) else o for o in outputs)


def _describe(source: Source) -> dict[str, Any]:
    return {
        "input": source.name,
        "name": source.volume.name if source.volume is not None else "",
        "axes": source.axes,
        "axes_guessed": source.guessed,
        "shape": list(source.data.shape),
        "dtype": str(source.data.dtype),
    }


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
