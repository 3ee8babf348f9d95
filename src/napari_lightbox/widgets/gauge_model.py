"""Rows of texts and gauges that change all the time, without losing what is selected."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from qtpy.QtCore import QAbstractTableModel, QModelIndex, Qt

CELL = Qt.ItemDataRole.UserRole


@dataclass(frozen=True)
class Cell:
    """What a cell shows.

    Parameters
    ----------
    text, tip
        Its words, and more of them; both plain, since they may come from elsewhere.
    fraction
        How far a gauge behind the words is filled; None draws none.
    tone
        Colour of the words, as the theme calls it.
    """

    text: str
    fraction: float | None = None
    tone: str = "text"
    tip: str = ""


@dataclass(frozen=True)
class Row:
    """One thing and what is told about it; the id says which thing it is."""

    id: str
    cells: tuple[Cell, ...]


class GaugeModel(QAbstractTableModel):  # type: ignore[misc]
    """Rows under headings."""

    def __init__(self, headings: Sequence[str]) -> None:
        super().__init__()
        self.headings = tuple(headings)
        self.rows: list[Row] = []

    def show_rows(self, rows: Sequence[Row]) -> None:
        """Show other rows; nothing but the words moves while they stand for the same things."""
        if [row.id for row in rows] == [row.id for row in self.rows]:
            changed = [n for n, (old, new) in enumerate(zip(self.rows, rows, strict=True)) if old != new]
            self.rows = list(rows)
            for n in changed:
                self.dataChanged.emit(self.index(n, 0), self.index(n, len(self.headings) - 1))
            return
        self.beginResetModel()
        self.rows = list(rows)
        self.endResetModel()

    def place_of(self, row_id: str | None) -> int:
        """Return where a thing stands, -1 when it is not there."""
        return next((n for n, row in enumerate(self.rows) if row.id == row_id), -1)

    def rowCount(self, parent: QModelIndex | None = None) -> int:
        """Return the number of rows."""
        return 0 if parent is not None and parent.isValid() else len(self.rows)

    def columnCount(self, parent: QModelIndex | None = None) -> int:
        """Return the number of columns."""
        return 0 if parent is not None and parent.isValid() else len(self.headings)

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return what a cell shows."""
        if not index.isValid():
            return None
        cell = self.rows[index.row()].cells[index.column()]
        if role == Qt.ItemDataRole.ToolTipRole:
            return f"<qt>{escape(cell.tip)}</qt>" if cell.tip else None
        return {Qt.ItemDataRole.DisplayRole: cell.text, CELL: cell}.get(role)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return a heading."""
        shown = orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole
        return self.headings[section] if shown else None
