"""Stroke, preview, accept: what the engine shows is what it gives anywhere else, and nothing else is touched."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from tests.widgets.annotate.conftest import dice, paint_all, settle, two_discs
from tests.widgets.conftest import press, process_until

import napari_lightbox as lb

pytestmark = pytest.mark.gui


def engine_result(dock: Any, seeds: Any, image: Any, region: tuple[slice, ...], engine: str, **parameters: Any) -> Any:
    """Return what the plain call gives on a cut-out plane or box."""
    cut = tuple(s if s.stop - s.start > 1 else s.start for s in region)
    spacing = (1, 1) if isinstance(cut[0], int) else (3, 1, 1)
    axes = "yx" if isinstance(cut[0], int) else "zyx"
    found = lb.apply(engine, image[cut], np.asarray(seeds.data)[cut], axes=axes, spacing=spacing, **parameters)
    return getattr(found, "labels", found)


def test_new_seeds_lie_on_the_image_with_the_brush_in_hand(scene: Any, viewer: Any) -> None:
    _, seeds, _ = scene
    image = viewer.layers["discs"]
    assert seeds.data.shape == image.data.shape
    for name in ("scale", "translate"):
        np.testing.assert_array_equal(getattr(seeds, name), getattr(image, name))
    assert seeds.units == image.units
    assert seeds.axis_labels == ("z", "y", "x")
    assert (seeds.mode, seeds.selected_label, viewer.layers.selection.active) == ("paint", 1, seeds)


@pytest.mark.parametrize("engine", ["marker_controlled_watershed", "random_walker"])
def test_each_stroke_runs_once_and_the_preview_is_the_plain_result(
    scene: Any, viewer: Any, stroke: Callable[..., None], monkeypatch: pytest.MonkeyPatch, engine: str
) -> None:
    dock, seeds, truth = scene
    runs: list[Any] = []
    real = dock.bench.runner.submit
    monkeypatch.setattr(dock.bench.runner, "submit", lambda r: runs.append(r) or real(r))
    dock.panel.choose_engine(engine)
    before = [layer.name for layer in viewer.layers]
    for count, points in enumerate([((36, 30), (44, 40)), ((6, 6), (6, 110)), ((74, 60), (10, 60))], 1):
        seeds.selected_label = 1 if count == 1 else 65535
        stroke(seeds, *points)
        settle(dock)
        assert sum(r.technique == engine for r in runs) == count, "one stroke, one run"
    preview = dock.segmenting.preview.layer
    region = (slice(2, 3), slice(0, 80), slice(0, 120))
    values = {"watershed_line": False} if engine == "marker_controlled_watershed" else {}
    expected = engine_result(dock, seeds, viewer.layers["discs"].data, region, engine, **values)
    np.testing.assert_array_equal(preview.data[2], np.where(expected == 65535, 0, expected))
    assert not preview.data[[0, 1, 3]].any(), "only the plane in view is computed"
    assert dice(preview.data[2] == 1, truth[2] == 1) > 0.9
    assert viewer.layers.selection.active is seeds, "painting goes on without a click"
    assert [layer.name for layer in viewer.layers] == [*before[:-1], "Preview", before[-1]]


def test_accept_writes_the_preview_and_leaves_others_alone(scene: Any, viewer: Any, stroke: Callable[..., None]) -> None:
    dock, seeds, truth = scene
    target = viewer.add_labels(np.zeros_like(truth), name="target", scale=(3, 1, 1), translate=(7, 0, 0))
    target.data[2, 40, 20:40] = 9
    held = target.data.copy()
    dock.panel.target.choose(target)
    viewer.layers.selection.active = seeds
    paint_all(dock, seeds, stroke)
    shown = dock.segmenting.preview.layer.data.copy()
    press(dock.panel.accept)
    settle(dock)
    np.testing.assert_array_equal(target.data, np.where(held == 9, 9, shown))
    assert not dock.segmenting.preview.layer.data.any()
    assert dice(target.data[2] == 10, truth[2] == 2) > 0.9
    assert not (target.data == 65535).any(), "background is never written"


def test_accept_of_one_object_again_leaves_hand_corrections_of_the_other(
    scene: Any, viewer: Any, stroke: Callable[..., None]
) -> None:
    dock, seeds, _ = scene
    paint_all(dock, seeds, stroke)
    press(dock.panel.accept)
    settle(dock)
    target = dock.panel.target.chosen()
    assert target.name == "discs objects"
    target.data[2, 38:42, 30:40] = 0
    corrected = target.data.copy()
    dock.proofreading.go_to(2)
    stroke(seeds, (40, 100), (40, 104))
    settle(dock)
    press(dock.panel.accept)
    settle(dock)
    np.testing.assert_array_equal(target.data == 1, corrected == 1)
    assert np.count_nonzero(target.data == 2) != np.count_nonzero(corrected == 2)


def test_discard_drops_the_preview_alone(scene: Any, viewer: Any, stroke: Callable[..., None]) -> None:
    dock, seeds, _ = scene
    paint_all(dock, seeds, stroke)
    held = seeds.data.copy()
    press(dock.panel.discard)
    assert [layer.name for layer in viewer.layers] == ["discs", "discs seeds"]
    np.testing.assert_array_equal(seeds.data, held)
    assert not dock.panel.accept.isEnabled()


def test_box_keeps_what_was_found_outside(scene: Any, viewer: Any, stroke: Callable[..., None]) -> None:
    dock, seeds, _ = scene
    dock.panel.choose_scope("volume")
    paint_all(dock, seeds, stroke)
    preview = dock.segmenting.preview.layer
    before = preview.data.copy()
    assert before[0].any(), "the volume was computed"
    dock.panel.choose_scope("box")
    dock.panel.margin.setValue(6)
    seeds.selected_label, seeds.brush_size = 1, 3
    stroke(seeds, (40, 57), (40, 58))
    settle(dock)
    piece = dock.segmenting.preview.pieces[-1]
    assert piece.region[0] == slice(0, 4), "six pixels of y and x are two of z"
    assert [s.stop - s.start < 60 for s in piece.region[1:]] == [True, True]
    outside = np.ones(before.shape, bool)
    outside[piece.region] = False
    np.testing.assert_array_equal(preview.data[outside], before[outside])
    values = {"watershed_line": False}
    expected = engine_result(dock, seeds, viewer.layers["discs"].data, piece.region, "marker_controlled_watershed", **values)
    np.testing.assert_array_equal(preview.data[piece.region], np.where(expected == 65535, 0, expected))


def test_box_grows_until_the_engine_has_two_ids(scene: Any, stroke: Callable[..., None]) -> None:
    dock, seeds, _ = scene
    dock.panel.choose_engine("random_walker")
    dock.panel.choose_scope("box")
    dock.panel.margin.setValue(0)
    stroke(seeds, (40, 30), (40, 38))
    settle(dock)
    assert "at least 2 ids" in dock.bar.message.text()
    press(dock.panel.background)
    stroke(seeds, (10, 100), (10, 104))
    settle(dock)
    piece = dock.segmenting.preview.pieces[-1]
    assert set(np.unique(piece.labels)) == {1, 65535}


def test_newer_stroke_cancels_the_older_run(scene: Any, stroke: Callable[..., None], monkeypatch: pytest.MonkeyPatch) -> None:
    from napari_lightbox.engine import local

    dock, seeds, _ = scene
    ends: list[str] = []
    hold = threading.Event()
    real = local.execute

    def execute(request: Any, control: Any) -> Any:
        if request.technique != "marker_controlled_watershed":
            return real(request, control)
        try:
            while not hold.wait(0.005):
                control.report(0.1, "working")
            outcome = real(request, control)
        except BaseException as error:
            ends.append(type(error).__name__)
            raise
        ends.append("done")
        return outcome

    monkeypatch.setattr(local, "execute", execute)
    stroke(seeds, (36, 30), (44, 40))
    process_until(lambda: dock.bar.busy)
    press(dock.panel.background)
    stroke(seeds, (6, 6), (6, 110))
    process_until(lambda: ends == ["CancelledError"])
    hold.set()
    settle(dock)
    assert ends == ["CancelledError", "done"]
    assert len(dock.segmenting.preview.pieces) == 1


def test_a_result_is_not_shown_into_the_next_stroke(scene: Any, viewer: Any, stroke: Callable[..., None]) -> None:
    """A new layer takes napari as long as a short stroke, whose moves would be lost; the next run makes up for it."""
    dock, seeds, _ = scene
    dock.panel.choose_scope("box")
    dock.panel.margin.setValue(4)
    found: list[Any] = []

    def begin_a_stroke(piece: Any) -> None:
        found.append(piece.region)
        if len(found) == 1:
            dock.segmenting.painting.begun.emit()

    dock.segmenting.live.found.connect(begin_a_stroke)
    seeds.selected_label = 65535
    stroke(seeds, (6, 6), (6, 50))
    process_until(lambda: found != [] and not dock.busy)
    assert dock.segmenting.preview.layer is None
    assert not dock.panel.accept.isEnabled()
    seeds.selected_label = 1
    stroke(seeds, (36, 30), (44, 40))
    settle(dock)
    assert len(found) == 2
    assert all(new.start <= old.start and old.stop <= new.stop for new, old in zip(found[1], found[0], strict=True))
    assert len(dock.segmenting.preview.pieces) == 1
    assert dock.panel.accept.isEnabled()


def test_points_and_shapes_are_seeds(viewer: Any, annotate: Callable[[], Any]) -> None:
    image, truth = two_discs()
    viewer.add_image(image, name="discs", axis_labels=tuple("yx"))
    points = viewer.add_points(np.array([[40.0, 35.0], [40.0, 85.0], [5.0, 5.0]]), features={"label": [1, 2, 65535]})
    dock = annotate()
    dock.panel.seeds.choose(points)
    press(dock.bar.run)
    settle(dock)
    found = dock.segmenting.preview.layer.data.copy()
    assert dice(found == 1, truth == 1) > 0.85
    assert dice(found == 2, truth == 2) > 0.85
    points.add(np.array([[40.0, 60.0]]))
    points.features.loc[3, "label"] = 65535
    points.features = points.features
    settle(dock)
    assert dock.segmenting.preview.layer.data[40, 60] == 0
    shapes = viewer.add_shapes(
        [np.array([[36, 30], [44, 40]]), np.array([[35, 80], [35, 90], [45, 90], [45, 80]]), np.array([[5, 5], [5, 110]])],
        shape_type=["line", "rectangle", "path"],
        features={"label": [1, 2, 65535]},
    )
    dock.panel.seeds.choose(shapes)
    press(dock.bar.run)
    settle(dock)
    found = dock.segmenting.preview.layer.data
    assert dice(found == 1, truth == 1) > 0.85
    assert dice(found == 2, truth == 2) > 0.85


def test_existing_mask_becomes_seeds(viewer: Any, annotate: Callable[[], Any]) -> None:
    image, truth = two_discs()
    viewer.add_image(image, name="discs", axis_labels=tuple("yx"))
    rough = np.roll(truth, 2, axis=0)
    rough[70, 100] = 5
    mask = viewer.add_labels(rough, name="rough")
    dock = annotate()
    dock.segmenting.painting.seeds_from(mask)
    settle(dock)
    seeds = dock.panel.seeds.chosen()
    assert set(np.unique(seeds.data)) == {0, 1, 2, 5, 65535}, "an object too thin to shrink stays"
    inside = seeds.data[(seeds.data != 65535) & (seeds.data != 0)]
    np.testing.assert_array_equal(inside, rough[(seeds.data != 65535) & (seeds.data != 0)])
    assert 0 < np.count_nonzero(seeds.data == 1) < np.count_nonzero(rough == 1)
    found = dock.segmenting.preview.layer.data
    assert dice(found == 1, truth == 1) > dice(rough == 1, truth == 1)


def test_parameters_run_again_and_are_undone(scene: Any, stroke: Callable[..., None]) -> None:
    dock, seeds, _ = scene
    paint_all(dock, seeds, stroke)
    before = dock.segmenting.preview.layer.data.copy()
    dock.panel.form.set_values({"watershed_line": True})
    settle(dock)
    with_line = dock.segmenting.preview.layer.data.copy()
    assert (with_line != before).any()
    assert dock.undo.isEnabled()
    press(dock.undo)
    settle(dock)
    assert dock.panel.form.values()["watershed_line"] is False
    np.testing.assert_array_equal(dock.segmenting.preview.layer.data, before)
    press(dock.redo)
    settle(dock)
    np.testing.assert_array_equal(dock.segmenting.preview.layer.data, with_line)
