"""A table of texts and gauges in the colours of napari's theme."""

from __future__ import annotations

from collections.abc import Sequence

from qtpy.QtCore import QModelIndex, QSize, Qt, Signal
from qtpy.QtGui import QColor, QPainter
from qtpy.QtWidgets import QAbstractItemView, QHeaderView, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QTableView

from napari_lightbox.widgets.gauge_model import CELL, Cell, GaugeModel, Row
from napari_lightbox.widgets.theme import faint, theme_colours

_MARGIN = 5
_WIDEST = 24  # characters that a column may claim for itself
_ROUND = 3.0


class GaugeView(QTableView):  # type: ignore[misc]
    """Shows rows; one of them may be selected, and stays so while it is there. Emits `chosen` when another one is."""

    chosen = Signal()

    def __init__(self, headings: Sequence[str], theme: str, *, selectable: bool = True) -> None:
        super().__init__()
        self.rows = GaugeModel(headings)
        self.delegate = _GaugeDelegate(theme, self)
        self.setModel(self.rows)
        self.setItemDelegate(self.delegate)
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(self.fontMetrics().height() + 8)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        modes = QAbstractItemView.SelectionMode
        self.setSelectionMode(modes.SingleSelection if selectable else modes.NoSelection)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setTabKeyNavigation(False)
        header = self.horizontalHeader()
        header.setHighlightSections(False)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        header.setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        self.selectionModel().selectionChanged.connect(lambda *_: self.chosen.emit())

    def show_rows(self, rows: Sequence[Row]) -> None:
        """Show other rows, with the same one selected."""
        selected = self.selected()
        self.rows.show_rows(rows)
        if selected is not None and self.selected() != selected:
            place = self.rows.place_of(selected)
            if place >= 0:
                self.selectRow(place)
            else:
                self.chosen.emit()

    def selected(self) -> str | None:
        """Return the id of the selected row."""
        places = self.selectionModel().selectedRows()
        return self.rows.rows[places[0].row()].id if places and places[0].row() < len(self.rows.rows) else None

    def use_theme(self, name: str) -> None:
        """Take the colours of another theme of napari."""
        self.delegate.use_theme(name)
        self.viewport().update()

    def fit_rows(self, least: int, most: int) -> None:
        """Be as high as the rows need, within bounds given in rows."""
        count = min(max(len(self.rows.rows), least), most)
        self.setFixedHeight(
            self.horizontalHeader().sizeHint().height()
            + count * self.verticalHeader().defaultSectionSize()
            + 2 * self.frameWidth()
        )


class _GaugeDelegate(QStyledItemDelegate):  # type: ignore[misc]
    """Draws one cell."""

    def __init__(self, theme: str, parent: QTableView) -> None:
        super().__init__(parent)
        self._theme: dict[str, QColor] = {}
        self.use_theme(theme)

    def use_theme(self, name: str) -> None:
        self._theme = theme_colours(name)

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex) -> QSize:
        cell: Cell = index.data(CELL)
        around = 2 * _MARGIN if cell.fraction is None else 4 * _MARGIN
        words = min(option.fontMetrics.horizontalAdvance(cell.text), _WIDEST * option.fontMetrics.averageCharWidth())
        return QSize(words + around + 2, option.fontMetrics.height() + 8)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex) -> None:
        cell: Cell = index.data(CELL)
        painter.save()
        if option.state & QStyle.StateFlag.State_Selected:
            painter.fillRect(option.rect, faint(self._theme["current"], 0.45))
        inner = option.rect.adjusted(_MARGIN, 2, -_MARGIN, -2)
        if cell.fraction is not None:
            self._gauge(painter, option, cell.fraction)
            inner = inner.adjusted(_MARGIN, 0, -_MARGIN, 0)
        painter.setPen(
            self._theme[cell.tone] if option.state & QStyle.StateFlag.State_Enabled else faint(self._theme["text"], 0.45)
        )
        words = option.fontMetrics.elidedText(cell.text, Qt.TextElideMode.ElideRight, inner.width())
        painter.drawText(inner, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, words)
        painter.restore()

    def _gauge(self, painter: QPainter, option: QStyleOptionViewItem, fraction: float) -> None:
        place = option.rect.adjusted(_MARGIN, 3, -_MARGIN, -3)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(faint(self._theme["text"], 0.12))
        painter.drawRoundedRect(place, _ROUND, _ROUND)
        filled = place.adjusted(0, 0, 0, 0)
        filled.setWidth(round(place.width() * min(max(fraction, 0.0), 1.0)))
        painter.setBrush(faint(self._theme["current"], 0.7))
        if filled.width() > 0:
            painter.drawRoundedRect(filled, _ROUND, _ROUND)
