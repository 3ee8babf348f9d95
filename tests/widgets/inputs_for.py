"""Layers that can serve as the inputs of any technique."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from tests.technique_hints import HINTS

from napari_lightbox.contract import Technique
from napari_lightbox.contract.signature import InputSpec
from napari_lightbox.contract.values import Points, Shapes, Table, Transform
from napari_lightbox.testing.examples import Example, make_example
from napari_lightbox.testing.technique_suite import Hint

LABELS = ("labels", "seeds", "mask")


def example_for(technique: Technique) -> Example:
    """Return a small example over as many axes as the technique can work over."""
    hint = HINTS.get(technique.id, Hint())
    ndim = max(technique.spatial) if technique.over is None else len(technique.over)
    example = make_example(technique, ndim=ndim, parameters=hint.parameters, maker=hint.maker, shape=hint.shapes.get(ndim))
    return _coloured(example) if technique.channels == "rgb" and isinstance(example.first, np.ndarray) else example


def _coloured(example: Example) -> Example:
    # models know how many channels they take
    taught = any(isinstance(value, str) for value in example.inputs)
    if "c" in example.axes or example.first.dtype != np.uint8 or taught:
        return example
    gray = example.first
    colour = np.stack([gray, gray[..., ::-1], 255 - gray], axis=-1)
    return replace(example.with_first(colour), axes=example.axes + "c")


def add_layers(viewer: Any, technique: Technique, example: Example) -> dict[str, Any]:
    """Add a layer for every input of an example and return them by name."""
    layers: dict[str, Any] = {}
    for spec, value in zip(technique.inputs, example.inputs, strict=False):
        if isinstance(value, (list, tuple)):
            layers[spec.name] = [_layer(viewer, spec, v, example.axes[-v.ndim :]) for v in value]
        elif value is not None:
            colour = spec is technique.inputs[0] and example.axes.endswith("c")
            layers[spec.name] = _layer(viewer, spec, value, example.axes.removesuffix("c"), colour)
    return layers


def place(axes: str) -> dict[str, Any]:
    """Return an anisotropic place with an origin and units."""
    steps, origin = {"z": 2.0, "t": 1.0}, {"z": 4.0, "y": 1.0, "x": -3.0}
    return {
        "scale": [steps.get(a, 0.5) for a in axes],
        "translate": [origin.get(a, 0.0) for a in axes],
        "units": ["s" if a == "t" else "mm" for a in axes],
        "axis_labels": tuple(axes),
    }


def _layer(viewer: Any, spec: InputSpec, value: Any, axes: str, colour: bool = False) -> Any:
    if isinstance(value, np.ndarray):
        keywords = place(axes if colour else axes[-value.ndim :])
        if spec.role.name in LABELS:
            return viewer.add_labels(value.astype(np.int32), name=spec.name, **keywords)
        return viewer.add_image(value, name=spec.name, rgb=colour, **keywords)
    if spec.role.name == "model":
        return value
    if isinstance(value, Points):
        return viewer.add_points(value.data, name=spec.name, **place(axes))
    if isinstance(value, Shapes):
        return viewer.add_shapes(list(value.data), shape_type=list(value.kinds), name=spec.name, **place(axes))
    if isinstance(value, Transform):
        return viewer.add_points(np.zeros((1, len(axes))), name=spec.name, metadata={"lightbox": {"transform": value}})
    if isinstance(value, Table):
        return viewer.add_points(np.zeros((len(value), len(axes))), features=dict(value.columns), name=spec.name)
    raise NotImplementedError(spec.role.name)
