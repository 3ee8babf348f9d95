"""A table of measurements: sort, filter, plot, colour; each row leads to its object and each object to its row."""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Labels, Layer
from numpy.typing import NDArray
from qtpy.QtCore import QItemSelectionModel, QModelIndex, QSize, Qt
from qtpy.QtGui import QKeySequence, QShortcut
from qtpy.QtWidgets import (
    QAbstractItemView,
    QApplication,
    QFileDialog,
    QLabel,
    QLineEdit,
    QPushButton,
    QTableView,
    QVBoxLayout,
)

from napari_lightbox.contract.values import Table
from napari_lightbox.errors import LightboxError
from napari_lightbox.io import tables
from napari_lightbox.widgets.docked import Docked
from napari_lightbox.widgets.fly import fly_to
from napari_lightbox.widgets.messages import show_failure
from napari_lightbox.widgets.shortcuts import TABLES, Shortcut
from napari_lightbox.widgets.table_colours import ObjectColours
from napari_lightbox.widgets.table_filter import rows_matching
from napari_lightbox.widgets.table_model import TableModel, part_of, title
from napari_lightbox.widgets.table_objects import Objects
from napari_lightbox.widgets.table_pick import follow_picks
from napari_lightbox.widgets.table_selection import runs, selected_rows, selection_of
from napari_lightbox.widgets.table_tools import Beside, ColourTools, PlotTools, side_by_side

if TYPE_CHECKING:
    from napari.viewer import Viewer

_MOST_RUNS = 500
_HINT = "Filter, for example: area > 50 and label != 3"


class TableDock(Docked):
    """Show one table; with the layer it was measured on, rows and objects follow each other.

    Parameters
    ----------
    table
        The measurements.
    viewer
        Where the objects are shown.
    layer
        The layer with the objects, a row each.
    name
        Title, for the tab and the suggested file name.
    """

    def __init__(self, table: Table, viewer: Viewer, layer: Layer | None = None, name: str = "") -> None:
        super().__init__(name)
        self.table = table
        self._viewer = viewer
        self._layer = layer
        self._quiet = False
        self.selected: NDArray[np.bool_] = np.zeros(len(table), bool)
        self.model = TableModel(table)
        self.view = _view(self.model)
        self.objects = Objects(table, layer)
        self.colours = ObjectColours(layer)
        self.filter = QLineEdit()
        self.filter.setPlaceholderText(_HINT)
        self.filter.setClearButtonEnabled(True)
        self.said = QLabel()
        self.copy, self.csv = QPushButton("Copy"), QPushButton("Save as CSV…")
        self.paint = ColourTools(table, self.colours, isinstance(layer, Labels) and "label" in table)
        self.plot = PlotTools(table, viewer.theme)
        self._lay_out()
        self._connect()
        self._say()

    def save(self, path: str | Path) -> None:
        """Write the rows shown, in the order shown, as CSV with units in the header: whole or not at all.

        Raises
        ------
        WriteError
            The file cannot be written; what was there before is intact.
        """
        tables.write(Path(path), [part_of(self.table, self.model.order)])

    def copied(self) -> str:
        """Return the selected rows, all rows shown when none is selected, as text that spreadsheets take."""
        rows = self.model.order
        rows = rows[self.selected[rows]] if self.selected[rows].any() else rows
        columns = [self.table[name][rows].tolist() for name in self.model.names]
        lines = ["\t".join(title(self.table, name) for name in self.model.names)]
        lines += ["\t".join(map(str, cells)) for cells in zip(*columns, strict=True)]
        return "\n".join(lines) + "\n"

    def select(self, rows: NDArray[np.bool_]) -> None:
        """Select rows of the table, given as a mask, in the view, the plot and the layer."""
        self.selected = rows
        self._show_selection()
        self._tell_others()

    def _show_selection(self) -> None:
        """Mark the selected rows in the view; many scattered ones are brought to the top, where they are one run."""
        places = self.model.shown_rows(np.flatnonzero(self.selected))
        if len(runs(places)) > _MOST_RUNS:
            self.model.bring_up(self.selected)
            return
        self._quiet = True
        flags = QItemSelectionModel.SelectionFlag.ClearAndSelect
        self.view.selectionModel().select(selection_of(self.model, places), flags)
        self._quiet = False
        if len(places):
            self.view.scrollTo(self.model.index(int(places[0]), 0))

    def _take_selection(self) -> None:
        if self._quiet:
            return
        self.selected = np.zeros(len(self.table), bool)
        self.selected[self.model.source_rows(selected_rows(self.view.selectionModel()))] = True
        self._tell_others()

    def _tell_others(self) -> None:
        self.plot.plot.select(self.selected)
        rows = np.flatnonzero(self.selected)
        if self._layer in self._viewer.layers:
            if "label" in self.table:
                self.colours.highlight(np.unique(self.table["label"][rows]) if self.paint.highlight.isChecked() else rows[:0])
            else:
                self.colours.mark_points(rows)
        self._say()

    def _filter(self) -> None:
        """Show the rows that match; what cannot be read is said and changes nothing."""
        try:
            wanted = rows_matching(self.table, self.filter.text())
        except LightboxError as error:
            self.said.setText(escape(str(error), quote=False))
            return
        self.model.filter(wanted)
        self.plot.show_rows(wanted)
        self._say()

    def _say(self) -> None:
        shown, chosen = self.model.rowCount(), int(np.count_nonzero(self.selected))
        name = f"<b>{escape(self.title)}</b>  ·  " if self.title else ""
        rows = f"{shown} of {len(self.table)} rows" if shown < len(self.table) else f"{shown} row{'' if shown == 1 else 's'}"
        self.said.setText(f"{name}{rows}, {chosen} selected" if chosen else f"{name}{rows}")

    def _go_to(self, index: QModelIndex) -> None:
        if index.isValid() and not self._quiet and self._layer in self._viewer.layers:
            row = int(self.model.order[index.row()])
            if isinstance(self._layer, Labels) and "label" in self.table:
                self._layer.selected_label = int(self.table["label"][row])
            self.objects.find(row, self._fly)
            if self.objects.busy:
                self.said.setText("Looking where the objects are…")

    def _fly(self, position: NDArray[np.float64]) -> None:
        if self._layer is not None and self._layer in self._viewer.layers:
            fly_to(self._viewer, self._layer, position)
        self._say()

    def _pick(self, label: int) -> None:
        """Select the rows of an object that was chosen in the viewer."""
        rows = self.table["label"] == label
        if rows.any() and not (self.selected == rows).all():
            self.select(rows)

    def _copy(self) -> None:
        QApplication.clipboard().setText(self.copied())
        self.said.setText("Copied")

    def _ask_path(self) -> None:
        suggested = f"{self.title or 'table'}.csv".replace("/", "-")
        path = QFileDialog.getSaveFileName(self, "Save table", suggested, "CSV (*.csv);;TSV (*.tsv)")[0]
        if path:
            try:
                self.save(path)
            except LightboxError as error:
                show_failure(error)

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(6, 4, 6, 4)
        column.setSpacing(4)
        column.addWidget(self.said)
        column.addWidget(Beside(self.filter, [self.paint.widgets, [self.plot.switch, self.copy, self.csv]]))
        column.addWidget(side_by_side(self.view, self.plot), 1)
        self.said.setWordWrap(True)
        self.said.setTextFormat(Qt.TextFormat.RichText)
        self.view.setMinimumHeight(90)
        self.setMinimumHeight(190)

    def sizeHint(self) -> QSize:
        """Ask for enough rows to read a table."""
        return QSize(360, 280)

    def _connect(self) -> None:
        selection = self.view.selectionModel()
        selection.selectionChanged.connect(lambda *_: self._take_selection())
        selection.currentRowChanged.connect(lambda now, _: self._go_to(now))
        self.view.clicked.connect(self._go_to)
        self.model.modelReset.connect(self._show_selection)
        self.filter.textChanged.connect(self._filter)
        self.copy.clicked.connect(self._copy)
        self.csv.clicked.connect(self._ask_path)
        self.plot.plot.dragged.connect(lambda rows: self.select(rows & self.model.wanted))
        self.paint.highlight.toggled.connect(lambda _: self._tell_others())
        self.objects.failed.connect(show_failure)
        for shortcut, action in (
            (TABLES.copy, self._copy),
            (TABLES.none, lambda: self.select(np.zeros(len(self.table), bool))),
            (TABLES.filter, self.filter.setFocus),
        ):
            self._bind(shortcut, action)
        self.lifeline.connect(self._viewer.events.theme, self._on_theme)
        self.lifeline.at_end(self.objects.stop)
        self.lifeline.at_end(self.colours.reset)
        if isinstance(self._layer, Labels) and "label" in self.table:
            follow_picks(self._layer, self._pick, self.lifeline)

    def _bind(self, shortcut: Shortcut, action: Any) -> None:
        for keys in shortcut.keys:
            key = QShortcut(QKeySequence(keys), self)
            key.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            key.activated.connect(action)

    def _on_theme(self, event: Any = None) -> None:
        self.plot.plot.use_theme(self._viewer.theme)


def _view(model: TableModel) -> QTableView:
    view = QTableView()
    view.setModel(model)
    view.setSortingEnabled(True)
    view.horizontalHeader().setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
    view.horizontalHeader().setSortIndicatorClearable(True)
    view.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
    view.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
    view.setWordWrap(False)
    view.verticalHeader().hide()
    # A header that shares the selection asks every cell of it, at every paint, whether its whole column is selected.
    view.horizontalHeader().setSelectionModel(QItemSelectionModel(model, view))
    view.verticalHeader().setDefaultSectionSize(24)
    view.horizontalHeader().setResizeContentsPrecision(50)
    view.resizeColumnsToContents()
    return view
