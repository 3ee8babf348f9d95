"""The log of a session replays without a window to the same labels, and goes on after a restart."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.widgets.annotate.conftest import paint_all, settle
from tests.widgets.conftest import press

from napari_lightbox.axes import Geometry, Volume
from napari_lightbox.interaction import InteractionLog, replay_log

pytestmark = pytest.mark.gui


def replayed(path: Path, image: Any) -> dict[str, Any]:
    """Replay a saved log on nothing but pixels and geometry."""
    log = InteractionLog.load(path)
    matrix = np.diag([3.0, 1, 1, 1])
    matrix[0, 3] = 7
    volume = Volume(image.copy(), Geometry("zyx", image.shape, matrix, ("mm",) * 3))
    return {name: v.data for name, v in replay_log(log, dict.fromkeys(log.sources, volume)).items()}


def test_saved_log_replays_bit_for_bit(scene: Any, viewer: Any, stroke: Callable[..., None], tmp_path: Path) -> None:
    dock, seeds, _ = scene
    image = viewer.layers["discs"].data
    paint_all(dock, seeds, stroke)
    press(dock.panel.accept)
    settle(dock)
    target = dock.panel.target.chosen()
    seeds.undo()
    settle(dock)
    dock.panel.choose_engine("random_walker")
    settle(dock)
    dock.panel.choose_scope("box")
    stroke(seeds, (40, 55), (40, 58))
    settle(dock)
    press(dock.panel.accept)
    settle(dock)
    viewer.layers.selection.active = target
    target.mode, target.selected_label, target.brush_size = "paint", 2, 4
    stroke(target, (70, 20), (72, 40))
    press(dock.undo)
    press(dock.undo)
    press(dock.redo)
    settle(dock)
    dock.objects.table.selectAll()
    press(dock.objects.merge)
    settle(dock)
    assert target.data.any()
    dock.save_log(tmp_path / "session")
    path = tmp_path / "session.lightbox-log"
    assert dock.bar.message.text() == "Log saved as session.lightbox-log."
    assert target.metadata["lightbox"]["log"] == str(path)
    found = replayed(path, image)
    np.testing.assert_array_equal(found["discs objects"], target.data)
    np.testing.assert_array_equal(found["discs seeds"], seeds.data)


def test_layers_with_content_and_points_as_seeds_are_in_the_log(viewer: Any, annotate: Callable[[], Any], tmp_path: Path) -> None:
    from tests.widgets.annotate.conftest import two_discs

    image, _ = two_discs(3)
    place = {"scale": (3, 1, 1), "translate": (7, 0, 0), "units": ("mm",) * 3, "axis_labels": tuple("zyx")}
    viewer.add_image(image, name="discs", **place)
    held = np.zeros(image.shape, np.int32)
    held[1, 30:60, 20:50] = 8
    target = viewer.add_labels(held.copy(), name="held", **place)
    points = viewer.add_points(
        [[1.0, 40, 35], [1, 40, 85], [1, 5, 5]], features={"label": [1, 2, 65535]}, scale=(3, 1, 1), translate=(7, 0, 0)
    )
    viewer.dims.set_current_step(0, 1)
    dock = annotate()
    dock.panel.seeds.choose(points)
    dock.panel.target.choose(target)
    press(dock.bar.run)
    settle(dock)
    points.data = np.array([[1.0, 40, 35], [1, 60, 85], [1, 5, 5]])
    settle(dock)
    press(dock.panel.accept)
    settle(dock)
    assert (target.data == 2).any()
    assert (target.data == 8).sum() == (held == 8).sum()
    dock.save_log(tmp_path / "points.lightbox-log")
    np.testing.assert_array_equal(replayed(tmp_path / "points.lightbox-log", image)["held"], target.data)


def test_opened_log_goes_on_where_it_ended(scene: Any, viewer: Any, stroke: Callable[..., None], tmp_path: Path) -> None:
    dock, seeds, _ = scene
    image = viewer.layers["discs"].data
    paint_all(dock, seeds, stroke)
    press(dock.panel.accept)
    settle(dock)
    target = dock.panel.target.chosen()
    dock.save_log(tmp_path / "a")
    old = (seeds.data.copy(), target.data.copy())
    for layer in (seeds, target):
        viewer.layers.remove(layer)
    settle(dock)
    dock.open_log(tmp_path / "a.lightbox-log")
    settle(dock)
    seeds, target = dock.panel.seeds.chosen(), dock.panel.target.chosen()
    np.testing.assert_array_equal(seeds.data, old[0])
    np.testing.assert_array_equal(target.data, old[1])
    viewer.layers.selection.active = seeds
    seeds.mode, seeds.selected_label, seeds.brush_size = "paint", 1, 3
    stroke(seeds, (60, 20), (60, 40))
    settle(dock)
    press(dock.panel.accept)
    settle(dock)
    assert (target.data != old[1]).any()
    dock.save_log(tmp_path / "b")
    found = replayed(tmp_path / "b.lightbox-log", image)
    np.testing.assert_array_equal(found["discs objects"], target.data)


def test_log_of_another_image_is_refused(scene: Any, viewer: Any, stroke: Callable[..., None], tmp_path: Path) -> None:
    dock, seeds, _ = scene
    dock.save_log(tmp_path / "empty")
    assert "Paint some seeds and run an engine first" in dock.bar.message.text()
    paint_all(dock, seeds, stroke)
    press(dock.panel.accept)
    settle(dock)
    dock.save_log(tmp_path / "a")
    other = viewer.add_image(255 - viewer.layers["discs"].data, name="other", axis_labels=tuple("zyx"))
    dock.panel.image.choose(other)
    count = len(viewer.layers)
    dock.open_log(tmp_path / "a.lightbox-log")
    settle(dock)
    assert "has other pixels" in dock.bar.message.text()
    assert len(viewer.layers) == count
