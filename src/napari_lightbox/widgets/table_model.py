"""A table as a Qt model that sorts and filters whole columns at once: tens of thousands of rows stay smooth."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QAbstractTableModel, QModelIndex, Qt

from napari_lightbox.contract.values import Table


class TableModel(QAbstractTableModel):  # type: ignore[misc]
    """The rows of a `Table` that pass the filter, in the order of the sorted column."""

    def __init__(self, table: Table) -> None:
        super().__init__()
        self.table = table
        self.names = list(table)
        self.wanted: NDArray[np.bool_] = np.ones(len(table), bool)
        self._sorted_by: tuple[int, bool] | None = None
        self.order: NDArray[np.intp] = np.arange(len(table))
        self._places = self.order

    def rowCount(self, parent: QModelIndex | None = None) -> int:
        """Return the number of rows that pass the filter."""
        return 0 if parent is not None and parent.isValid() else len(self.order)

    def columnCount(self, parent: QModelIndex | None = None) -> int:
        """Return the number of columns."""
        return 0 if parent is not None and parent.isValid() else len(self.names)

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return what a cell shows."""
        if role not in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.TextAlignmentRole) or not index.isValid():
            return None
        value = self.table[self.names[index.column()]][self.order[index.row()]]
        if role == Qt.ItemDataRole.DisplayRole:
            return f"{value:.5g}" if isinstance(value, (float, np.floating)) else str(value)
        if isinstance(value, (int, float, np.number)):
            return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        return None

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return a column's name and unit."""
        if orientation != Qt.Orientation.Horizontal or role != Qt.ItemDataRole.DisplayRole:
            return None
        return title(self.table, self.names[section])

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """Sort by a column, missing values last; a negative column restores the order of the table."""
        self._sorted_by = (column, order == Qt.SortOrder.DescendingOrder) if column >= 0 else None
        self._arrange()

    def filter(self, wanted: NDArray[np.bool_]) -> None:
        """Show only these rows of the table."""
        self.wanted = wanted
        self._arrange()

    def source_rows(self, shown: Iterable[int]) -> NDArray[np.intp]:
        """Return the rows of the table behind rows shown."""
        return self.order[np.fromiter(shown, np.intp)]

    def shown_rows(self, rows: NDArray[np.intp]) -> NDArray[np.intp]:
        """Return where rows of the table are shown, without those that are filtered out, in ascending order."""
        places = self._places[rows]
        return np.sort(places[places >= 0])

    def bring_up(self, rows: NDArray[np.bool_]) -> None:
        """Show these rows of the table first, each group in its order."""
        self._put(np.concatenate([self.order[rows[self.order]], self.order[~rows[self.order]]]))

    def _arrange(self) -> None:
        order = _sorted(self.table, self.names, self._sorted_by)
        self._put(order[self.wanted[order]])

    def _put(self, order: NDArray[np.intp]) -> None:
        """Show rows in another order; a reset, because Qt would follow every cell of a large selection otherwise."""
        self.beginResetModel()
        self.order = order
        self._places = np.full(len(self.table), -1, np.intp)
        self._places[order] = np.arange(len(order))
        self.endResetModel()


def title(table: Table, name: str) -> str:
    """Return a column's name with its unit."""
    unit = table.units.get(name)
    return f"{name} [{unit}]" if unit else name


def part_of(table: Table, rows: NDArray[np.intp]) -> Table:
    """Return some rows of a table, in the order given."""
    return Table({name: table[name][rows] for name in table}, table.units)


def _sorted(table: Table, names: list[str], by: tuple[int, bool] | None) -> NDArray[np.intp]:
    if by is None:
        return np.arange(len(table))
    column, descending = table[names[by[0]]], by[1]
    values = column.astype(str) if column.dtype.kind == "O" else column
    missing = np.isnan(values) if values.dtype.kind == "f" else np.zeros(len(values), bool)
    order = np.argsort(values[::-1] if descending else values, kind="stable")
    order = (len(values) - 1 - order)[::-1] if descending else order
    return np.concatenate([order[~missing[order]], order[missing[order]]])
