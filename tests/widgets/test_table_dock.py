"""The table dock: order, filter, plot, colours, files, and the way between rows and objects."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import dask.array as da
import numpy as np
import pytest
from tests.widgets.conftest import process_until
from tests.widgets.reading import as_read

from napari_lightbox.contract.values import Table
from napari_lightbox.errors import WriteError
from napari_lightbox.widgets.results import put_features

pytestmark = pytest.mark.gui

TABLE = Table({"label": np.array([1, 2, 5]), "area": np.array([10.5, 2.25, 100.0])}, {"area": "mm2"})


@pytest.fixture
def labels(viewer: Any) -> Any:
    data = np.zeros((9, 40, 40), np.int32)
    data[2, 5:8, 5:8] = 1
    data[4, 20:23, 30:33] = 2
    data[7, 30:39, 2:6] = 5
    return viewer.add_labels(data, name="objects", scale=(2, 1, 1), axis_labels=tuple("zyx"))


@pytest.fixture
def dock(viewer: Any, labels: Any) -> Any:
    from napari_lightbox.widgets.table_dock import TableDock

    made = TableDock(TABLE, viewer, labels, "objects")
    viewer.window.add_dock_widget(made, name="objects", area="bottom")
    return made


def shown(dock: Any, column: int = 0) -> list[str]:
    return [dock.model.index(r, column).data() for r in range(dock.model.rowCount())]


def test_sorting_is_by_number_and_missing_values_come_last(viewer: Any) -> None:
    from qtpy.QtCore import Qt

    from napari_lightbox.widgets.table_dock import TableDock

    table = Table({"label": np.array([1, 2, 3, 4, 5]), "area": np.array([10.5, np.nan, 2.25, 100.0, 10.5])})
    dock = TableDock(table, viewer)
    dock.view.sortByColumn(1, Qt.SortOrder.AscendingOrder)
    assert shown(dock) == ["3", "1", "5", "4", "2"]
    dock.view.sortByColumn(1, Qt.SortOrder.DescendingOrder)
    assert shown(dock) == ["4", "1", "5", "3", "2"]
    dock.view.sortByColumn(-1, Qt.SortOrder.AscendingOrder)
    assert shown(dock) == ["1", "2", "3", "4", "5"]
    dock.deleteLater()


def test_csv_holds_the_numbers_in_the_order_shown(dock: Any, tmp_path: Path) -> None:
    from qtpy.QtCore import Qt

    dock.view.sortByColumn(1, Qt.SortOrder.DescendingOrder)
    dock.save(tmp_path / "table.csv")
    with (tmp_path / "table.csv").open(newline="") as file:
        rows = list(csv.reader(file))
    assert rows == [["label", "area [mm2]"], ["5", "100.0"], ["1", "10.5"], ["2", "2.25"]]
    dock.filter.setText("area < 50")
    dock.save(tmp_path / "table.csv")
    assert (tmp_path / "table.csv").read_text() == "label,area [mm2]\n1,10.5\n2,2.25\n"
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(WriteError):
        dock.save(tmp_path / "folder.csv")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["folder.csv", "table.csv"]


def test_copy_takes_the_selected_rows_else_all(dock: Any) -> None:
    from qtpy.QtWidgets import QApplication

    assert dock.copied() == "label\tarea [mm2]\n1\t10.5\n2\t2.25\n5\t100.0\n"
    dock.view.selectRow(1)
    dock.copy.click()
    assert QApplication.clipboard().text() == "label\tarea [mm2]\n2\t2.25\n"


def test_a_click_centres_the_viewer_on_the_object(dock: Any, viewer: Any, labels: Any) -> None:
    dock.view.clicked.emit(dock.model.index(1, 0))
    assert viewer.dims.current_step[0] == 4
    assert viewer.camera.center[1:] == (21.0, 31.0)
    assert labels.selected_label == 2


def test_columns_lead_to_the_object_without_reading_lazy_labels(viewer: Any) -> None:
    from napari_lightbox.widgets.table_dock import TableDock

    reads: list[Any] = []

    def read(block: Any, block_info: Any = None) -> Any:
        reads.append(block_info)
        return block

    lazy = da.zeros((50, 4, 64, 64), dtype=np.int32, chunks=(1, 4, 64, 64)).map_blocks(read, dtype=np.int32)
    layer = viewer.add_labels(lazy, axis_labels=tuple("tzyx"))
    place = {"first_z": 1, "last_z": 2, "first_y": 10, "last_y": 20, "first_x": 30, "last_x": 41}
    table = Table({"t": np.array([7]), "label": np.array([3])} | {n: np.array([v]) for n, v in place.items()})
    dock = TableDock(table, viewer, layer)
    found: list[Any] = []
    reads.clear()
    dock.objects.find(0, found.append)
    assert reads == []
    assert found[0].tolist() == [7, 2, 15, 36]
    dock.shut_down()
    dock.deleteLater()


def test_objects_without_columns_are_measured_once_in_the_background(viewer: Any) -> None:
    from napari_lightbox.widgets.table_dock import TableDock

    data = np.zeros((20, 50, 60), np.int32)
    data[12, 30:33, 40:43] = 9
    data[3, 1:3, 1:3] = 4
    reads: list[int] = []

    def read(block: Any) -> Any:
        reads.append(1)
        return block

    lazy = da.from_array(data, chunks=(5, 50, 60)).map_blocks(read, dtype=np.int32, meta=np.empty((0, 0, 0), np.int32))
    layer = viewer.add_labels(lazy, axis_labels=tuple("zyx"))
    dock = TableDock(Table({"label": np.array([4, 9]), "score": np.array([1.0, 2.0])}), viewer, layer)
    reads.clear()
    dock.view.clicked.emit(dock.model.index(1, 0))
    assert dock.objects.busy
    process_until(lambda: not dock.objects.busy)
    assert viewer.dims.current_step[0] == 12
    assert viewer.camera.center[1:] == (31.0, 41.0)
    layer.visible = False
    reads.clear()
    dock.view.clicked.emit(dock.model.index(0, 0))
    assert viewer.dims.current_step[0] == 3
    assert reads == [], "the second object is known already"
    dock.shut_down()
    dock.deleteLater()


def test_rows_and_objects_follow_each_other(dock: Any, labels: Any, viewer: Any) -> None:
    own = labels.colormap
    dock.view.selectRow(1)
    np.testing.assert_array_equal(dock.selected, [False, True, False])
    lit = labels.colormap.map(np.array([[0, 1, 2, 5]]))[0]
    assert lit[0][3] == 0
    assert lit[2][3] == 1
    assert lit[1][3] == pytest.approx(0.3)
    labels.selected_label = 5
    np.testing.assert_array_equal(dock.selected, [False, False, True])
    assert [i.row() for i in dock.view.selectionModel().selectedRows()] == [2]
    dock.select(np.zeros(3, bool))
    assert labels.colormap == own


def test_a_click_on_an_object_selects_its_row(dock: Any, labels: Any, viewer: Any) -> None:
    from types import SimpleNamespace

    viewer.dims.set_current_step(0, 4)
    event = SimpleNamespace(
        type="mouse_press", position=(8.0, 21.0, 31.0), view_direction=None, dims_displayed=[1, 2], is_dragging=False
    )
    (callback,) = labels.mouse_drag_callbacks[-1:]
    step = callback(labels, event)
    next(step)
    event.type = "mouse_release"
    with pytest.raises(StopIteration):
        next(step)
    np.testing.assert_array_equal(dock.selected, [False, True, False])


def test_colours_by_a_column_and_back(dock: Any, labels: Any) -> None:
    own = labels.colormap
    dock.paint.column.setCurrentIndex(dock.paint.column.findText("area"))
    colours = labels.colormap.map(np.array([[0, 1, 2, 5, 7]]))[0]
    from napari.utils.colormaps import ensure_colormap

    low, high = ensure_colormap("viridis").map(np.array([0.0, 1.0]))
    np.testing.assert_allclose(colours[2], low, atol=1e-6)
    np.testing.assert_allclose(colours[3], high, atol=1e-6)
    assert colours[0][3] == colours[4][3] == 0
    dock.view.selectRow(0)
    dock.select(np.zeros(3, bool))
    np.testing.assert_allclose(labels.colormap.map(np.array([[5]]))[0][0], high, atol=1e-6)
    dock.paint.back.click()
    assert labels.colormap == own
    dock.paint.column.setCurrentIndex(2)
    dock.shut_down()
    assert labels.colormap == own


def test_a_bad_filter_says_why_and_changes_nothing(dock: Any) -> None:
    dock.filter.setText("area > 5")
    assert shown(dock) == ["1", "5"]
    dock.filter.setText("area > five")
    assert shown(dock) == ["1", "5"]
    assert "there is no column 'five'" in dock.said.text()
    dock.filter.setText("area <b>5</b>")
    assert as_read(dock.said).startswith("filter: 'area <b>5</b>' cannot be read"), "what was typed is no markup"
    dock.filter.setText("")
    assert shown(dock) == ["1", "2", "5"]


def drag(plot: Any, start: Any, end: Any) -> None:
    from qtpy.QtCore import Qt
    from qtpy.QtTest import QTest

    QTest.mousePress(plot, Qt.MouseButton.LeftButton, pos=start)
    QTest.mouseMove(plot, end)
    QTest.mouseRelease(plot, Qt.MouseButton.LeftButton, pos=end)


def test_a_range_dragged_in_the_plot_selects_its_rows(dock: Any) -> None:
    dock.plot.switch.setChecked(True)
    plot = dock.plot.plot
    plot.resize(400, 200)
    frame = plot._frame()
    drag(plot, frame.topLeft(), frame.center())
    np.testing.assert_array_equal(dock.selected, [True, True, False])
    dock.filter.setText("area != 2.25")
    drag(plot, frame.topLeft(), frame.bottomRight())
    np.testing.assert_array_equal(dock.selected, [True, False, True])
    dock.filter.setText("")
    dock.plot.y.setCurrentIndex(dock.plot.y.findText("area [mm2]"))
    drag(plot, frame.center(), frame.topRight())
    np.testing.assert_array_equal(dock.selected, [False, False, True])
    drag(plot, frame.center(), frame.center())
    assert not dock.selected.any()
    picture = plot.grab().toImage()
    assert len({picture.pixel(x, y) for x in range(0, 400, 2) for y in range(0, 200, 2)}) > 3


def test_features_follow_the_labels_and_reopen_with_units(labels: Any, viewer: Any) -> None:
    from napari_lightbox.widgets.table_reopen import TablesDock

    tables = TablesDock(viewer)
    assert tables.table is None
    put_features(labels, TABLE)
    assert list(labels.features["area"]) == [10.5, 2.25, 100.0]
    assert labels._label_index == {1: 0, 2: 1, 5: 2}
    assert list(tables.table.table) == ["label", "area"]
    assert dict(tables.table.table.units) == {"area": "mm2"}
    put_features(labels, Table({"label": np.array([1]), "volume": np.array([3.0])}))
    assert list(tables.table.table) == ["label", "volume"]
    viewer.layers.remove(labels)
    assert tables.table is None
    tables.shut_down()
    tables.deleteLater()


def test_rows_that_are_not_objects_are_no_features(labels: Any) -> None:
    put_features(labels, Table({"label": np.array([1, 1]), "t": np.array([0, 1])}))
    assert labels.features.empty


def test_fifty_thousand_rows_are_filtered_sorted_and_selected_as_pandas_does(viewer: Any) -> None:
    from qtpy.QtCore import Qt

    from napari_lightbox.widgets.table_dock import TableDock

    count = 50_000
    rng = np.random.default_rng(0)
    table = Table({"label": np.arange(1, count + 1)} | {f"column {i}": rng.normal(size=count) for i in range(10)})
    layer = viewer.add_labels((np.arange(1000 * 1000) // 20 + 1).reshape(1000, 1000).astype(np.int32))
    dock = TableDock(table, viewer, layer)
    viewer.window.add_dock_widget(dock, name="many", area="bottom")
    dock.filter.setText("`column 1` > 0 and label != 3")
    dock.view.sortByColumn(3, Qt.SortOrder.DescendingOrder)
    frame = table.to_pandas()
    wanted = frame.query("`column 1` > 0 and label != 3").sort_values(frame.columns[3], ascending=False)
    shown = dock.view.model()
    assert shown.rowCount() == len(wanted)
    rows = [0, 1, 2, len(wanted) // 2, len(wanted) - 1]
    assert [int(shown.index(row, 0).data()) for row in rows] == wanted["label"].iloc[rows].tolist()
    dock.select(table["column 2"] > 0)
    chosen = dock.view.selectionModel().selectedRows()
    assert len(chosen) == int((wanted["column 2"] > 0).sum())
