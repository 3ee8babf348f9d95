"""Layers that come into the viewer piece by piece."""

from __future__ import annotations

import numpy as np
import pytest
from napari.layers import Image, Labels

from napari_lightbox.widgets.arrival import bring_in, select_soon


@pytest.fixture
def image(viewer):
    return viewer.add_image(np.zeros((8, 8)), name="image")


def labels(name: str = "new") -> Labels:
    return Labels(np.zeros((8, 8), np.uint8), name=name)


def marks(layer) -> list[bool]:
    return [layer._overlays[name].visible for name in ("brush_stroke", "polygon")]


def drawn(viewer, layer) -> int:
    """How many things napari draws on a layer."""
    return len(viewer.window._qt_viewer.canvas._layer_overlay_to_visual[layer])


def test_marks_of_the_brush_follow_one_by_one(viewer, qtbot) -> None:
    plain = labels("plain")
    viewer.add_layer(plain)
    layer = bring_in(viewer, labels())
    assert drawn(viewer, layer) == 0
    seen = set()
    qtbot.waitUntil(lambda: seen.add(drawn(viewer, layer)) or all(marks(layer)))
    assert seen | {drawn(viewer, layer)} == {0, 1, 2}
    assert drawn(viewer, layer) == drawn(viewer, plain)


def test_the_place_and_the_selection(viewer, image) -> None:
    layer = bring_in(viewer, labels(), 0)
    assert list(viewer.layers) == [layer, image]
    assert viewer.layers.selection == {image}
    # napari itself goes on selecting what it adds
    assert viewer.add_labels(np.zeros((8, 8), np.uint8)) in viewer.layers.selection


def test_a_layer_that_is_gone_at_once_has_its_marks_when_it_comes_back(viewer, qtbot) -> None:
    layer = bring_in(viewer, labels())
    viewer.layers.remove(layer)
    qtbot.waitUntil(lambda: all(marks(layer)))
    assert layer not in viewer.window._qt_viewer.canvas._layer_overlay_to_visual
    viewer.layers.append(layer)
    assert drawn(viewer, layer) == 2


def test_the_last_new_layer_is_selected(viewer, qtbot) -> None:
    first, last = bring_in(viewer, labels("first")), bring_in(viewer, labels("last"))
    select_soon(viewer, [first, last])
    qtbot.waitUntil(lambda: viewer.layers.selection == {last})


@pytest.mark.parametrize("gone", [True, False])
def test_nothing_is_selected_against_the_user(viewer, image, qtbot, gone) -> None:
    layer, other = bring_in(viewer, labels()), viewer.add_image(np.zeros((8, 8)), name="other")
    viewer.layers.selection.active = image
    select_soon(viewer, [layer])
    if gone:
        viewer.layers.remove(layer)
    else:
        viewer.layers.selection.active = other
    qtbot.waitUntil(lambda: all(marks(layer)))
    assert viewer.layers.selection.active is (image if gone else other)


def test_layers_without_marks_and_viewers_without_windows() -> None:
    from napari.components import ViewerModel

    viewer = ViewerModel()
    image, layer = bring_in(viewer, Image(np.zeros((4, 4)))), bring_in(viewer, labels())
    select_soon(viewer, [image, layer])
    assert viewer.layers.selection == {layer}
    assert all(marks(layer))
