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
from napari_lightbox.contract import Technique, registry, values
from napari_lightbox.errors import LightboxError
from napari_lightbox.widgets.table_dock import TableDock

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
    remaining, tables = list(added), shown_tables(viewer)
    for spec, value in zip(technique.outputs, outputs, strict=True):
        if value is None:
            continue
        if isinstance(value, Volume):
            compare_array(remaining.pop(0), value, technique, origin)
        elif isinstance(value, values.Table):
            compare_tables(tables.pop(0), value)
        elif isinstance(value, values.Transform):
            holder = added[0] if added else origin.layer
            kept = holder.metadata["lightbox"]["transform"]
            np.testing.assert_array_equal(kept.matrix, value.matrix)
            assert (kept.field is None) == (value.field is None)
        elif spec.role.name == "value":
            if np.ndim(value) == 0:
                assert f"{value:.6g}" in dock.bar.message.text()
            else:
                np.testing.assert_array_equal(tables.pop(0)["value"], np.ravel(value))
        else:
            compare_geometry(remaining.pop(0), value)
    assert not remaining
    assert not tables


def shown_tables(viewer: Any) -> list[values.Table]:
    """Return the tables of all table docks, in the order in which they were opened."""
    return [widget.table for widget in viewer.window.dock_widgets.values() if isinstance(widget, TableDock)]


def compare_array(layer: Any, value: Volume, technique: Technique, origin: Any) -> None:
    """Compare pixels, layer type, provenance and, where the technique keeps the grid, the place in the world."""
    shown, data = np.asarray(layer.data), np.asarray(value.data)
    if data.ndim == shown.ndim and data.shape != shown.shape:
        data = np.moveaxis(data, -1, 0)
    assert shown.dtype == data.dtype
    np.testing.assert_array_equal(shown, data, strict=True)
    assert type(layer).__name__ == ("Labels" if value.role == "labels" else "Image")
    assert layer.metadata["provenance"][-1]["technique"] == technique.id
    if technique.grid is None and origin.layer is not None and layer.ndim == origin.layer.ndim:
        np.testing.assert_array_equal(layer.scale, origin.layer.scale)
        np.testing.assert_array_equal(layer.translate, origin.layer.translate)
        assert layer.units == origin.layer.units
        assert layer.axis_labels == origin.layer.axis_labels


def compare_geometry(layer: Any, value: Any) -> None:
    """Compare points, shapes, vectors or a surface, features included."""
    assert type(layer).__name__ == type(value).__name__
    if isinstance(value, values.Shapes):
        assert list(layer.shape_type) == list(value.kinds)
        for shown, vertices in zip(layer.data, value.data, strict=True):
            np.testing.assert_allclose(shown, vertices, rtol=1e-6)
    elif isinstance(value, values.Surface):
        np.testing.assert_allclose(layer.vertices, value.vertices, rtol=1e-6)
        np.testing.assert_array_equal(layer.faces, value.faces)
    else:
        np.testing.assert_allclose(layer.data, value.data, rtol=1e-6)
    if getattr(value, "features", None) is not None:
        for name in value.features:
            np.testing.assert_array_equal(layer.features[name], value.features[name])


def compare_tables(shown: values.Table, expected: values.Table) -> None:
    """Compare columns, their order and their units."""
    assert list(shown) == list(expected)
    assert dict(shown.units) == dict(expected.units)
    for name in expected:
        np.testing.assert_array_equal(shown[name], expected[name])


def test_no_threads_are_left() -> None:
    """All runs share one pool of two threads."""
    assert sum(t.name.startswith("lightbox") for t in threading.enumerate()) <= 2
