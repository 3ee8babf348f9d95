"""Arrays that are not here: napari draws what is here, all others get the true values, and the window never waits."""

from __future__ import annotations

import threading
from typing import Any

import dask.array as da
import numpy as np
import pytest
from qtpy.QtCore import QTimer
from tests.widgets.conftest import process_until
from tests.widgets.gate import IMAGE, Gate

from napari_lightbox.engine.request import Region
from napari_lightbox.widgets.feed import Distant, Feed

pytestmark = pytest.mark.gui


@pytest.fixture
def wishes() -> list[Region]:
    return []


@pytest.fixture
def failures() -> list[Exception]:
    return []


@pytest.fixture
def distant(viewer: Any, gate: Gate, wishes: list[Region], failures: list[Exception]) -> Distant:
    return Distant.whole(gate.image, Feed(viewer, failures.append, wishes.append))


def shown(layer: Any) -> Any:
    return np.asarray(layer._slice.image.raw)


def test_the_window_does_not_wait(viewer: Any, gate: Gate, distant: Distant) -> None:
    layer = viewer.add_image(distant, contrast_limits=(0, 200))
    distant.feed.open()
    viewer.dims.set_current_step(0, 3)
    assert not shown(layer).any()
    process_until(lambda: 3 in gate.reads)
    gate.open(3)
    process_until(lambda: shown(layer).any())
    np.testing.assert_array_equal(shown(layer), IMAGE[3])


def test_everybody_else_gets_the_true_values(viewer: Any, gate: Gate, distant: Distant) -> None:
    layer = viewer.add_image(distant, contrast_limits=(0, 200))
    threading.Timer(0.05, gate.open).start()
    np.testing.assert_array_equal(np.asarray(layer.data[2]), IMAGE[2])
    np.testing.assert_array_equal(np.asarray(layer.data), IMAGE)
    np.testing.assert_array_equal((layer.data[1:3, 5] + 1).compute(), IMAGE[1:3, 5] + 1)
    assert isinstance(layer.data, da.Array)
    assert layer.data.name == gate.image.name


def test_the_latest_wish_comes_first_and_old_ones_are_dropped(
    viewer: Any, gate: Gate, distant: Distant, wishes: list[Region]
) -> None:
    layer = viewer.add_image(distant, contrast_limits=(0, 200))
    viewer.dims.set_current_step(0, 1)
    distant.feed.open()
    process_until(lambda: gate.reads == [1])
    for plane in (2, 3, 4, 5):
        viewer.dims.set_current_step(0, plane)
    process_until(lambda: gate.reads == [1, 2])
    gate.open()
    process_until(lambda: shown(layer).any())
    np.testing.assert_array_equal(shown(layer), IMAGE[5])
    process_until(lambda: not distant.feed._fetching)
    assert gate.reads == [1, 2, 5]
    assert [region[0] for region in wishes] == [slice(n, n + 1) for n in (1, 2, 5)]
    assert wishes[0][1:] == (slice(0, 40), slice(0, 50))


def test_what_was_fetched_is_not_fetched_again(viewer: Any, gate: Gate, distant: Distant) -> None:
    gate.open()
    layer = viewer.add_image(distant, contrast_limits=(0, 200))
    distant.feed.open()
    for plane in (1, 2, 1, 2):
        viewer.dims.set_current_step(0, plane)
        process_until(lambda n=plane: np.array_equal(shown(layer), IMAGE[n]))
    assert sorted(gate.reads) == sorted(set(gate.reads))


def test_a_failure_is_told_and_the_next_try_may_work(viewer: Any, failures: list[Exception]) -> None:
    broken = [True]

    def read(block: Any) -> Any:
        if broken[0]:
            raise OSError("gone")
        return block

    lazy = da.from_array(IMAGE, chunks=(1, 40, 50)).map_blocks(read, dtype=np.uint8, meta=np.empty((0, 0, 0), np.uint8))
    distant = Distant.whole(lazy, Feed(viewer, failures.append))
    layer = viewer.add_labels(distant)
    distant.feed.open()
    process_until(lambda: failures)
    assert not shown(layer).any()
    broken[0] = False
    viewer.dims.set_current_step(0, 4)
    process_until(lambda: shown(layer).any())
    np.testing.assert_array_equal(shown(layer), IMAGE[4])
    assert {str(error) for error in failures} == {"gone"}


def test_nobody_hears_of_layers_that_are_gone(viewer: Any, failures: list[Exception]) -> None:
    reading, gone = threading.Event(), threading.Event()

    def read(block: Any) -> Any:
        reading.set()
        assert gone.wait(60)
        raise OSError("gone")

    lazy = da.from_array(IMAGE, chunks=(1, 40, 50)).map_blocks(read, dtype=np.uint8, meta=np.empty((0, 0, 0), np.uint8))
    distant = Distant.whole(lazy, Feed(viewer, failures.append))
    viewer.add_labels(distant)
    distant.feed.open()
    process_until(reading.is_set)
    viewer.layers.clear()
    gone.set()
    process_until(lambda: not any(thread.name == "lightbox-feed" for thread in threading.enumerate()))
    rung: list[bool] = []
    QTimer.singleShot(50, lambda: rung.append(True))
    process_until(lambda: bool(rung))
    assert failures == []


def test_only_so_much_is_held(viewer: Any, gate: Gate, distant: Distant, monkeypatch: pytest.MonkeyPatch) -> None:
    from napari_lightbox.widgets import feed

    monkeypatch.setattr(feed, "MOST_BYTES", 2 * 40 * 50)
    gate.open()
    layer = viewer.add_image(distant, contrast_limits=(0, 200))
    distant.feed.open()
    for plane in range(6):
        viewer.dims.set_current_step(0, plane)
        process_until(lambda n=plane: np.array_equal(shown(layer), IMAGE[n]))
    assert len(distant.feed._held) <= 2


def test_axes_in_another_order_and_whole_planes(viewer: Any, gate: Gate, distant: Distant, wishes: list[Region]) -> None:
    gate.open()
    turned = distant.same(distant.transpose((2, 0, 1)))
    layer = viewer.add_image(turned, contrast_limits=(0, 200))
    turned.feed.open()
    viewer.dims.set_current_step(0, 7)
    process_until(lambda: np.array_equal(shown(layer), IMAGE[:, :, 7]))
    assert wishes == []
    viewer.layers.clear()
    flat = Distant.whole(gate.image[2], Feed(viewer, print, wishes.append))
    layer = viewer.add_image(flat, contrast_limits=(0, 200))
    flat.feed.open()
    process_until(lambda: np.array_equal(shown(layer), IMAGE[2]))
    assert wishes == [(slice(0, 40), slice(0, 50))]
