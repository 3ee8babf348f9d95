"""What a dock does beyond its result: lazy results, writing into labels, preview, cancel, errors, closing."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Callable
from typing import Any

import dask.array as da
import numpy as np
import pytest
from tests.widgets.conftest import new_viewer, press, process_until
from tests.widgets.reading import as_read

import napari_lightbox as lb
from napari_lightbox.errors import MemoryForecastError

pytestmark = pytest.mark.gui

IMAGE = np.random.default_rng(0).integers(0, 200, (6, 40, 50)).astype(np.uint8)


def settle(dock: Any) -> None:
    """Wait until the live preview shows what the form says."""
    process_until(lambda: not dock.preview.busy)


def test_lazy_input_gives_a_lazy_layer_at_once(viewer: Any, open_dock: Callable[[str], Any], run_dock: Any) -> None:
    reads: list[Any] = []

    def read(block: Any, block_info: Any = None) -> Any:
        reads.append(block_info)
        return block

    lazy = da.from_array(np.tile(IMAGE, (20, 1, 1)), chunks=(1, 40, 50)).map_blocks(read, dtype=np.uint8)
    viewer.add_image(lazy, name="movie", axis_labels=("t", "y", "x"), contrast_limits=(0, 200))
    dock = open_dock("gaussian_blur")
    reads.clear()
    run_dock(dock)
    result = viewer.layers[-1]
    assert isinstance(result.data, da.Array)
    assert len(reads) <= 6, "only the visible frame may be read"
    np.testing.assert_array_equal(result.data[7].compute(), lb.apply("gaussian_blur", IMAGE[1], axes="yx"))


def test_statistic_is_computed_once_for_all_slices(viewer: Any, open_dock: Callable[[str], Any], run_dock: Any) -> None:
    reads: list[int] = []

    def read(block: Any) -> Any:
        reads.append(1)
        return block

    lazy = da.from_array(IMAGE, chunks=(1, 40, 50)).map_blocks(read, dtype=np.uint8, meta=np.empty((0, 0, 0), np.uint8))
    viewer.add_image(lazy, name="stack", axis_labels=tuple("zyx"), contrast_limits=(0, 200))
    dock = open_dock("threshold_otsu")
    run_dock(dock)
    result = viewer.layers["stack Otsu threshold labels"] if "stack Otsu threshold labels" in viewer.layers else viewer.layers[-1]
    reads.clear()
    np.asarray(result.data[4])
    assert len(reads) <= 1, "a slice must not measure the whole image again"


def test_result_is_written_into_chosen_ids_and_undone(viewer: Any, open_dock: Callable[[str], Any], run_dock: Any) -> None:
    viewer.add_image(IMAGE, name="image", axis_labels=tuple("zyx"))
    old = np.zeros(IMAGE.shape, np.int32)
    old[:, :10] = 7
    old[:, 30:] = 1
    target = viewer.add_labels(old.copy(), name="hand made")
    dock = open_dock("threshold_manual")
    dock.options.target.choose(target)
    dock.options.ids.setText("1")
    count = len(viewer.layers)
    run_dock(dock)
    new = lb.apply("threshold_manual", IMAGE, axes="zyx", **dock.form.values())
    expected = np.where(old == 7, 7, np.where(new == 1, 1, 0))
    np.testing.assert_array_equal(target.data, expected)
    assert len(viewer.layers) == count
    assert "pixels written into hand made" in dock.bar.message.text()
    target.undo()
    np.testing.assert_array_equal(target.data, old)
    target.redo()
    np.testing.assert_array_equal(target.data, expected)


def test_preview_shows_the_visible_slice_and_follows(viewer: Any, open_dock: Callable[[str], Any]) -> None:
    source = viewer.add_image(IMAGE.copy(), name="image", scale=(3, 1, 1), axis_labels=tuple("zyx"), units=("mm",) * 3)
    dock = open_dock("gaussian_blur")
    viewer.dims.set_current_step(0, 2)
    dock.live.setChecked(True)
    settle(dock)

    def shown() -> tuple[Any, float]:
        return np.asarray(dock.preview.layer.data)[0], float(dock.preview.layer.translate[0])

    def whole() -> Any:
        return lb.apply("gaussian_blur", source.data, axes="zyx", spacing=(3, 1, 1), **dock.form.values())

    assert dock.preview.layer.data.shape == (1, 40, 50)
    assert shown()[1] == 6.0
    np.testing.assert_array_equal(shown()[0], whole()[2])
    viewer.dims.set_current_step(0, 4)
    settle(dock)
    assert shown()[1] == 12.0
    np.testing.assert_array_equal(shown()[0], whole()[4])
    dock.form.set_values({"sigma": 2.5})
    settle(dock)
    np.testing.assert_array_equal(shown()[0], whole()[4])
    source.data = 255 - source.data
    settle(dock)
    np.testing.assert_array_equal(shown()[0], whole()[4])
    assert source in viewer.layers.selection
    dock.live.setChecked(False)
    assert [layer.name for layer in viewer.layers] == ["image"]


def test_points_travel_with_the_image(viewer: Any, open_dock: Callable[[str], Any], run_dock: Any) -> None:
    image = viewer.add_image(IMAGE, name="image", axis_labels=tuple("zyx"), scale=(3, 1, 1), translate=(0, 10, 0))
    points = viewer.add_points([[6.0, 15.0, 4.0], [9.0, 20.0, 30.0]], name="marks")
    dock = open_dock("flip")
    dock.inputs.choosers["points"].choose(points)
    run_dock(dock)
    inputs, parameters = dock.inputs.values(), dock.form.values()
    np.testing.assert_allclose(inputs[1].data, [[2, 5, 4], [3, 10, 30]])
    expected = lb.apply("flip", *inputs, **parameters)
    moved = next(layer for layer in viewer.layers if type(layer).__name__ == "Points" and layer is not points)
    np.testing.assert_allclose(moved.data, expected[1].data)
    np.testing.assert_allclose(moved.data_to_world(moved.data[0]), image.data_to_world(moved.data[0]))


def test_segmentation_with_a_table_describes_its_own_objects(viewer: Any, open_dock: Callable[[str], Any], run_dock: Any) -> None:
    viewer.add_image(IMAGE[0], name="image", axis_labels=tuple("yx"))
    viewer.add_labels(np.ones((40, 50), np.int32), name="everywhere")
    dock = open_dock("segmentation_overlap")
    other = viewer.add_labels(np.pad(np.ones((40, 25), np.int32), ((0, 0), (0, 25))), name="left half")
    dock.inputs.choosers["labels" if "labels" in dock.inputs.choosers else next(iter(dock.inputs.choosers))].choose(other)
    run_dock(dock)
    names = list(viewer.window._wrapped_dock_widgets)
    assert any("left half" in name for name in names), names
    assert not viewer.layers["everywhere"].features.columns.size


def test_provenance_grows_with_every_step(viewer: Any, open_dock: Callable[[str], Any], run_dock: Any) -> None:
    viewer.add_image(IMAGE, name="image", axis_labels=tuple("zyx"), metadata={"patient": "A"})
    dock = open_dock("gaussian_blur")
    run_dock(dock)
    dock.inputs.choosers["image"].choose(viewer.layers[-1])
    dock.form.set_values({"sigma": 3.0})
    run_dock(dock)
    history = viewer.layers[-1].metadata["provenance"]
    assert [step["parameters"]["sigma"] for step in history] == [1.0, 3.0]
    assert viewer.layers[-1].metadata["patient"] == "A"


def test_shapes_restrict_the_result(viewer: Any, open_dock: Callable[[str], Any], run_dock: Any) -> None:
    viewer.add_image(IMAGE[0], name="image", axis_labels=tuple("yx"), scale=(2, 2))
    box = np.array([[10, 20], [10, 60], [40, 60], [40, 20]], float)
    shapes = viewer.add_shapes([box], shape_type="polygon", name="region")
    dock = open_dock("gaussian_blur")
    dock.options.mask.choose(shapes)
    run_dock(dock)
    inside = np.zeros((40, 50), bool)
    inside[5:21, 10:31] = True
    result, blurred = viewer.layers[-1].data, lb.apply("gaussian_blur", IMAGE[0], axes="yx")
    np.testing.assert_array_equal(result[6:20, 11:30], blurred[6:20, 11:30])
    np.testing.assert_array_equal(result[~inside], IMAGE[0][~inside])


def test_plane_by_plane(viewer: Any, open_dock: Callable[[str], Any], run_dock: Any) -> None:
    viewer.add_image(IMAGE, name="image", axis_labels=tuple("zyx"))
    dock = open_dock("gaussian_blur")
    assert dock.options.plane.isEnabled()
    dock.options.plane.setChecked(True)
    run_dock(dock)
    np.testing.assert_array_equal(viewer.layers[-1].data, lb.apply("gaussian_blur", IMAGE, axes="zyx", over="yx"))


def test_axes_typed_by_the_user_reach_layer_and_run(viewer: Any, open_dock: Callable[[str], Any], run_dock: Any) -> None:
    layer = viewer.add_image(IMAGE, name="movie")
    dock = open_dock("gaussian_blur")
    assert dock.inputs.axes == "zyx"
    assert "guessed" in dock.inputs.axes_label.text()
    dock.inputs.axes_line.setText("tyx")
    dock.inputs.axes_line.editingFinished.emit()
    assert layer.axis_labels == ("t", "y", "x")
    assert not dock.options.plane.isEnabled()
    run_dock(dock)
    np.testing.assert_array_equal(viewer.layers[-1].data, lb.apply("gaussian_blur", IMAGE, axes="tyx"))


def test_colour_picture_stays_one(viewer: Any, open_dock: Callable[[str], Any], run_dock: Any) -> None:
    colour = np.moveaxis(IMAGE[:3], 0, -1)
    viewer.add_image(colour, rgb=True, name="photo")
    dock = open_dock("gaussian_blur")
    assert dock.inputs.axes == "yxc"
    run_dock(dock)
    assert viewer.layers[-1].rgb
    np.testing.assert_array_equal(viewer.layers[-1].data, lb.apply("gaussian_blur", colour, axes="yxc"))


def test_errors_become_notifications_with_the_way_out(viewer: Any, open_dock: Callable[[str], Any], run_dock: Any) -> None:
    from napari.utils.notifications import notification_manager

    dock = open_dock("gaussian_blur")
    press(dock.bar.run)
    assert notification_manager.records[-1].message == "Image: no layer is chosen. Open or create one that can serve as image"
    assert str(notification_manager.records[-1].severity) == "error"
    viewer.add_image(IMAGE, axis_labels=tuple("zyx"))
    dock.form.set_values({"kernel_size": 4})
    run_dock(dock)
    assert notification_manager.records[-1].message == "kernel_size: 4 is even. Give odd sizes"
    assert dock.bar.message.text() == "kernel_size: 4 is even. Give odd sizes"
    assert dock.bar.run.isEnabled()
    assert len(viewer.layers) == 1
    said = "Image: <b>scan</b> 1 & 2 is cut. Give <all of it>"
    dock.bar.message.setText(said)
    assert as_read(dock.bar.message) == said, "names and messages from elsewhere are no markup"


def test_memory_forecast_reaches_the_user(
    viewer: Any, open_dock: Callable[[str], Any], run_dock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from napari.utils.notifications import notification_manager

    from napari_lightbox.engine import local

    def refuse(request: Any, control: Any) -> Any:
        raise MemoryForecastError("run", "would need 40 GB", "Work plane by plane")

    monkeypatch.setattr(local, "execute", refuse)
    viewer.add_image(IMAGE)
    run_dock(open_dock("gaussian_blur"))
    assert notification_manager.records[-1].message == "run: would need 40 GB. Work plane by plane"


def under_way(dock: Any) -> None:
    """Wait until the run reports progress."""
    process_until(lambda: dock.bar.progress.value() > 1)


def slow(monkeypatch: pytest.MonkeyPatch) -> tuple[threading.Event, list[str]]:
    """Make runs report progress until they are cancelled or let go."""
    from napari_lightbox.engine import local

    let_go, ends = threading.Event(), []
    real = local.execute

    def execute(request: Any, control: Any) -> Any:
        try:
            for i in range(3000):
                control.report(i / 3000, "working")
                if let_go.wait(0.005):
                    break
            return real(request, control)
        except BaseException as error:
            ends.append(type(error).__name__)
            raise

    monkeypatch.setattr(local, "execute", execute)
    return let_go, ends


def test_cancel_stops_the_run_and_changes_nothing(
    viewer: Any, open_dock: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, ends = slow(monkeypatch)
    viewer.add_image(IMAGE)
    dock = open_dock("gaussian_blur")
    press(dock.bar.run)
    process_until(lambda: dock.bar.progress.value() > 5)
    assert dock.bar.cancel.isEnabled()
    assert "working" in dock.bar.message.text()
    press(dock.bar.cancel)
    process_until(lambda: not dock.bar.busy)
    assert ends == ["CancelledError"]
    assert dock.bar.message.text() == "Cancelled; nothing was changed."
    assert len(viewer.layers) == 1


def test_closing_the_dock_cancels_and_frees_it(
    viewer: Any, open_dock: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def connected() -> int:
        events = viewer.layers.events
        dims = viewer.dims.events
        return sum(len(e.callbacks) for e in (events.inserted, events.removed, events.reordered, dims.current_step))

    before = connected()
    viewer.add_image(IMAGE)
    with_layer = connected()
    _, ends = slow(monkeypatch)
    dock = open_dock("gaussian_blur")
    dock.live.setChecked(True)
    press(dock.bar.run)
    dock.live.setChecked(True)
    under_way(dock)
    assert connected() > with_layer
    gone = weakref.ref(dock)
    viewer.window.remove_dock_widget(viewer.window._wrapped_dock_widgets["gaussian_blur (Lightbox)"])
    process_until(lambda: "CancelledError" in ends)
    assert connected() == with_layer
    assert before <= with_layer
    assert len(viewer.layers) == 1
    del dock
    process_until(lambda: gc.collect() >= 0 and gone() is None, timeout=10)


def test_layer_deleted_during_the_run(viewer: Any, open_dock: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch) -> None:
    let_go, ends = slow(monkeypatch)
    viewer.add_image(IMAGE, name="gone soon")
    dock = open_dock("gaussian_blur")
    press(dock.bar.run)
    under_way(dock)
    viewer.layers.clear()
    let_go.set()
    process_until(lambda: not dock.bar.busy)
    assert ends == []
    np.testing.assert_array_equal(viewer.layers[-1].data, lb.apply("gaussian_blur", IMAGE))
    assert dock.inputs.first is viewer.layers[-1]


def test_closing_the_window_cancels_the_run(monkeypatch: pytest.MonkeyPatch, viewer: Any) -> None:
    from napari_lightbox.widgets import entry

    _, ends = slow(monkeypatch)
    other = new_viewer()
    other.add_image(IMAGE)
    dock = entry.gaussian_blur(other)
    other.window.add_dock_widget(dock, name="Blur")
    press(dock.bar.run)
    under_way(dock)
    other.close()
    process_until(lambda: ends == ["CancelledError"])
