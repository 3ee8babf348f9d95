"""What the Recipe dock does when images change, go or fail under it: nothing is lost, nothing happens in silence."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Callable
from typing import Any

import dask.array as da
import numpy as np
import pytest
from tests.widgets.conftest import press, process_until
from tests.widgets.reading import as_read
from tests.widgets.recipe.conftest import IMAGE, change, choose, expected, settle, shows

import napari_lightbox as lb
from napari_lightbox.engine.background import BackgroundJob
from napari_lightbox.engine.control import Control
from napari_lightbox.engine.local import execute
from napari_lightbox.engine.request import Request
from napari_lightbox.widgets.runners import shared_runner

pytestmark = pytest.mark.gui


def test_an_image_that_changed_is_not_used_silently(dock: Any, chain: dict[str, Any], ran: list[str]) -> None:
    chain["image"].data[:, 5:20, 5:20] = 255  # in place: napari tells nobody
    change(dock, "Gaussian blur", sigma=3.0)
    assert not dock.steps.banner.isHidden()
    assert "<b>image</b> has changed" in dock.steps.banner.text.text()
    assert ran == []
    shows(chain, expected())
    press(dock.steps.banner.decline)
    assert dock.recipe().steps[0].parameters["sigma"] == 1.0
    change(dock, "Gaussian blur", sigma=2.0)
    press(dock.steps.banner.accept)
    settle(dock)
    shows(chain, expected(chain["image"].data, sigma=2.0))
    change(dock, "Gaussian blur", sigma=3.0)
    assert dock.steps.banner.isHidden(), "it is known now"
    shows(chain, expected(chain["image"].data, sigma=3.0))


def test_the_name_of_an_image_is_not_taken_for_markup(dock: Any, chain: dict[str, Any]) -> None:
    chain["image"].name = "<i>day</i> 1 & 2"
    chain["image"].data[:, 5:20, 5:20] = 255
    change(dock, "Gaussian blur", sigma=3.0)
    assert as_read(dock.steps.banner.text).startswith("<i>day</i> 1 & 2 has changed")


def test_what_a_recipe_was_recorded_from_is_not_taken_for_markup(
    viewer: Any, made: Callable[..., Any], open_recipe: Callable[[], Any]
) -> None:
    from qtpy.QtWidgets import QLabel

    name = "<i>day</i> 1 & 2"
    image = viewer.add_image(IMAGE.copy(), name=name, axis_labels=tuple("zyx"))
    viewer.layers.selection = {made("gaussian_blur", image, name="blur")}
    dock = open_recipe()
    dock.steps.choose(next(row.key for row in dock.steps.rows.rows if row.is_input))
    for panel in (dock.steps.panel, dock.layers):
        assert name in [as_read(label) for label in panel.findChildren(QLabel)]
    dock.files.take_files(["/scans/<i>day.tif"])
    assert "<i>day.tif" in as_read(dock.files.chosen)


def test_labels_corrected_by_hand_are_left_alone(dock: Any, chain: dict[str, Any], viewer: Any) -> None:
    chain["cells"].data_setitem((np.array([2, 2]), np.array([3, 3]), np.array([4, 5])), 77)
    corrected = chain["cells"].data.copy()
    change(dock, "Gaussian blur", sigma=3.0)
    np.testing.assert_array_equal(chain["cells"].data, corrected)
    np.testing.assert_array_equal(viewer.layers[-1].data, expected(sigma=3.0)["cells"])
    assert viewer.layers[-1] is not chain["cells"]


def test_a_step_that_fails_leaves_all_layers_as_they_were(dock: Any, chain: dict[str, Any]) -> None:
    choose(dock, "Watershed from user markers")
    dialog = dock.steps.insert()
    dialog.before.setChecked(True)
    dialog.choose("rescale")
    press(dialog.insert)
    settle(dock)
    failed = next(row for row in dock.steps.rows.rows if row.title == "Watershed from user markers")
    assert failed.state == "failed"
    assert "seeds: has length 5 along 'z', the image has" in dock.message.text()
    shows(chain, expected())
    press(dock.undo_button)
    assert "Rescale" not in [r.title for r in dock.steps.rows.rows]
    assert {r.state for r in dock.steps.rows.rows} == {""}
    change(dock, "Gaussian blur", sigma=2.0)
    shows(chain, expected(sigma=2.0))


def test_a_missing_image_can_be_replaced(dock: Any, chain: dict[str, Any], viewer: Any) -> None:
    viewer.layers.remove(chain["image"])
    change(dock, "Gaussian blur", sigma=3.0)
    assert "is not among the layers" in dock.message.text()
    shows(chain, expected())
    other = viewer.add_image(IMAGE[::-1].copy(), name="other", axis_labels=tuple("zyx"), scale=(2, 1, 1), units=("mm",) * 3)
    dock.steps.choose("input:0")
    dock.steps.panel.layer.choose(other)
    settle(dock)
    shows(chain, expected(other.data, sigma=3.0))


def test_seeds_can_come_from_a_painted_layer(dock: Any, chain: dict[str, Any], viewer: Any) -> None:
    seeds = np.zeros(IMAGE.shape, np.int32)
    seeds[2, 5, 5], seeds[2, 30, 30] = 1, 2
    painted = viewer.add_labels(seeds, name="painted", scale=(2, 1, 1), axis_labels=tuple("zyx"), units=("mm",) * 3)
    choose(dock, "Watershed from user markers")
    combo = dock.steps.panel.sources["seeds"]
    combo.setCurrentIndex(combo.findText("Layer painted"))
    combo.activated.emit(combo.currentIndex())
    settle(dock)
    geometry = lb.Geometry.of("zyx", IMAGE.shape, (2, 1, 1))
    wanted = lb.apply(
        "marker_controlled_watershed",
        *(lb.Volume(a, geometry) for a in (expected()["blur"], painted.data, expected()["objects"])),
    )
    shows(chain, {"cells": wanted.data})
    assert [i.name for i in dock.recipe().inputs] == ["image", "painted"]


def test_lazy_layers_stay_lazy(viewer: Any, made: Callable[..., Any], open_recipe: Callable[[], Any]) -> None:
    reads: list[int] = []

    def read(block: Any) -> Any:
        reads.append(1)
        return block

    stack = np.tile(IMAGE, (8, 1, 1))
    lazy = da.from_array(stack, chunks=(1, -1, -1)).map_blocks(read, dtype=np.uint8, meta=np.empty((0, 0, 0), np.uint8))
    movie = viewer.add_image(lazy, name="movie", axis_labels=tuple("tyx"), contrast_limits=(0, 255))
    blur = made("gaussian_blur", movie, name="blur", sigma=1.0)
    inverted = made("invert_intensity", blur, name="inverted")
    viewer.layers.selection = {inverted}
    dock = open_recipe()
    reads.clear()
    change(dock, "Gaussian blur", sigma=2.0)
    assert isinstance(inverted.data, da.Array)
    assert len(reads) <= 4, "only the visible frame may be read"
    smooth = lb.apply("gaussian_blur", stack[7], axes="yx", sigma=2.0)
    np.testing.assert_array_equal(inverted.data[7].compute(), lb.apply("invert_intensity", smooth, axes="yx"))


def test_the_visible_slice_comes_first(dock: Any, chain: dict[str, Any], viewer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from napari_lightbox.widgets import recipe_glimpse

    gate, runner = threading.Event(), shared_runner()
    submit = runner.submit

    def held(request: Request) -> Any:
        """Keep the runs on whole stacks waiting; slices and lazy results pass."""
        if request.preview or isinstance(request.inputs[0].data, da.Array):
            return submit(request)

        def work(control: Control) -> Any:
            gate.wait(20)
            return execute(request, control).outputs

        return BackgroundJob(work).start()

    monkeypatch.setattr(recipe_glimpse, "SMALLEST", 1)
    monkeypatch.setattr(runner, "submit", held)
    viewer.dims.set_current_step(0, 3)
    choose(dock, "Gaussian blur")
    dock.steps.panel.form.set_values({"sigma": 3.0})
    wanted = expected(sigma=3.0)
    process_until(lambda: np.array_equal(chain["blur"].data[3], wanted["blur"][3]))
    np.testing.assert_array_equal(chain["blur"].data[2], expected()["blur"][2])
    dock.follower.cancel()
    shows(chain, expected())
    dock.steps.update_now()
    gate.set()
    settle(dock)
    shows(chain, wanted)
    press(dock.undo_button)
    shows(chain, expected())


def test_closing_the_dock_during_a_run_puts_everything_back(dock: Any, chain: dict[str, Any], viewer: Any) -> None:
    choose(dock, "Gaussian blur")
    dock.steps.panel.form.set_values({"sigma": 4.0})
    process_until(lambda: chain["blur"].data[0, 0, 0] != -1 and dock.follower._update is not None)
    viewer.window.remove_dock_widget(dock)
    shows(chain, expected())
    process_until(lambda: not [t for t in threading.enumerate() if t.name == "lightbox-check"])


def test_undo_works_after_the_dock_was_closed(
    dock: Any, chain: dict[str, Any], viewer: Any, open_recipe: Callable[[], Any]
) -> None:
    change(dock, "Gaussian blur", sigma=3.0)
    viewer.window.remove_dock_widget(dock)
    again = open_recipe()
    shows(chain, expected(sigma=3.0))
    press(again.undo_button)
    shows(chain, expected())


def test_docks_that_were_closed_leave_nothing(chain: dict[str, Any], viewer: Any, open_recipe: Callable[[], Any]) -> None:
    from napari_lightbox.widgets.recipe_dock import RecipeDock

    left = []
    for _ in range(3):
        dock = RecipeDock(viewer)
        viewer.window.add_dock_widget(dock, name="Recipe")
        change(dock, "Gaussian blur", sigma=2.0 + len(left))
        left += [weakref.ref(part) for part in (dock, dock.follower, dock.steps, dock.files)]
        viewer.window.remove_dock_widget(dock)
        dock.session.history.clear()
        del dock
        finish_deletions()
    gc.collect()
    assert [ref() for ref in left if ref() is not None] == []


def finish_deletions() -> None:
    """Let Qt delete what was closed."""
    from qtpy.QtCore import QEvent
    from qtpy.QtWidgets import QApplication

    for _ in range(5):
        QApplication.processEvents()
        QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
