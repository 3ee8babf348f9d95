"""Every change of a Labels layer is heard once, as exactly the pixels that changed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from tests.widgets.annotate.conftest import two_discs

pytestmark = pytest.mark.gui


class Ear:
    """Keeps a copy of a layer in step through what is heard alone."""

    def __init__(self, layer: Any) -> None:
        from napari_lightbox.widgets.annotate.brush import Brush

        self.copy = np.array(layer.data)
        self.kinds: list[str] = []
        self.ids: list[frozenset[int]] = []
        self.replaced = 0
        self.brush = Brush(layer, self.hear, self.replace)

    def hear(self, kind: str, delta: Any, ids: frozenset[int]) -> None:
        delta.redo(self.copy)
        self.kinds.append(kind)
        self.ids.append(ids)

    def replace(self) -> None:
        self.replaced += 1


@pytest.fixture
def painted(viewer: Any) -> tuple[Any, Ear]:
    image, _ = two_discs(3)
    viewer.add_image(image, axis_labels=tuple("zyx"))
    layer = viewer.add_labels(np.zeros(image.shape, np.int32), axis_labels=tuple("zyx"))
    layer.mode, layer.brush_size, layer.n_edit_dimensions = "paint", 5, 2
    viewer.dims.set_current_step(0, 1)
    return layer, Ear(layer)


def test_mouse_strokes_overlapping_and_erased(painted: Any, stroke: Callable[..., None]) -> None:
    layer, ear = painted
    layer.selected_label = 3
    stroke(layer, (20, 20), (20, 60), (24, 20))
    layer.selected_label = 5
    stroke(layer, (10, 40), (50, 40))
    layer.mode = "erase"
    stroke(layer, (20, 30), (20, 45))
    assert ear.kinds == ["paint"] * 3, "one stroke is one change"
    assert ear.ids == [frozenset({0, 3}), frozenset({0, 3, 5}), frozenset({0, 3, 5})]
    assert set(np.unique(layer.data)) == {0, 3, 5}
    assert not layer.data[0].any()
    np.testing.assert_array_equal(ear.copy, layer.data)


def test_fill_polygon_and_single_pixels(painted: Any, stroke: Callable[..., None]) -> None:
    layer, ear = painted
    stroke(layer, (10, 10), (10, 30))
    layer.mode, layer.selected_label = "fill", 7
    stroke(layer, (60, 60))
    np.testing.assert_array_equal(ear.copy, layer.data)
    layer.paint_polygon([(1, 5, 5), (1, 5, 70), (1, 60, 70)], 2)
    layer.data_setitem((np.array([0, 2, 2]), np.array([4, 5, 5]), np.array([6, 7, 8])), np.array([9, 9, 8]))
    layer.fill((1, 10, 12), 4)
    assert ear.kinds == ["paint"] * 5
    np.testing.assert_array_equal(ear.copy, layer.data)


def test_undo_and_redo_of_napari_are_heard(painted: Any, stroke: Callable[..., None]) -> None:
    layer, ear = painted
    stroke(layer, (10, 10), (10, 30))
    first = layer.data.copy()
    layer.selected_label = 2
    stroke(layer, (10, 20), (40, 20), (10, 24))
    layer.undo()
    np.testing.assert_array_equal(layer.data, first)
    np.testing.assert_array_equal(ear.copy, first)
    layer.undo()
    layer.redo()
    layer.redo()
    np.testing.assert_array_equal(ear.copy, layer.data)
    layer.undo()
    stroke(layer, (60, 10), (60, 30))
    assert ear.kinds == ["paint", "paint", "undo", "undo", "redo", "redo", "undo", "paint"]
    np.testing.assert_array_equal(ear.copy, layer.data)


def test_moving_the_slider_is_no_change(painted: Any, stroke: Callable[..., None], viewer: Any) -> None:
    layer, ear = painted
    stroke(layer, (10, 10), (10, 30))
    layer.undo()
    for step in (0, 2, 1):
        viewer.dims.set_current_step(0, step)
    layer.refresh()
    assert ear.kinds == ["paint", "undo"]


def test_another_array_is_noticed(painted: Any) -> None:
    layer, ear = painted
    layer.data = np.ones_like(layer.data)
    layer.data = np.zeros_like(layer.data)
    assert ear.replaced == 2
    assert ear.kinds == []


def test_stroke_on_a_chunked_array(viewer: Any, stroke: Callable[..., None]) -> None:
    from napari_lightbox.settings import override
    from napari_lightbox.widgets.annotate.seeds import blank

    with override(memory_budget="1MiB"):
        data = blank((4, 300, 400))
    assert not isinstance(data, np.ndarray)
    viewer.add_image(np.zeros((4, 300, 400), np.uint8))
    layer = viewer.add_labels(data)
    layer.mode, layer.brush_size = "paint", 9
    ear = Ear(layer)
    stroke(layer, (50, 50), (200, 300))
    layer.undo()
    layer.redo()
    assert ear.kinds == ["paint", "undo", "redo"]
    assert np.asarray(layer.data[:]).any()
    np.testing.assert_array_equal(ear.copy, np.asarray(layer.data[:]))
