"""How a recipe is drawn: a list of inputs and steps, with lines that show which result goes where."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import QEvent, QModelIndex, QPointF, QRect, QRectF, QSize, Qt, Signal
from qtpy.QtGui import QColor, QFont, QPainter, QPainterPath, QPen
from qtpy.QtWidgets import QAbstractItemView, QFrame, QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem

from napari_lightbox.widgets.recipe_rows import ROW, RecipeRows, Row
from napari_lightbox.widgets.theme import faint, theme_colours

_SELECTED, _HOVER = QStyle.StateFlag.State_Selected, QStyle.StateFlag.State_MouseOver
_LANE = 14
_DOT = 5.0
_LEFT = 12
_MOST_LANES = 8
_MARKS = {"waiting": "…", "running": "▶", "failed": "✕", "missing": "?", "changed": "!"}


class RecipeDelegate(QStyledItemDelegate):  # type: ignore[misc]
    """Draws rows in the colours of napari's theme; emits `switched(row)` when the dot of a step is clicked."""

    switched = Signal(object)

    def __init__(self, theme: str, parent: Any = None) -> None:
        super().__init__(parent)
        self._theme: dict[str, QColor] = {}
        self.use_theme(theme)

    def use_theme(self, name: str) -> None:
        """Take the colours of another theme of napari."""
        self._theme = theme_colours(name)

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex) -> QSize:
        """Return the height of two lines."""
        return QSize(120, 2 * option.fontMetrics.height() + 10)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex) -> None:
        """Draw one row."""
        row: Row | None = index.data(ROW)
        if row is None:
            return
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if option.state & _SELECTED:
            painter.fillRect(option.rect, self._colour("current", 0.6))
        elif option.state & _HOVER:
            painter.fillRect(option.rect, self._colour("primary", 0.35))
        self._lines(painter, option.rect, row)
        self._texts(painter, option.rect, row, _text_start(index))
        painter.restore()

    def editorEvent(self, event: QEvent, model: Any, option: QStyleOptionViewItem, index: QModelIndex) -> bool:
        """Switch the step whose dot was clicked."""
        row: Row | None = index.data(ROW)
        if row is not None and not row.is_input and event.type() == QEvent.Type.MouseButtonRelease:
            position = event.position() if hasattr(event, "position") else QPointF(event.pos())
            if (position - _dot_place(option.rect, row)).manhattanLength() < 2.5 * _DOT:
                self.switched.emit(row)
                return True
        return bool(super().editorEvent(event, model, option, index))

    def _lines(self, painter: QPainter, place: QRect, row: Row) -> None:
        dot = _dot_place(place, row)
        for lane in row.lanes.passing:
            if lane not in row.lanes.ending:
                self._line(painter, lane, QPointF(_x(place, lane), place.top()), QPointF(_x(place, lane), place.bottom() + 1))
        for lane in row.lanes.joining:
            self._line(painter, lane, QPointF(_x(place, lane), place.top()), dot)
        if row.lanes.leaving:
            self._line(painter, row.lanes.own, dot, QPointF(dot.x(), place.bottom() + 1))
        colour = self._lane_colour(row.lanes.own) if row.on else self._colour("text", 0.5)
        colour = self._colour("warning") if row.state in ("failed", "missing", "changed") else colour
        painter.setPen(QPen(colour, 2))
        painter.setBrush(self._theme["background"] if row.is_input or not row.on else colour)
        if row.is_input:
            painter.drawRect(QRectF(dot.x() - _DOT, dot.y() - _DOT, 2 * _DOT, 2 * _DOT))
        else:
            painter.drawEllipse(dot, _DOT, _DOT)

    def _line(self, painter: QPainter, lane: int, begin: QPointF, end: QPointF) -> None:
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(self._lane_colour(lane), 2))
        path = QPainterPath(begin)
        if begin.x() == end.x():
            path.lineTo(end)
        else:
            path.cubicTo(QPointF(begin.x(), end.y()), QPointF(begin.x(), end.y()), end)
        painter.drawPath(path)

    def _texts(self, painter: QPainter, place: QRect, row: Row, start: int) -> None:
        text = place.adjusted(start, 4, -6, -4)
        half = text.height() // 2
        mark = _MARKS.get(row.state, "")
        upper = QRect(text.left(), text.top(), text.width() - (18 if mark else 0), half)
        lower = QRect(text.left(), text.top() + half, text.width(), text.height() - half)
        strength = 1.0 if row.on else 0.5
        shown = f"◉ {row.title}" if row.is_target else row.title
        self._write(painter, upper, shown if row.on else f"{shown} (off)", self._colour("text", strength), bold=not row.is_input)
        alarming = row.state in ("failed", "missing", "changed")
        said = row.note if row.note and alarming else row.detail
        self._write(painter, lower, said, self._colour("warning") if alarming else self._colour("text", 0.7 * strength))
        if mark:
            painter.setPen(self._colour("warning" if alarming else "text"))
            painter.drawText(text.right() - 16, text.top(), 16, half, Qt.AlignmentFlag.AlignCenter, mark)

    def _write(self, painter: QPainter, place: QRect, text: str, colour: QColor, *, bold: bool = False) -> None:
        font = QFont(painter.font())
        font.setBold(bold)
        painter.setFont(font)
        painter.setPen(colour)
        shown = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, place.width())
        painter.drawText(place, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, shown)

    def _lane_colour(self, lane: int) -> QColor:
        """Return a colour of its own for each lane, strong enough on the theme's ground."""
        dark = self._theme["background"].lightness() < 128
        return QColor.fromHsl((205 + 67 * lane) % 360, 150, 165 if dark else 95)

    def _colour(self, name: str, opacity: float = 1.0) -> QColor:
        return faint(self._theme[name], opacity)


class RecipeList(QListView):  # type: ignore[misc]
    """The list of a recipe; keys that edit it are passed on as `pressed(event)`."""

    pressed_key = Signal(object)

    def __init__(self, rows: RecipeRows, theme: str) -> None:
        super().__init__()
        self.delegate = RecipeDelegate(theme, self)
        self.setModel(rows)
        self.setItemDelegate(self.delegate)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setMouseTracking(True)
        self.setUniformItemSizes(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setAccessibleName("Steps of the recipe")

    def keyPressEvent(self, event: Any) -> None:
        """Offer a key to the dock first."""
        event.setAccepted(False)
        self.pressed_key.emit(event)
        if not event.isAccepted():
            super().keyPressEvent(event)

    def use_theme(self, name: str) -> None:
        """Take the colours of another theme of napari."""
        self.delegate.use_theme(name)
        self.viewport().update()


def _text_start(index: QModelIndex) -> int:
    """Return where the text begins: right of the widest row's lines, so that all texts stand below each other."""
    rows = index.model().rows
    return _LEFT + _LANE * min(max((row.lanes.width for row in rows), default=1), _MOST_LANES) + 2


def _x(place: QRect, lane: int) -> float:
    return float(place.left() + _LEFT + _LANE * min(lane, _MOST_LANES))


def _dot_place(place: QRect, row: Row) -> QPointF:
    return QPointF(_x(place, row.lanes.own), place.center().y() + 0.5)
