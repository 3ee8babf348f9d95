"""Undo and redo over everything, and how that meets napari's own brush undo."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from tests.widgets.annotate.conftest import paint_all, settle
from tests.widgets.conftest import press

pytestmark = pytest.mark.gui


def key(viewer: Any, text: str) -> None:
    """Press a key over the canvas, through napari's own key handling."""
    assert viewer.window._qt_viewer.canvas._key_map_handler.press_key(text), f"{text} does nothing"


def accepted(dock: Any) -> Any:
    press(dock.panel.accept)
    settle(dock)
    return dock.panel.target.chosen()


def test_everything_back_to_the_beginning_and_forth_again(scene: Any, viewer: Any, stroke: Callable[..., None]) -> None:
    dock, seeds, _ = scene
    states: list[Any] = []

    def state() -> tuple[Any, ...]:
        target = dock.panel.target.chosen()
        held = None if target is None else target.data.tobytes()
        names = tuple(layer.name for layer in viewer.layers if layer.name != "Preview")
        return names, seeds.data.tobytes(), held, str(dock.panel.form.values())

    def done() -> None:
        settle(dock)
        states.append(state())

    stroke(seeds, (36, 30), (44, 40))
    done()
    press(dock.panel.background)
    stroke(seeds, (6, 6), (6, 110))
    done()
    dock.panel.form.set_values({"connectivity": 2})
    done()
    accepted(dock)
    done()
    seeds.selected_label = 2
    stroke(seeds, (36, 80), (44, 90))
    done()
    accepted(dock)
    done()
    press(dock.objects.merge) if dock.objects.merge.isEnabled() else None
    dock.objects.table.selectAll()
    press(dock.objects.merge)
    done()
    seen = []
    for _ in range(len(states) - 1):
        press(dock.undo)
        settle(dock)
        seen.append(state())
    assert seen == states[-2::-1]
    for wanted in states[1:]:
        press(dock.redo)
        settle(dock)
        assert state()[:2] == wanted[:2]
        assert state()[3] == wanted[3]
    final = next(layer for layer in viewer.layers if layer.name == "discs objects")
    assert final.data.tobytes() == states[-1][2]


def test_ctrl_z_takes_back_strokes_and_then_what_is_newer_or_older(scene: Any, viewer: Any, stroke: Callable[..., None]) -> None:
    dock, seeds, _ = scene
    paint_all(dock, seeds, stroke)
    target = accepted(dock)
    viewer.layers.selection.active = target
    target.mode, target.brush_size = "paint", 5
    filled = target.data.copy()
    target.selected_label = 2
    stroke(target, (60, 20), (60, 30))
    assert (target.data != filled).any()
    key(viewer, "Control-Z")
    np.testing.assert_array_equal(target.data, filled)
    key(viewer, "Control-Shift-Z")
    assert (target.data != filled).any()
    key(viewer, "Control-Z")
    key(viewer, "Control-Z")
    assert target not in viewer.layers, "the accept made the layer"
    assert np.count_nonzero(target.data) == 0
    settle(dock)
    viewer.layers.selection.active = seeds
    full = seeds.data.copy()
    key(viewer, "Control-Z")
    settle(dock)
    assert (seeds.data != full).any(), "strokes from before the accept come back one by one"
    press(dock.redo)
    press(dock.redo)
    settle(dock)
    np.testing.assert_array_equal(target.data, filled)
    np.testing.assert_array_equal(seeds.data, full)


def test_undo_in_one_layer_after_painting_in_another(scene: Any, viewer: Any, stroke: Callable[..., None]) -> None:
    dock, seeds, _ = scene
    other = viewer.add_labels(np.zeros_like(seeds.data), name="other", scale=seeds.scale, translate=seeds.translate)
    dock.panel.target.choose(other)
    viewer.layers.selection.active = seeds
    stroke(seeds, (36, 30), (44, 40))
    viewer.layers.selection.active = other
    other.mode, other.brush_size = "paint", 5
    stroke(other, (60, 20), (60, 30))
    painted = other.data.copy()
    viewer.layers.selection.active = seeds
    key(viewer, "Control-Z")
    settle(dock)
    assert not seeds.data.any(), "Ctrl+Z means the selected layer"
    np.testing.assert_array_equal(other.data, painted)
    press(dock.undo)
    settle(dock)
    assert seeds.data.any(), "our undo takes back the last thing that was done: that Ctrl+Z"
    press(dock.undo)
    assert not other.data.any()


def test_change_behind_our_back_is_said_and_nothing_is_overwritten(scene: Any, viewer: Any, stroke: Callable[..., None]) -> None:
    from napari.utils.notifications import notification_manager

    dock, seeds, _ = scene
    paint_all(dock, seeds, stroke)
    target = accepted(dock)
    target.data[2, 40, 35] = 77
    held = target.data.copy()
    press(dock.undo)
    np.testing.assert_array_equal(target.data, held)
    assert "changed in the meantime" in notification_manager.records[-1].message
    count = np.count_nonzero(seeds.data)
    press(dock.undo)
    settle(dock)
    assert np.count_nonzero(seeds.data) < count, "older steps can still be taken back"


def test_another_array_ends_the_steps_of_that_layer_alone(scene: Any, viewer: Any, stroke: Callable[..., None]) -> None:
    dock, seeds, _ = scene
    paint_all(dock, seeds, stroke)
    accepted(dock)
    seeds.data = np.zeros_like(seeds.data)
    settle(dock)
    assert dock.session.history.undo_title == "accept of 2 objects into discs objects"
    press(dock.undo)
    settle(dock)
    assert "discs objects" not in viewer.layers
    assert dock.session.history.undo_title == "new layer discs seeds"


def test_deleted_layer_takes_its_steps_along(scene: Any, viewer: Any, stroke: Callable[..., None]) -> None:
    dock, seeds, _ = scene
    paint_all(dock, seeds, stroke)
    target = accepted(dock)
    viewer.layers.remove(target)
    settle(dock)
    assert dock.session.history.undo_title == "stroke in discs seeds"
    viewer.layers.remove(seeds)
    settle(dock)
    assert dock.session.history.undo_title is None
    assert not dock.undo.isEnabled()


def test_shortcuts_do_what_they_say_and_clash_with_none_of_napari(scene: Any, viewer: Any, stroke: Callable[..., None]) -> None:
    from napari.layers import Image, Labels, Points, Shapes
    from napari.utils.key_bindings import coerce_keybinding
    from napari.utils.shortcuts import default_shortcuts

    from napari_lightbox.widgets.annotate.shortcuts import SHORTCUTS, help_html

    taken = {str(k) for keys in default_shortcuts.values() for k in keys}
    for kind in (type(viewer), Image, Labels, Points, Shapes):
        taken |= {str(k) for k in kind.class_keymap}
    ours = {str(coerce_keybinding(s.key)) for s in SHORTCUTS.values()}
    assert len(ours) == len(SHORTCUTS)
    assert not ours & taken
    assert all(s.shown in help_html() for s in SHORTCUTS.values())

    dock, seeds, _ = scene
    stroke(seeds, (36, 30), (44, 40))
    key(viewer, SHORTCUTS["new_object"].key)
    assert seeds.selected_label == 2
    stroke(seeds, (36, 80), (44, 90))
    key(viewer, SHORTCUTS["background"].key)
    assert seeds.selected_label == 65535
    dock.panel.live.setChecked(False)
    stroke(seeds, (6, 6), (6, 110))
    stroke(seeds, (74, 60), (10, 60))
    settle(dock)
    key(viewer, SHORTCUTS["run"].key)
    settle(dock)
    key(viewer, SHORTCUTS["accept"].key)
    settle(dock)
    target = dock.panel.target.chosen()
    assert set(np.unique(target.data)) == {0, 1, 2}
    key(viewer, SHORTCUTS["next_object"].key)
    assert seeds.selected_label == 1
    key(viewer, SHORTCUTS["next_object"].key)
    assert seeds.selected_label == 2
    key(viewer, SHORTCUTS["previous_object"].key)
    assert seeds.selected_label == 1
    key(viewer, SHORTCUTS["run"].key)
    settle(dock)
    assert dock.segmenting.preview.pieces
    key(viewer, SHORTCUTS["discard"].key)
    assert not dock.segmenting.preview.pieces
    key(viewer, SHORTCUTS["undo"].key)
    assert target not in viewer.layers
    key(viewer, SHORTCUTS["redo"].key)
    assert target in viewer.layers
    settle(dock)
