"""The tools beside a table: colours by a column, and the plot with its columns."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QBoxLayout, QCheckBox, QComboBox, QHBoxLayout, QPushButton, QSplitter, QVBoxLayout, QWidget

from napari_lightbox.contract.values import Table
from napari_lightbox.widgets.table_colours import COLORMAPS, ObjectColours
from napari_lightbox.widgets.table_model import title
from napari_lightbox.widgets.table_plot import TablePlot

_WIDE, _VERY_WIDE = 620, 800


class ColourTools:
    """Choosers of a column and a colormap for the labels of a table, and the way back."""

    def __init__(self, table: Table, colours: ObjectColours, usable: bool) -> None:
        self._table = table
        self._colours = colours
        self.column = narrow_combo(["own colours", *numeric(table)])
        self.column.setToolTip("<qt>Colour the objects by a column.</qt>")
        self.colormap = narrow_combo(COLORMAPS)
        self.back = QPushButton("Reset")
        self.back.setToolTip("Give the layer its own colours back")
        self.highlight = QCheckBox("highlight")
        self.highlight.setToolTip("<qt>Dim all objects but the selected ones.</qt>")
        self.highlight.setChecked(True)
        self.widgets: list[QWidget] = [self.column, self.colormap, self.back, self.highlight]
        for widget in self.widgets:
            widget.setVisible(usable)
        self.column.currentIndexChanged.connect(lambda _: self._show())
        self.colormap.currentIndexChanged.connect(lambda _: self._show())
        self.back.clicked.connect(self._reset)

    def _show(self) -> None:
        if self.column.currentIndex() < 1:
            self._colours.reset()
            return
        ids, first = np.unique(self._table["label"], return_index=True)
        values = self._table[numeric(self._table)[self.column.currentIndex() - 1]][first]
        self._colours.by_column(ids, values, self.colormap.currentText())

    def _reset(self) -> None:
        self.column.setCurrentIndex(0)
        self._colours.reset()


class PlotTools(QWidget):  # type: ignore[misc]
    """A plot that can be switched on, and the columns it shows."""

    def __init__(self, table: Table, theme: str) -> None:
        super().__init__()
        self._table = table
        self._wanted: NDArray[np.bool_] = np.ones(len(table), bool)
        self.plot = TablePlot(theme)
        self.x = narrow_combo([title(table, name) for name in numeric(table)])
        self.y = narrow_combo(["how many", *(title(table, name) for name in numeric(table))])
        self.switch = QPushButton("Plot")
        self.switch.setCheckable(True)
        self.switch.setEnabled(bool(numeric(table)))
        self.switch.toggled.connect(self._switch)
        above = QHBoxLayout()
        above.addWidget(self.x, 1)
        above.addWidget(self.y, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(above)
        column.addWidget(self.plot, 1)
        names = numeric(table)
        self.x.setCurrentIndex(1 if len(names) > 1 and names[0] == "label" else 0)
        self.x.setToolTip("Across")
        self.y.setToolTip("<qt>Upwards: how many rows there are of a value (histogram), or a second column (scatter plot)</qt>")
        for combo in (self.x, self.y):
            combo.currentIndexChanged.connect(lambda _: self._show())
        self.hide()

    def show_rows(self, wanted: NDArray[np.bool_]) -> None:
        """Plot only these rows."""
        self._wanted = wanted
        self._show()

    def _switch(self, on: bool) -> None:
        self.setVisible(on)
        self._show()

    def _show(self) -> None:
        names = numeric(self._table)
        if not self.switch.isChecked() or not names:
            return
        x = self._numbers(names[self.x.currentIndex()])
        other = self.y.currentIndex() - 1
        y = self._numbers(names[other]) if other >= 0 else None
        self.plot.show_columns(x, y, (self.x.currentText(), self.y.currentText()))

    def _numbers(self, name: str) -> NDArray[np.float64]:
        return np.where(self._wanted, np.asarray(self._table[name], float), np.nan)


class _Split(QSplitter):  # type: ignore[misc]
    """Table and plot beside each other where there is room, else one above the other."""

    def resizeEvent(self, event: object) -> None:
        """Turn when the dock is moved between the bottom and the side."""
        wanted = Qt.Orientation.Horizontal if self.width() >= _WIDE else Qt.Orientation.Vertical
        if self.orientation() != wanted:
            self.setOrientation(wanted)
        super().resizeEvent(event)


class Beside(QWidget):  # type: ignore[misc]
    """A line with rows of tools beside it where there is room, else below it."""

    def __init__(self, line: QWidget, tools: Sequence[Sequence[QWidget]]) -> None:
        super().__init__()
        self._box = QBoxLayout(QBoxLayout.Direction.TopToBottom, self)
        self._box.setContentsMargins(0, 0, 0, 0)
        self._box.setSpacing(4)
        self._box.addWidget(line, 1)
        for row in tools:
            cells = QHBoxLayout()
            cells.setSpacing(4)
            for tool in row:
                cells.addWidget(tool, 1 if isinstance(tool, QComboBox) else 0)
            self._box.addLayout(cells)

    def resizeEvent(self, event: object) -> None:
        """Turn with the width."""
        wide = self.width() >= _VERY_WIDE
        direction = QBoxLayout.Direction.LeftToRight if wide else QBoxLayout.Direction.TopToBottom
        if self._box.direction() != direction:
            self._box.setDirection(direction)
        super().resizeEvent(event)


def side_by_side(*parts: QWidget) -> QSplitter:
    """Return widgets in a splitter that turns with its width."""
    split = _Split()
    split.setChildrenCollapsible(False)
    for i, part in enumerate(parts):
        split.addWidget(part)
        split.setStretchFactor(i, 2 if i == 0 else 1)
    return split


def narrow_combo(entries: list[str] | tuple[str, ...]) -> QComboBox:
    """Return a combo box that may become narrower than its longest entry."""
    combo = QComboBox()
    combo.addItems(list(entries))
    combo.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    combo.setMinimumContentsLength(7)
    return combo


def numeric(table: Table) -> list[str]:
    """Return the names of columns that hold numbers."""
    return [name for name in table if table[name].dtype.kind in "iufb"]
