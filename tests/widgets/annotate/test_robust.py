"""Bad input and unusual images: a message with the way out, and nothing lost."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import dask.array as da
import numpy as np
import pytest
from tests.widgets.annotate.conftest import dice, paint_all, settle, two_discs
from tests.widgets.conftest import press, process_until

pytestmark = pytest.mark.gui


def said(dock: Any) -> str:
    return str(dock.bar.message.text())


def test_nothing_chosen_empty_seeds_and_one_class(viewer: Any, annotate: Callable[[], Any], stroke: Callable[..., None]) -> None:
    dock = annotate()
    press(dock.bar.run)
    assert said(dock) == "Image: no image is chosen. Open one first"
    press(dock.panel.new)
    assert said(dock) == "Image: no image is chosen. Open one first"
    image, _ = two_discs()
    viewer.add_image(image, name="discs", axis_labels=tuple("yx"))
    press(dock.bar.run)
    assert said(dock) == "Seeds: no layer is chosen. Press New and paint"
    press(dock.panel.new)
    press(dock.bar.run)
    settle(dock)
    assert "hold no painted pixel" in said(dock)
    press(dock.panel.accept)
    assert not dock.panel.accept.isEnabled()
    dock.panel.choose_engine("random_walker")
    seeds = dock.panel.seeds.chosen()
    stroke(seeds, (36, 30), (44, 40))
    settle(dock)
    assert "Paint some pixels of the object with one id and some of the background with another" in said(dock)
    seeds.undo()
    settle(dock)
    assert not seeds.data.any()


def test_preview_goes_with_the_last_seed(viewer: Any, annotate: Callable[[], Any], stroke: Callable[..., None]) -> None:
    image, _ = two_discs()
    viewer.add_image(image, name="discs", axis_labels=tuple("yx"))
    dock = annotate()
    press(dock.panel.new)
    seeds = dock.panel.seeds.chosen()
    stroke(seeds, (36, 30), (44, 40))
    settle(dock)
    assert dock.segmenting.preview.layer.data.any()
    press(dock.undo)
    settle(dock)
    assert not dock.segmenting.preview.pieces
    assert "hold no painted pixel" in said(dock)


def test_seeds_and_target_of_another_shape(viewer: Any, annotate: Callable[[], Any], stroke: Callable[..., None]) -> None:
    image, _ = two_discs()
    viewer.add_image(image, name="discs", axis_labels=tuple("yx"))
    small = viewer.add_labels(np.ones((10, 12), np.int32), name="small")
    dock = annotate()
    dock.panel.seeds.choose(small)
    press(dock.bar.run)
    settle(dock)
    assert said(dock) == "small: has shape (10, 12), the image discs needs (80, 120). Press New, or choose seeds for this image"
    press(dock.panel.new)
    seeds = dock.panel.seeds.chosen()
    stroke(seeds, (36, 30), (44, 40))
    settle(dock)
    dock.panel.target.choose(small)
    press(dock.panel.accept)
    settle(dock)
    assert "small: has shape (10, 12)" in said(dock)
    assert (small.data == 1).all()
    assert dock.segmenting.preview.pieces, "the preview is still there"
    dock.panel.target.choose(seeds)
    press(dock.panel.accept)
    settle(dock)
    assert said(dock) == "discs seeds: holds the seeds. Accept into a new layer or another one"


def test_target_too_narrow_for_an_id_stays_as_it_was(scene: Any, viewer: Any, stroke: Callable[..., None]) -> None:
    dock, seeds, truth = scene
    narrow = viewer.add_labels(np.zeros(truth.shape, np.uint8), name="narrow")
    dock.panel.target.choose(narrow)
    viewer.layers.selection.active = seeds
    stroke(seeds, (36, 30), (44, 40))
    seeds.selected_label = 300
    stroke(seeds, (36, 80), (44, 90))
    settle(dock)
    press(dock.panel.accept)
    settle(dock)
    assert "too small for the new ids" in said(dock)
    assert not narrow.data.any()
    assert dock.session.history.undo_title == "stroke in discs seeds"


@pytest.mark.parametrize("which", ["image", "seeds", "all"])
def test_layer_deleted_during_the_run(
    scene: Any, viewer: Any, stroke: Callable[..., None], monkeypatch: pytest.MonkeyPatch, which: str
) -> None:
    from napari.utils.notifications import notification_manager

    from napari_lightbox.engine import local

    dock, seeds, _ = scene
    hold, ends = threading.Event(), []
    real = local.execute

    def execute(request: Any, control: Any) -> Any:
        if request.technique == "marker_controlled_watershed":
            hold.wait(10)
        try:
            return real(request, control)
        finally:
            ends.append(request.technique)

    monkeypatch.setattr(local, "execute", execute)
    stroke(seeds, (36, 30), (44, 40))
    process_until(lambda: dock.bar.busy)
    if which == "all":
        viewer.layers.clear()
    else:
        viewer.layers.remove(viewer.layers["discs"] if which == "image" else seeds)
    hold.set()
    process_until(lambda: "marker_controlled_watershed" in ends)
    settle(dock)
    assert [r.message for r in notification_manager.records if str(r.severity) == "error"] == []
    assert "Preview" not in viewer.layers
    assert not dock.panel.accept.isEnabled()


def test_two_docks_and_a_technique_write_the_same_layer(
    viewer: Any, annotate: Callable[[], Any], stroke: Callable[..., None]
) -> None:
    from napari_lightbox.widgets.label_ids import write_into

    image, _ = two_discs()
    viewer.add_image(image, name="discs", axis_labels=tuple("yx"))
    first, second = annotate(), annotate()
    press(first.panel.new)
    seeds = first.panel.seeds.chosen()
    target = viewer.add_labels(np.zeros(image.shape, np.int32), name="target")
    for dock in (first, second):
        dock.panel.seeds.choose(seeds)
        dock.panel.target.choose(target)
    second.panel.choose_engine("region_growing")
    second.panel.form.set_values({"method": "threshold", "lower": 180.0, "upper": 255.0})
    viewer.layers.selection.active = seeds
    stroke(seeds, (36, 30), (44, 40))
    press(first.panel.background)
    stroke(seeds, (6, 6), (6, 110))
    settle(first)
    settle(second)
    states = [target.data.copy()]
    press(first.panel.accept)
    settle(first)
    states.append(target.data.copy())
    other = np.zeros_like(target.data)
    other[70:, :10] = 4
    write_into(target, other, None)
    states.append(target.data.copy())
    press(second.panel.accept)
    settle(second)
    states.append(target.data.copy())
    assert all((a != b).any() for a, b in zip(states, states[1:], strict=False))
    for wanted in states[-2::-1]:
        press(second.undo)
        settle(first)
        np.testing.assert_array_equal(target.data, wanted)


def test_lazy_image_is_computed_only_where_it_is_needed(
    viewer: Any, annotate: Callable[[], Any], stroke: Callable[..., None]
) -> None:
    image, truth = two_discs()
    reads: list[Any] = []

    def read(block: Any, block_info: Any = None) -> Any:
        reads.append(block_info[0]["chunk-location"])
        return image[None]

    lazy = da.zeros((5000, 80, 120), np.uint8, chunks=(1, 80, 120)).map_blocks(
        read, dtype=np.uint8, meta=np.empty((0, 0, 0), np.uint8)
    )
    viewer.add_image(lazy, name="movie", axis_labels=tuple("tyx"), contrast_limits=(0, 255))
    viewer.dims.set_current_step(0, 1234)
    dock = annotate()
    press(dock.panel.new)
    seeds = dock.panel.seeds.chosen()
    assert seeds.data.shape == lazy.shape
    reads.clear()
    for scope in ("plane", "box"):
        dock.panel.choose_scope(scope)
        seeds.selected_label = 1
        stroke(seeds, (36, 30), (44, 40))
        press(dock.panel.background)
        stroke(seeds, (6, 6), (6, 110))
        settle(dock)
    assert {place[0] for place in reads} == {1234}, "other frames were computed"
    press(dock.panel.accept)
    settle(dock)
    target = dock.panel.target.chosen()
    assert dice(np.asarray(target.data[1234]) == 1, truth == 1) > 0.4
    assert not np.asarray(target.data[1233]).any()


def test_frames_of_a_video_are_segmented_one_by_one(
    viewer: Any, annotate: Callable[[], Any], stroke: Callable[..., None]
) -> None:
    image, truth = two_discs(3)
    video = np.stack([image, image[:, ::-1], image])
    viewer.add_image(video, name="video", axis_labels=tuple("tzyx"))
    viewer.dims.set_current_step(0, 1)
    viewer.dims.set_current_step(1, 2)
    dock = annotate()
    press(dock.panel.new)
    seeds = dock.panel.seeds.chosen()
    dock.panel.choose_scope("volume")
    paint_all(dock, seeds, stroke)
    press(dock.panel.accept)
    settle(dock)
    target = dock.panel.target.chosen()
    assert [bool(target.data[t].any()) for t in range(3)] == [False, True, False]
    assert dice(target.data[1] == 1, truth[:, ::-1] == 1) > 0.9
    assert dock.objects.table.ids == [1, 2]
    viewer.dims.set_current_step(0, 0)
    settle(dock)
    assert dock.objects.table.ids == []


def test_colour_picture(viewer: Any, annotate: Callable[[], Any], stroke: Callable[..., None]) -> None:
    image, truth = two_discs()
    viewer.add_image(np.stack([image, image // 2, 255 - image], -1), rgb=True, name="photo")
    dock = annotate()
    press(dock.panel.new)
    seeds = dock.panel.seeds.chosen()
    assert seeds.data.shape == (80, 120)
    paint_all(dock, seeds, stroke)
    assert dice(dock.segmenting.preview.layer.data == 1, truth == 1) > 0.9
    dock.panel.choose_engine("region_growing")
    settle(dock)
    assert said(dock) == ("Region growing: works on gray images. Convert the picture with RGB to gray, or choose another engine")


def test_channels_that_are_browsed_are_segmented_one_at_a_time(
    viewer: Any, annotate: Callable[[], Any], stroke: Callable[..., None]
) -> None:
    image, truth = two_discs()
    viewer.add_image(np.stack([np.zeros_like(image), image]), name="cells", axis_labels=tuple("cyx"))
    viewer.dims.set_current_step(0, 1)
    dock = annotate()
    press(dock.panel.new)
    seeds = dock.panel.seeds.chosen()
    assert seeds.data.shape == (80, 120)
    dock.panel.choose_engine("region_growing")
    stroke(seeds, (40, 33), (40, 37))
    settle(dock)
    assert dice(dock.segmenting.preview.layer.data == 1, truth == 1) > 0.5


def test_pyramid_gets_seeds_on_the_finest_level(viewer: Any, annotate: Callable[[], Any], stroke: Callable[..., None]) -> None:
    image, truth = two_discs()
    viewer.add_image([image, image[::2, ::2]], multiscale=True, name="pyramid", axis_labels=tuple("yx"))
    pyramid = viewer.add_labels([truth, truth[::2, ::2]], multiscale=True, name="labels pyramid")
    dock = annotate()
    dock.panel.seeds.choose(pyramid)
    assert "press New" in said(dock)
    press(dock.panel.new)
    seeds = dock.panel.seeds.chosen()
    assert seeds.data.shape == (80, 120)
    paint_all(dock, seeds, stroke)
    assert dice(dock.segmenting.preview.layer.data == 1, truth == 1) > 0.9
