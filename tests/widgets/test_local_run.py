"""Lazy results that are slow to compute: the window opens on the visible slice and never waits for another one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from tests.widgets.conftest import press, process_until
from tests.widgets.gate import IMAGE, Gate

import napari_lightbox as lb

pytestmark = pytest.mark.gui


def shown(layer: Any) -> Any:
    return np.asarray(layer._slice.image.raw)


@pytest.mark.parametrize("technique", ["gaussian_blur", "threshold_manual"])
def test_the_window_does_not_wait_for_slices(viewer: Any, gate: Gate, open_dock: Callable[[str], Any], technique: str) -> None:
    viewer.add_image(gate.image, axis_labels=("t", "y", "x"), contrast_limits=(0, 200), visible=False)
    viewer.dims.set_current_step(0, 2)
    dock = open_dock(technique)
    press(dock.bar.run)
    process_until(lambda: 2 in gate.reads)
    assert len(viewer.layers) == 1, "shown before there is something to see"
    gate.open(2)
    process_until(lambda: not dock.bar.busy)
    expected = np.asarray(lb.apply(technique, IMAGE, axes="tyx"))
    np.testing.assert_array_equal(shown(viewer.layers[-1]), expected[2])
    assert gate.reads == [2], "the slice was computed twice, or others with it"
    viewer.dims.set_current_step(0, 4)
    process_until(lambda: 4 in gate.reads)
    assert not shown(viewer.layers[-1]).any()
    gate.open(4)
    process_until(lambda: shown(viewer.layers[-1]).any())
    np.testing.assert_array_equal(shown(viewer.layers[-1]), expected[4])
    gate.open()
    np.testing.assert_array_equal(np.asarray(viewer.layers[-1].data), expected)


def test_cancelled_before_the_slice_is_there(viewer: Any, gate: Gate, open_dock: Callable[[str], Any]) -> None:
    viewer.add_image(gate.image, axis_labels=("t", "y", "x"), contrast_limits=(0, 200), visible=False)
    dock = open_dock("gaussian_blur")
    press(dock.bar.run)
    process_until(lambda: gate.reads != [])
    press(dock.bar.cancel)
    gate.open()
    process_until(lambda: not dock.bar.busy)
    assert len(viewer.layers) == 1
    assert "Cancelled" in dock.bar.message.text()
