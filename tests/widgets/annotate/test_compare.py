"""Several engines on the same seeds: their own results, and figures that fit them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from tests.widgets.annotate.conftest import dice, paint_all, settle
from tests.widgets.conftest import press

import napari_lightbox as lb

pytestmark = pytest.mark.gui


def test_compare_shows_time_size_and_agreement_and_the_winner_goes_on(
    scene: Any, viewer: Any, stroke: Callable[..., None]
) -> None:
    dock, seeds, _ = scene
    dock.panel.live.setChecked(False)
    paint_all(dock, seeds, stroke)
    names = [layer.name for layer in viewer.layers]
    page = dock.comparison
    press(page.start)
    settle(dock)
    order = list(page.pieces)
    assert order == ["marker_controlled_watershed", "random_walker", "region_growing"]
    plane, image = np.asarray(seeds.data[2]), viewer.layers["discs"].data[2]
    walked = lb.apply("random_walker", image, plane, axes="yx").labels
    np.testing.assert_array_equal(page.pieces["random_walker"].labels[0], walked)
    results = {name: np.where(p.labels == 65535, 0, p.labels) for name, p in page.pieces.items()}
    for i, first in enumerate(order):
        for second in order[i + 1 :]:
            a, b = results[first], results[second]
            wanted = 2 * np.count_nonzero((a == b) & (a > 0)) / (np.count_nonzero(a) + np.count_nonzero(b))
            assert page.agreement.dice(first, second) == pytest.approx(wanted)
    shown = [[page.table.item(r, c).text() for c in range(page.table.columnCount())] for r in range(3)]
    one = np.count_nonzero(results["random_walker"] == 1) * 3 / 1000
    assert shown[1][1] in (f"{one:.4g} ml", f"{one * 1000:.4g} mm³")
    assert shown[0][-1] == f"{page.agreement.dice(order[0], order[2]):.3f}"
    assert all(row[0].endswith(" ms") for row in shown)
    compared = [layer for layer in viewer.layers if layer.name.endswith("(compared)")]
    assert [layer.name for layer in reversed(compared)] == [
        f"{n} (compared)" for n in ("Watershed", "Random walker", "Region growing")
    ]

    grid = viewer.canvas.grid
    page.grid.setChecked(True)
    assert grid.enabled
    assert grid.actual_shape(viewer.layers) == (2, 2)
    together = [{viewer.layers[i].name for i in grid.contents_at((row, 0), viewer.layers)} for row in (0, 1)]
    assert together == [
        {"Watershed (compared)", "discs under Watershed"},
        {"Region growing (compared)", "discs under Region growing"},
    ]
    page.grid.setChecked(False)
    assert not grid.enabled
    assert (seeds.visible, seeds.mode) == (True, "paint")

    page.table.selectRow(1)
    press(page.winner)
    settle(dock)
    assert dock.panel.chosen_engine.id == "random_walker"
    np.testing.assert_array_equal(dock.segmenting.preview.layer.data[2], np.where(walked == 65535, 0, walked))
    assert [layer.name for layer in viewer.layers if layer.name != "Preview"] == names
    press(dock.panel.accept)
    settle(dock)
    assert dice(dock.panel.target.chosen().data[2] == 1, walked == 1) == 1.0


def test_engine_that_refuses_does_not_stop_the_others(scene: Any, stroke: Callable[..., None]) -> None:
    dock, seeds, _ = scene
    dock.panel.live.setChecked(False)
    stroke(seeds, (36, 30), (44, 40))
    page = dock.comparison
    press(page.start)
    settle(dock)
    assert list(page.pieces) == ["marker_controlled_watershed", "region_growing"]
    assert "Random walker: seeds: hold 1 of at least 2 ids" in page.message.text()
    press(page.remove)
    assert page.table.rowCount() == 0
