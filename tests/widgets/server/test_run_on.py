"""A run on a server from the dock of a technique: the same result, the visible slice first, and a window that goes on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import dask.array as da
import numpy as np
import pytest
from tests.client.serving import Server
from tests.widgets.conftest import press, process_until
from tests.widgets.gate import IMAGE, Gate
from tests.widgets.server.conftest import TALL, meet, messages, run

import napari_lightbox as lb
from napari_lightbox.widgets.places import places
from napari_lightbox.widgets.server_dock import ServerDock
from napari_lightbox.widgets.table_dock import TableDock

pytestmark = pytest.mark.gui


def newest(address: str) -> Any:
    return max(places().runner(address).jobs(), key=lambda card: card.created)


def test_a_server_is_offered_once_it_is_known(viewer: Any, open_dock: Callable[[str], Any], server: Server) -> None:
    dock = open_dock("gaussian_blur")
    assert not dock.run_on.link.isHidden()
    assert dock.run_on.combo.isHidden()
    press(dock.run_on.link)
    assert [w for w in viewer.window.dock_widgets.values() if isinstance(w, ServerDock)]
    meet(server)
    assert dock.run_on.link.isHidden()
    assert not dock.run_on.combo.isHidden()
    assert [dock.run_on.combo.itemText(i) for i in range(2)] == ["this computer", "lab"]
    assert dock.run_on.chosen() is None
    dock.run_on.choose(server.url)
    places().leave(server.url)
    assert "not connected" in dock.run_on.combo.currentText()
    places().forget(server.url)
    assert dock.run_on.chosen() is None
    assert dock.run_on.combo.isHidden()


def test_keys_choose_a_place(viewer: Any, connected: str, open_dock: Callable[[str], Any]) -> None:
    from qtpy.QtCore import Qt
    from qtpy.QtTest import QTest

    dock = open_dock("gaussian_blur")
    combo = dock.run_on.combo
    QTest.keyClick(combo, Qt.Key.Key_Down)
    assert dock.run_on.chosen() == connected
    QTest.keyClick(combo, Qt.Key.Key_Up)
    assert dock.run_on.chosen() is None
    QTest.keyClick(combo, Qt.Key.Key_End)
    assert dock.run_on.chosen() is None
    assert combo.currentText() == "this computer"
    assert [w for w in viewer.window.dock_widgets.values() if isinstance(w, ServerDock)]


@pytest.mark.parametrize("technique", ["gaussian_blur", "threshold_otsu", "connected_components"])
def test_the_result_is_that_of_a_run_here(
    viewer: Any, connected: str, on_server: Callable[..., Any], run_dock: Any, technique: str
) -> None:
    place = {"axis_labels": tuple("zyx"), "scale": (3, 1, 1), "translate": (1, 2, 3), "units": ("mm",) * 3}
    data = (IMAGE > 120).astype(np.int32) if technique == "connected_components" else IMAGE
    add = viewer.add_labels if technique == "connected_components" else viewer.add_image
    source = add(data, name="head", **place)
    viewer.dims.set_current_step(0, 2)
    dock = on_server(technique, connected)
    chooser = next(iter(dock.inputs.choosers.values()))
    run(dock)
    there = viewer.layers[-1]
    dock.run_on.choose(None)
    chooser.choose(source)
    run_dock(dock)
    here = viewer.layers[-1]
    assert here is not there
    np.testing.assert_array_equal(np.asarray(there.data), np.asarray(here.data), strict=True)
    assert type(there) is type(here)
    for name in ("scale", "translate", "units", "axis_labels"):
        np.testing.assert_array_equal(getattr(there, name), getattr(here, name))
    assert there.metadata["provenance"] == here.metadata["provenance"]
    assert there.name.partition(" [")[0] == here.name.partition(" [")[0]
    assert messages() == []


def test_an_image_stays_there_until_it_is_looked_at(viewer: Any, connected: str, on_server: Callable[..., Any]) -> None:
    viewer.add_image(IMAGE, axis_labels=tuple("zyx"))
    viewer.dims.set_current_step(0, 4)
    run(on_server("gaussian_blur", connected))
    layer, expected = viewer.layers[-1], lb.apply("gaussian_blur", IMAGE, axes="zyx")
    assert isinstance(layer.data, da.Array)
    np.testing.assert_array_equal(layer._slice.image.raw, expected[4])
    assert tuple(layer.contrast_limits) == (expected[4].min(), expected[4].max())
    viewer.dims.set_current_step(0, 1)
    process_until(lambda: np.array_equal(layer._slice.image.raw, expected[1]))


def test_labels_come_home_to_be_corrected(viewer: Any, connected: str, on_server: Callable[..., Any]) -> None:
    viewer.add_image(IMAGE, axis_labels=tuple("zyx"))
    run(on_server("threshold_otsu", connected))
    layer = viewer.layers[-1]
    process_until(lambda: isinstance(layer.data, np.ndarray))
    layer.fill((0, 3, 3), 7)
    assert (layer.data == 7).any()


def test_the_visible_slice_comes_first(
    viewer: Any, connected: str, on_server: Callable[..., Any], tall: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    from napari_lightbox.client.remote_job import RemoteJob

    wishes, tell = [], RemoteJob.first

    def first(job: RemoteJob, region: Any) -> None:
        tell(job, region)
        wishes.append(region[0].start)

    monkeypatch.setattr(RemoteJob, "first", first)
    viewer.add_image(tall.image, axis_labels=("t", "y", "x"), contrast_limits=(0, 200), visible=False)
    viewer.dims.set_current_step(0, 30)
    expected = lb.apply("gaussian_blur", TALL, axes="tyx")
    dock = on_server("gaussian_blur", connected)
    press(dock.bar.run)
    tall.open(30)
    process_until(lambda: len(viewer.layers) == 2)
    assert len(tall.reads) < 20
    layer = viewer.layers[-1]
    assert dock.bar.busy, "the server still computes the rest"
    assert dock.bar.cancel.isEnabled()
    np.testing.assert_array_equal(layer._slice.image.raw, expected[30])
    viewer.dims.set_current_step(0, 45)
    process_until(lambda: 45 in wishes)
    tall.open(*range(47))
    process_until(lambda: np.array_equal(layer._slice.image.raw, expected[45]))
    assert dock.bar.busy
    tall.open()
    process_until(lambda: not dock.bar.busy)
    assert tall.reads.index(45) < tall.reads.index(40), "what is looked at comes before what is in order"
    np.testing.assert_array_equal(np.asarray(layer.data), expected)
    assert dock.bar.message.text() == "Done."


def test_cancel_reaches_the_server_and_takes_the_layer_back(
    viewer: Any, connected: str, on_server: Callable[..., Any], gate: Gate
) -> None:
    viewer.add_image(gate.image, axis_labels=("t", "y", "x"), contrast_limits=(0, 200), visible=False)
    dock = on_server("gaussian_blur", connected)
    press(dock.bar.run)
    gate.open(viewer.dims.current_step[0])
    process_until(lambda: len(viewer.layers) == 2)
    press(dock.bar.cancel)
    process_until(lambda: not dock.bar.busy)
    assert dock.bar.message.text() == "Cancelled; nothing was changed."
    assert len(viewer.layers) == 1
    process_until(lambda: newest(connected).status == "cancelled")
    assert messages() == []


def test_the_run_outlives_its_dock(viewer: Any, connected: str, on_server: Callable[..., Any], gate: Gate) -> None:
    viewer.add_image(gate.image, axis_labels=("t", "y", "x"), contrast_limits=(0, 200), visible=False)
    dock = on_server("gaussian_blur", connected)
    press(dock.bar.run)
    gate.open(viewer.dims.current_step[0])
    process_until(lambda: len(viewer.layers) == 2)
    viewer.window.remove_dock_widget(dock)
    gate.open()
    process_until(lambda: newest(connected).status == "done")
    np.testing.assert_array_equal(np.asarray(viewer.layers[-1].data), lb.apply("gaussian_blur", IMAGE, axes="tyx"))


def test_a_known_server_is_connected_to_when_it_is_needed(viewer: Any, connected: str, on_server: Callable[..., Any]) -> None:
    places().connections.close(connected)
    viewer.add_image(IMAGE, axis_labels=tuple("zyx"))
    run(on_server("gaussian_blur", connected))
    assert len(viewer.layers) == 2
    assert places().runner(connected) is not None


def test_without_its_token_the_way_out_is_told(viewer: Any, connected: str, on_server: Callable[..., Any]) -> None:
    places().connections.close(connected)
    places().connections.tokens.forget(connected)
    viewer.add_image(IMAGE)
    dock = on_server("gaussian_blur", connected)
    run(dock)
    assert messages() == ["token: is missing. In the Server dock, enter the one that the server printed"]
    assert dock.bar.run.isEnabled()
    assert len(viewer.layers) == 1


def test_errors_of_the_server_are_those_of_a_run_here(viewer: Any, connected: str, on_server: Callable[..., Any]) -> None:
    viewer.add_image(IMAGE, axis_labels=tuple("zyx"))
    dock = on_server("gaussian_blur", connected)
    dock.form.set_values({"kernel_size": 4})
    run(dock)
    assert messages() == ["kernel_size: 4 is even. Give odd sizes"]
    assert len(viewer.layers) == 1


def test_a_table_and_labels_that_are_written_into(viewer: Any, connected: str, on_server: Callable[..., Any]) -> None:
    viewer.add_image(IMAGE, axis_labels=tuple("zyx"), name="image")
    target = viewer.add_labels(np.zeros(IMAGE.shape, np.int32), name="hand made", axis_labels=tuple("zyx"))
    dock = on_server("threshold_manual", connected)
    dock.options.target.choose(target)
    run(dock)
    np.testing.assert_array_equal(target.data, lb.apply("threshold_manual", IMAGE, axes="zyx", **dock.form.values()))
    assert "pixels written into hand made" in dock.bar.message.text()
    table = on_server("region_properties", connected)
    run(table)
    assert [w for w in viewer.window.dock_widgets.values() if isinstance(w, TableDock)]
    assert len(target.features)


def test_a_result_feeds_the_next_run_there_and_here(
    viewer: Any, connected: str, on_server: Callable[..., Any], run_dock: Any
) -> None:
    viewer.add_image(IMAGE, name="a", axis_labels=tuple("zyx"))
    dock = on_server("gaussian_blur", connected)
    run(dock)
    blurred, once = viewer.layers[-1], lb.apply("gaussian_blur", IMAGE, axes="zyx")
    twice = lb.apply("gaussian_blur", once, axes="zyx")
    for address in (connected, None):
        dock.inputs.choosers["image"].choose(blurred)
        dock.run_on.choose(address)
        if address is None:
            run_dock(dock)
        else:
            run(dock)
        np.testing.assert_array_equal(np.asarray(viewer.layers[-1].data), twice)
        assert [step["technique"] for step in viewer.layers[-1].metadata["provenance"]] == ["gaussian_blur"] * 2
    dock.live.setChecked(True)
    process_until(lambda: not dock.preview.busy)
    np.testing.assert_array_equal(np.asarray(dock.preview.layer.data)[0], twice[viewer.dims.current_step[0]])


def test_a_dropped_server_leaves_a_dock_that_works(
    viewer: Any, mortal: Server, on_server: Callable[..., Any], run_dock: Any, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    from napari_lightbox.widgets import connections

    monkeypatch.setattr(connections, "PATIENCE", 0.5)
    address = meet(mortal)
    viewer.add_image(gate.image, axis_labels=("t", "y", "x"), contrast_limits=(0, 200), visible=False)
    dock = on_server("gaussian_blur", address)
    press(dock.bar.run)
    gate.open(viewer.dims.current_step[0])
    process_until(lambda: len(viewer.layers) == 2)
    mortal.kill()
    viewer.dims.set_current_step(0, 3)
    process_until(lambda: not dock.bar.busy)
    process_until(lambda: messages() != [])
    assert len(messages()) == 1
    assert address in messages()[0]
    assert "See that the server runs" in messages()[0]
    assert "open its result in the Server dock" in dock.bar.message.text()
    gate.open()
    dock.run_on.choose(None)
    dock.inputs.choosers["image"].choose(viewer.layers[0])
    run_dock(dock)
    np.testing.assert_array_equal(np.asarray(viewer.layers[-1].data), lb.apply("gaussian_blur", IMAGE, axes="tyx"))
