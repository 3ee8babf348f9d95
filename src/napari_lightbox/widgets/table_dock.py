"""A table of measurements: sortable, saved as CSV, each row leads to its object."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Labels, Layer
from qtpy.QtCore import QAbstractTableModel, QModelIndex, QSortFilterProxyModel, Qt
from qtpy.QtWidgets import QAbstractItemView, QFileDialog, QHBoxLayout, QLabel, QPushButton, QTableView, QVBoxLayout, QWidget

from napari_lightbox.contract.values import Table
from napari_lightbox.widgets.layers import world_matrix

if TYPE_CHECKING:
    from napari.components import ViewerModel

SORT_ROLE = Qt.ItemDataRole.UserRole


class TableModel(QAbstractTableModel):  # type: ignore[misc]
    """The rows of a `Table`."""

    def __init__(self, table: Table) -> None:
        super().__init__()
        self.table = table
        self.names = list(table)

    def rowCount(self, parent: QModelIndex | None = None) -> int:
        """Return the number of rows."""
        return len(self.table)

    def columnCount(self, parent: QModelIndex | None = None) -> int:
        """Return the number of columns."""
        return len(self.names)

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return what a cell shows, or its plain value for sorting."""
        value = self.table[self.names[index.column()]][index.row()]
        if role == SORT_ROLE:
            return value.item() if isinstance(value, np.generic) else str(value)
        if role == Qt.ItemDataRole.DisplayRole:
            return f"{value:.5g}" if isinstance(value, (float, np.floating)) else str(value)
        if role == Qt.ItemDataRole.TextAlignmentRole and isinstance(value, (int, float, np.number)):
            return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        return None

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return a column's name and unit."""
        if orientation != Qt.Orientation.Horizontal or role != Qt.ItemDataRole.DisplayRole:
            return None
        name = self.names[section]
        unit = self.table.units.get(name)
        return f"{name} [{unit}]" if unit else name


class TableDock(QWidget):  # type: ignore[misc]
    """Show one table; a click on a row centres the viewer on the object with that label."""

    def __init__(self, table: Table, viewer: ViewerModel, layer: Layer | None = None) -> None:
        super().__init__()
        self.table = table
        self._viewer = viewer
        self._layer = layer
        self.model = TableModel(table)
        self.sorted = QSortFilterProxyModel(self)
        self.sorted.setSourceModel(self.model)
        self.sorted.setSortRole(SORT_ROLE)
        self.view = QTableView()
        self.view.setModel(self.sorted)
        self.view.setSortingEnabled(True)
        self.view.horizontalHeader().setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        self.view.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.view.setAlternatingRowColors(False)
        self.view.verticalHeader().hide()
        self.view.verticalHeader().setDefaultSectionSize(24)
        self.view.resizeColumnsToContents()
        self.view.clicked.connect(self._go_to)
        save = QPushButton("Save as CSV…")
        save.clicked.connect(self._ask_path)
        below = QHBoxLayout()
        below.addWidget(QLabel(f"{len(table)} row{'' if len(table) == 1 else 's'}"), 1)
        below.addWidget(save)
        column = QVBoxLayout(self)
        column.addWidget(self.view, 1)
        column.addLayout(below)
        self.setMinimumHeight(140)

    def save(self, path: str | Path) -> None:
        """Write all rows in the order shown as CSV; units stand in the header."""
        columns = range(self.model.columnCount())
        with Path(path).open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow([self.model.headerData(c, Qt.Orientation.Horizontal) for c in columns])
            for row in range(self.sorted.rowCount()):
                source = self.sorted.mapToSource(self.sorted.index(row, 0)).row()
                writer.writerow([self.table[name][source] for name in self.model.names])

    def _ask_path(self) -> None:
        path = QFileDialog.getSaveFileName(self, "Save table", "table.csv", "CSV (*.csv)")[0]
        if path:
            self.save(path)

    def _go_to(self, index: QModelIndex) -> None:
        row = self.sorted.mapToSource(index).row()
        position = object_position(self.table, row, self._layer) if self._layer in self._viewer.layers else None
        if position is None or self._layer is None:
            return
        matrix = world_matrix(self._layer)
        world = matrix[:-1, :-1] @ position + matrix[:-1, -1]
        offset = self._viewer.dims.ndim - self._layer.ndim
        self._viewer.dims.set_point(range(offset, self._viewer.dims.ndim), tuple(world))
        center = list(self._viewer.camera.center)
        for slot, axis in enumerate(self._viewer.dims.displayed, start=3 - len(self._viewer.dims.displayed)):
            if axis >= offset:
                center[slot] = world[axis - offset]
        self._viewer.camera.center = tuple(center)
        if isinstance(self._layer, Labels) and "label" in self.table:
            self._layer.selected_label = int(self.table["label"][row])


def object_position(table: Table, row: int, layer: Layer | None) -> Any:
    """Return the index position of a row's object: a pixel of its label nearest to the middle of its extent, None without one."""
    if not isinstance(layer, Labels) or "label" not in table or getattr(layer, "multiscale", False):
        return None
    where = np.argwhere(np.asarray(layer.data) == table["label"][row])
    if not len(where):
        return None
    middle = (where.min(axis=0) + where.max(axis=0)) / 2
    return where[np.argmin(((where - middle) ** 2).sum(axis=1))].astype(float)
