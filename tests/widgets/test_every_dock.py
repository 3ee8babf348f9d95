"""Every generated dock: fill, press Run, get what `lb.apply` gives."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from tests.widgets.inputs_for import add_layers, example_for

import napari_lightbox as lb
from napari_lightbox.axes import Volume
from napari_lightbox.contract import Technique, registry
from napari_lightbox.errors import LightboxError

pytestmark = pytest.mark.gui


def another_value(technique: Technique) -> dict[str, Any]:
    """Return one parameter with a value other than its default, empty when nothing simple can be changed."""
    for p in technique.parameters:
        if p.advanced or p.optional or p.visible_if is not None or p.unit == "intensity":
            continue
        if p.kind in ("int", "float") and isinstance(p.default, (int, float)):
            step = 2 if p.odd else (p.range.step or 1) if p.kind == "float" else 1
            for value in (p.default + step, p.default - step):
                if (p.range.low is None or value >= p.range.low) and (p.range.high is None or value <= p.range.high):
                    return {p.name: value}
    return {}


@pytest.mark.parametrize("technique", registry.find(kind="technique"), ids=lambda t: t.id)
def test_dock_runs_its_technique(
    technique: Technique, viewer: Any, open_dock: Callable[[str], Any], run_dock: Callable[[Any], None]
) -> None:
    example = example_for(technique)
    layers = add_layers(viewer, technique, example)
    dock = open_dock(technique.id)
    for name, chooser in dock.inputs.choosers.items():
        chooser.choose(layers.get(name))
    dock.form.set_values({**another_value(technique), **example.parameters})
    before = list(viewer.layers)
    request, origin = dock.request()
    try:
        expected = lb.apply(technique.id, *request.inputs, over=request.over, compute=True, **request.parameters)
    except LightboxError as error:
        pytest.fail(f"the sample input does not suit the technique: {error}")
    run_dock(dock)

    from napari.utils.notifications import notification_manager

    assert not notification_manager.records, [r.message for r in notification_manager.records]
    outputs = expected if technique.signature.result is not None else (expected,)
    added = [layer for layer in viewer.layers if layer not in before]
    compare(technique, outputs, added, viewer, dock, origin)


def compare(technique: Technique, outputs: Any, added: list[Any], viewer: Any, dock: Any, origin: Any) -> None:
    """Compare every output with what arrived in the viewer."""
    remaining = list(added)
    for spec, value in zip(technique.outputs, outputs, strict=True):
        if value is None:
            continue
        if isinstance(value, Volume):
            layer = remaining.pop(0)
            shown = np.asarray(layer.data)
            data = np.asarray(value.data)
            if data.ndim == shown.ndim and data.shape != shown.shape:
                data = np.moveaxis(data, -1, 0)
            assert shown.shape == data.shape
            assert shown.dtype == data.dtype
            np.testing.assert_array_equal(shown, data)
            assert type(layer).__name__ == ("Labels" if value.role == "labels" else "Image")
            assert layer.metadata["provenance"][-1]["technique"] == technique.id
            if technique.grid is None and origin.layer is not None and layer.ndim == origin.layer.ndim:
                np.testing.assert_array_equal(layer.scale, origin.layer.scale)
                np.testing.assert_array_equal(layer.translate, origin.layer.translate)
                assert layer.units == origin.layer.units
                assert layer.axis_labels == origin.layer.axis_labels
        elif spec.role.name in ("points", "shapes", "vectors", "surface"):
            layer = remaining.pop(0)
            if spec.role.name == "points":
                np.testing.assert_allclose(layer.data, value.data)
        elif spec.role.name in ("table", "transform"):
            continue
        elif spec.role.name == "value" and np.ndim(value) == 0:
            assert f"{value:.6g}" in dock.bar.message.text()
    assert not remaining


def test_no_threads_are_left() -> None:
    """All runs share one pool of two threads."""
    assert sum(t.name.startswith("lightbox") for t in threading.enumerate()) <= 2
