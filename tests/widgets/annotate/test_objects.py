"""The list of objects, coming back to one, and proofreading."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from tests.widgets.annotate.conftest import settle, two_discs
from tests.widgets.conftest import press

pytestmark = pytest.mark.gui


@pytest.fixture
def proofread(viewer: Any, annotate: Callable[[], Any]) -> tuple[Any, Any, Any]:
    """The dock on the Objects page with a finished segmentation in millimetres."""
    image, truth = two_discs(4)
    place = {"scale": (3, 0.5, 0.5), "units": ("mm",) * 3, "axis_labels": tuple("zyx")}
    viewer.add_image(image, name="discs", **place)
    target = viewer.add_labels(truth.copy(), name="objects", metadata={"names": {2: "right"}}, **place)
    dock = annotate()
    press(dock.panel.new)
    dock.panel.target.choose(target)
    dock.tabs.setCurrentIndex(1)
    settle(dock)
    return dock, target, truth


def rows(dock: Any) -> list[list[str]]:
    table = dock.objects.table
    return [[table.item(r, c).text() for c in range(3)] for r in range(table.rowCount())]


def test_list_shows_names_and_physical_sizes(proofread: Any, viewer: Any) -> None:
    dock, target, truth = proofread
    sizes = [np.count_nonzero(truth == i) * 3 * 0.25 for i in (1, 2)]
    assert rows(dock) == [["1", "", f"{sizes[0] / 1000:.4g} ml"], ["2", "right", f"{sizes[1] / 1000:.4g} ml"]]
    target.data_setitem((np.array([0, 0]), np.array([1, 1]), np.array([1, 2])), 12)
    settle(dock)
    assert rows(dock)[-1] == ["12", "", "1.5 mm³"], "the list follows the brush"
    dock.objects.table.item(0, 1).setText("left")
    assert target.metadata["names"] == {1: "left", 2: "right"}


def test_coming_back_to_an_object_takes_up_its_label_and_place(proofread: Any, viewer: Any) -> None:
    dock, target, _ = proofread
    target.data[:] = 0
    target.data[3, 10:14, 10:14] = 4
    target.data_setitem((np.array([0]), np.array([1]), np.array([1])), 9)
    settle(dock)
    viewer.dims.set_current_step(0, 0)
    dock.objects.table.selectRow(0)
    seeds = dock.panel.seeds.chosen()
    assert (seeds.selected_label, target.selected_label) == (4, 4)
    assert viewer.dims.current_step[0] == 3
    assert (viewer.layers.selection.active, seeds.mode) == (seeds, "paint")
    press(dock.objects.next)
    assert (seeds.selected_label, viewer.dims.current_step[0]) == (9, 0)
    press(dock.objects.next)
    assert seeds.selected_label == 4


@pytest.mark.parametrize("what", ["merge", "delete", "relabel"])
def test_merge_delete_and_relabel_with_their_seeds_undone_and_redone(
    proofread: Any, stroke: Callable[..., None], what: str
) -> None:
    dock, target, truth = proofread
    seeds = dock.panel.seeds.chosen()
    dock.panel.live.setChecked(False)
    seeds.selected_label = 2
    stroke(seeds, (36, 80), (44, 90))
    painted = seeds.data.copy()
    if what == "merge":
        dock.objects.table.selectAll()
        mapping = {2: 1}
    else:
        dock.objects.table.choose(2)
        mapping = {2: 0} if what == "delete" else {2: 30}
        dock.objects.new_id.setValue(30)
    press(getattr(dock.objects, what))
    settle(dock)
    (before, after), *_ = mapping.items()
    np.testing.assert_array_equal(target.data, np.where(truth == before, after, truth))
    np.testing.assert_array_equal(seeds.data, np.where(painted == before, after, painted))
    press(dock.undo)
    settle(dock)
    np.testing.assert_array_equal(target.data, truth)
    np.testing.assert_array_equal(seeds.data, painted)
    press(dock.redo)
    settle(dock)
    np.testing.assert_array_equal(target.data, np.where(truth == before, after, truth))
    assert len(rows(dock)) == (2 if what == "relabel" else 1)


def test_split_by_strokes_of_one_label(proofread: Any, viewer: Any, stroke: Callable[..., None]) -> None:
    dock, target, truth = proofread
    joined = np.where(truth > 0, 1, 0).astype(np.int32)
    joined[:, 38:42, 35:85] = 1
    joined[:, :5, :5] = 2
    target.data = joined.copy()
    settle(dock)
    seeds = dock.panel.seeds.chosen()
    dock.panel.live.setChecked(False)
    viewer.dims.set_current_step(0, 1)
    stroke(seeds, (36, 30), (44, 36))
    dock.objects.table.choose(1)
    press(dock.objects.split)
    settle(dock)
    assert "one stroke in each" not in dock.bar.message.text()
    assert "Paint a stroke in each of its parts" in dock.bar.message.text()
    np.testing.assert_array_equal(target.data, joined)
    stroke(seeds, (36, 82), (44, 90))
    dock.objects.table.choose(1)
    press(dock.objects.split)
    settle(dock)
    assert set(np.unique(target.data)) == {0, 1, 2, 3}
    np.testing.assert_array_equal(target.data > 0, joined > 0)
    np.testing.assert_array_equal(target.data == 2, joined == 2)
    left, right = truth == 1, truth == 2
    parts = {int(np.bincount(target.data[where]).argmax()) for where in (left, right)}
    assert parts == {1, 3}
    assert min(np.mean(target.data[left] == 1), np.mean(target.data[right] == 3)) > 0.95
    press(dock.undo)
    settle(dock)
    np.testing.assert_array_equal(target.data, joined)


def test_id_that_is_taken_is_refused(proofread: Any) -> None:
    dock, target, truth = proofread
    dock.objects.table.choose(2)
    dock.objects.new_id.setValue(1)
    press(dock.objects.relabel)
    settle(dock)
    assert "taken by another object" in dock.bar.message.text()
    np.testing.assert_array_equal(target.data, truth)
