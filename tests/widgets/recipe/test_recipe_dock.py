"""Edits in the Recipe dock: everything downstream follows, can be undone, and what cannot be says why."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from tests.widgets.conftest import press, process_until
from tests.widgets.recipe.conftest import IMAGE, change, choose, expected, key, settle, shows

import napari_lightbox as lb
from napari_lightbox.engine.recipes import recipe_of

pytestmark = pytest.mark.gui


def test_the_graph_behind_a_layer_is_shown(dock: Any) -> None:
    rows = dock.steps.rows.rows
    assert [r.title for r in rows] == [
        "image",
        "Gaussian blur",
        "Otsu threshold",
        "Connected components",
        "Watershed from user markers",
    ]
    assert [r.lanes.own for r in rows] == [0, 0, 1, 2, 0]
    assert rows[-1].lanes.joining == (0, 2, 1)
    assert rows[-1].is_target
    threshold = lb.apply("threshold_otsu", expected()["blur"]).threshold
    assert rows[2].detail == f"defaults; threshold {threshold:.6g}", "what was estimated is told"
    assert [r.layers for r in rows[1:]] == [("blur",), ("objects",), ("parts",), ("cells",)]


def test_everything_downstream_follows_in_place(dock: Any, chain: dict[str, Any], viewer: Any, ran: list[str]) -> None:
    before = list(viewer.layers)
    change(dock, "Gaussian blur", sigma=3.0)
    shows(chain, expected(sigma=3.0))
    assert list(viewer.layers) == before, "layers are changed in place"
    assert ran == ["gaussian_blur", "threshold_otsu", "connected_components", "marker_controlled_watershed"]
    ran.clear()
    change(dock, "Connected components", connectivity=3)
    shows(chain, expected(sigma=3.0, connectivity=3))
    assert ran == ["connected_components", "marker_controlled_watershed"], "only what depends on the change runs"
    volume = lb.Volume(chain["cells"].data, lb.Geometry.of("zyx", IMAGE.shape), chain["cells"].metadata)
    assert recipe_of(volume).steps[0].parameters["sigma"] == 3.0, "the layer knows how it was made now"
    np.testing.assert_array_equal(chain["cells"].scale, (2, 1, 1))


def test_edits_are_undone_and_redone_without_running(dock: Any, chain: dict[str, Any], ran: list[str]) -> None:
    change(dock, "Gaussian blur", sigma=3.0)
    change(dock, "Connected components", connectivity=3)
    ran.clear()
    assert dock.undo_button.toolTip() == "Undo: Connected components: connectivity 3"
    press(dock.undo_button)
    shows(chain, expected(sigma=3.0))
    press(dock.undo_button)
    shows(chain, expected())
    choose(dock, "Gaussian blur")
    assert dock.steps.panel.form.values()["sigma"] == 1.0
    press(dock.redo_button)
    press(dock.redo_button)
    shows(chain, expected(sigma=3.0, connectivity=3))
    assert ran == []
    change(dock, "Gaussian blur", sigma=1.0)
    shows(chain, expected(connectivity=3))


def test_a_newer_change_replaces_the_older_one(dock: Any, chain: dict[str, Any]) -> None:
    choose(dock, "Gaussian blur")
    for sigma in (2.0, 4.0, 3.0):
        dock.steps.panel.form.set_values({"sigma": sigma})
        process_until(lambda: dock.follower._update is not None or not dock.busy)
    settle(dock)
    shows(chain, expected(sigma=3.0))
    press(dock.undo_button)
    shows(chain, expected())


def test_the_form_keeps_the_cursor_while_layers_follow(dock: Any) -> None:
    choose(dock, "Gaussian blur")
    form = dock.steps.panel.form
    form.set_values({"sigma": 2.0})
    settle(dock)
    assert dock.steps.panel.form is form


def test_a_value_with_more_digits_than_shown_is_kept(
    viewer: Any, made: Callable[..., Any], open_recipe: Callable[[], Any]
) -> None:
    image = viewer.add_image(IMAGE, name="image", axis_labels=tuple("zyx"))
    blur = made("gaussian_blur", image, name="blur", sigma=1.0 + 1e-13, truncate=3.0)
    viewer.layers.selection = {blur}
    dock = open_recipe()
    change(dock, "Gaussian blur", truncate=2.0)
    (step,) = dock.recipe().steps
    assert step.parameters["sigma"] == 1.0 + 1e-13
    assert step.parameters["truncate"] == 2.0


def test_space_switches_a_step_off_and_on(dock: Any, chain: dict[str, Any]) -> None:
    choose(dock, "Gaussian blur")
    key(dock, "Space")
    source = lb.Volume(IMAGE, lb.Geometry.of("zyx", IMAGE.shape, (2, 1, 1)))
    objects = lb.apply("threshold_otsu", source).labels
    parts = lb.apply("connected_components", objects)
    cells = lb.apply("marker_controlled_watershed", source, parts, objects)
    shows(chain, {"objects": objects.data, "parts": parts.data, "cells": cells.data, "blur": expected()["blur"]})
    assert not chain["blur"].visible
    key(dock, "Space")
    shows(chain, expected())
    assert chain["blur"].visible
    press(dock.undo_button)
    assert not chain["blur"].visible
    shows(chain, {"cells": cells.data})


def test_what_cannot_be_says_why_and_changes_nothing(dock: Any, chain: dict[str, Any], ran: list[str]) -> None:
    before = dock.recipe().to_json()
    choose(dock, "Otsu threshold")
    key(dock, "Space")
    assert "Connected components: takes labels as mask, but Gaussian blur gives an image" in dock.message.text()
    key(dock, "Up", "AltModifier")
    assert "also serves" in dock.message.text()
    assert dock.recipe().to_json() == before
    assert ran == []
    shows(chain, expected())


def test_removing_a_step_keeps_its_layer(dock: Any, chain: dict[str, Any], viewer: Any) -> None:
    blur = chain["blur"].data
    choose(dock, "Gaussian blur")
    key(dock, "Delete")
    assert [r.title for r in dock.steps.rows.rows][:2] == ["image", "Otsu threshold"]
    assert chain["blur"] in viewer.layers
    assert chain["blur"].data is blur
    source = lb.Volume(IMAGE, lb.Geometry.of("zyx", IMAGE.shape, (2, 1, 1)))
    shows(chain, {"objects": lb.apply("threshold_otsu", source).labels.data})
    press(dock.undo_button)
    shows(chain, expected())


def test_inserting_behind_the_result_adds_a_layer(dock: Any, chain: dict[str, Any], viewer: Any) -> None:
    choose(dock, "Watershed from user markers")
    dialog = dock.steps.insert()
    dialog.search.setText("gaussian")
    assert "gives labels" in dialog.reason.text()
    assert not dialog.insert.isEnabled()
    dialog.search.clear()
    dialog.choose("distance_transform")
    press(dialog.insert)
    settle(dock)
    added = viewer.layers[-1]
    wanted = lb.apply(
        "distance_transform", lb.Volume(expected()["cells"], lb.Geometry.of("zyx", IMAGE.shape, (2, 1, 1)))
    ).distance
    np.testing.assert_array_equal(added.data, wanted.data)
    assert dock.result.chosen() is added
    press(dock.undo_button)
    assert added not in viewer.layers
    press(dock.redo_button)
    assert viewer.layers[-1] is added
    change(dock, "Gaussian blur", sigma=2.0)
    again = lb.apply("distance_transform", lb.Volume(expected(sigma=2.0)["cells"], lb.Geometry.of("zyx", IMAGE.shape, (2, 1, 1))))
    np.testing.assert_array_equal(added.data, again.distance.data)


def test_branches_follow_too(
    viewer: Any, made: Callable[..., Any], chain: dict[str, Any], open_recipe: Callable[[], Any]
) -> None:
    edges = made("gradient_magnitude", chain["blur"], name="edges")
    viewer.layers.selection = {chain["blur"]}
    dock = open_recipe()
    change(dock, "Gaussian blur", sigma=2.0)
    shows(chain, expected(sigma=2.0))
    source = lb.Volume(expected(sigma=2.0)["blur"], lb.Geometry.of("zyx", IMAGE.shape, (2, 1, 1)))
    np.testing.assert_array_equal(edges.data, lb.apply("gradient_magnitude", source).data)
    assert [s.technique for s in dock.recipe().steps] == ["gaussian_blur"], "saved is what the layer looked at needs"
