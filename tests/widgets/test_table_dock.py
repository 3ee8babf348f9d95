"""The table dock: order, CSV, and the way from a row to its object."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from napari_lightbox.contract.values import Table
from napari_lightbox.widgets.results import put_features

pytestmark = pytest.mark.gui

TABLE = Table({"label": np.array([1, 2, 5]), "area": np.array([10.5, 2.25, 100.0])}, {"area": "mm2"})


@pytest.fixture
def labels(viewer: Any) -> Any:
    data = np.zeros((9, 40, 40), np.int32)
    data[2, 5:8, 5:8] = 1
    data[4, 20:23, 30:33] = 2
    data[7, 30:39, 2:6] = 5
    return viewer.add_labels(data, name="objects", scale=(2, 1, 1))


def test_sorting_is_by_number(viewer: Any, labels: Any) -> None:
    from qtpy.QtCore import Qt

    from napari_lightbox.widgets.table_dock import TableDock

    dock = TableDock(TABLE, viewer, labels)
    dock.view.sortByColumn(1, Qt.SortOrder.AscendingOrder)
    assert [dock.sorted.index(r, 0).data() for r in range(3)] == ["2", "1", "5"]
    dock.deleteLater()


def test_csv_holds_the_numbers_in_the_order_shown(viewer: Any, labels: Any, tmp_path: Path) -> None:
    from qtpy.QtCore import Qt

    from napari_lightbox.widgets.table_dock import TableDock

    dock = TableDock(TABLE, viewer, labels)
    dock.view.sortByColumn(1, Qt.SortOrder.DescendingOrder)
    dock.save(tmp_path / "table.csv")
    with (tmp_path / "table.csv").open(newline="") as file:
        rows = list(csv.reader(file))
    assert rows == [["label", "area [mm2]"], ["5", "100.0"], ["1", "10.5"], ["2", "2.25"]]
    dock.deleteLater()


def test_a_click_centres_the_viewer_on_the_object(viewer: Any, labels: Any) -> None:
    from napari_lightbox.widgets.table_dock import TableDock

    dock = TableDock(TABLE, viewer, labels)
    dock.view.clicked.emit(dock.sorted.index(1, 0))
    assert viewer.dims.current_step[0] == 4
    assert viewer.camera.center[1:] == (21.0, 31.0)
    assert labels.selected_label == 2
    dock.deleteLater()


def test_features_follow_the_labels(labels: Any) -> None:
    put_features(labels, TABLE)
    assert list(labels.features["area"]) == [10.5, 2.25, 100.0]
    assert labels._label_index == {1: 0, 2: 1, 5: 2}


def test_rows_that_are_not_objects_are_no_features(labels: Any) -> None:
    put_features(labels, Table({"label": np.array([1, 1]), "t": np.array([0, 1])}))
    assert labels.features.empty
