"""How a row of the finder is drawn: picture, name, star, and what the technique is for or why it does not fit."""

from __future__ import annotations

from functools import cache
from typing import Any

from qtpy.QtCore import QEvent, QModelIndex, QRect, QSize, Qt, Signal
from qtpy.QtGui import QColor, QFont, QPainter
from qtpy.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from napari_lightbox.contract import Sequence as SequenceLocality
from napari_lightbox.contract import Technique
from napari_lightbox.widgets.families import family
from napari_lightbox.widgets.finder_fit import needs_colour
from napari_lightbox.widgets.finder_model import FIT, STARRED, TECHNIQUE
from napari_lightbox.widgets.finder_pictures import SIZE, Pictures
from napari_lightbox.widgets.theme import faint, theme_colours

_SELECTED, _HOVER = QStyle.StateFlag.State_Selected, QStyle.StateFlag.State_MouseOver
_GAP = 6
_STAR = 22
_FADED = 0.4


class FinderDelegate(QStyledItemDelegate):  # type: ignore[misc]
    """Draws rows in the colours of napari's theme; emits `starred` when the star of a row is clicked."""

    starred = Signal(object)

    def __init__(self, theme: str, parent: Any = None) -> None:
        super().__init__(parent)
        self._theme: dict[str, QColor] = {}
        self._pictures = Pictures()
        self.use_theme(theme)

    def use_theme(self, name: str) -> None:
        """Take the colours of another theme of napari."""
        self._theme = theme_colours(name)

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex) -> QSize:
        """Return the height of a heading or a row."""
        line = option.fontMetrics.height()
        return QSize(120, max(SIZE.height(), 3 * line) + 8 if index.data(TECHNIQUE) is not None else line + 12)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex) -> None:
        """Draw one row."""
        technique = index.data(TECHNIQUE)
        painter.save()
        if technique is None:
            self._heading(painter, option.rect, index.data())
        else:
            self._row(painter, option, index, technique)
        painter.restore()

    def editorEvent(self, event: QEvent, model: Any, option: QStyleOptionViewItem, index: QModelIndex) -> bool:
        """Toggle the star that was clicked."""
        if event.type() == QEvent.Type.MouseButtonRelease and index.data(TECHNIQUE) is not None:
            position = event.position().toPoint() if hasattr(event, "position") else event.pos()
            if star_place(option.rect).contains(position):
                self.starred.emit(index.data(TECHNIQUE))
                return True
        return bool(super().editorEvent(event, model, option, index))

    def _heading(self, painter: QPainter, place: QRect, title: str) -> None:
        font = painter.font()
        font.setBold(True)
        painter.setFont(font)
        painter.setPen(self._colour("text", 0.75))
        inner = place.adjusted(_GAP, 4, -_GAP, -3)
        painter.drawText(inner, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignBottom, title)
        painter.setPen(self._colour("foreground"))
        painter.drawLine(place.left() + _GAP, place.bottom(), place.right() - _GAP, place.bottom())

    def _row(self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex, technique: Technique) -> None:
        place, fit = option.rect, index.data(FIT)
        if option.state & _SELECTED:
            painter.fillRect(place, self._colour("current", 0.6))
        elif option.state & _HOVER:
            painter.fillRect(place, self._colour("primary", 0.35))
        faded = fit.state == "unfit"
        painter.setOpacity(_FADED if faded else 1.0)
        ratio = option.widget.devicePixelRatioF() if option.widget is not None else 1.0
        top = place.top() + (place.height() - SIZE.height()) // 2
        painter.drawPixmap(place.left() + 4, top, self._pictures.picture(technique, ratio))
        painter.setOpacity(0.62 if faded else 1.0)
        text = place.adjusted(SIZE.width() + 4 + _GAP, 3, -4, -3)
        line = text.height() // 3
        rows = [QRect(text.left(), text.top() + i * line, text.width(), line) for i in range(3)]
        self._write(painter, rows[0].adjusted(0, 0, -_STAR, 0), technique.title, self._colour("text"), bold=True)
        said, colour = technique.doc, self._colour("text", 0.8)
        if fit.reason:
            said, colour = _sentence(fit.reason), self._colour("warning") if fit.state == "needs" else self._colour("text")
        self._write(painter, rows[1], said, colour)
        self._write(painter, rows[2], f"{family(technique.family).title}  ·  {tags(technique)}", self._colour("text", 0.6))
        painter.setOpacity(1.0)
        self._star(painter, place, bool(index.data(STARRED)), bool(option.state & (_HOVER | _SELECTED)))

    def _write(self, painter: QPainter, place: QRect, text: str, colour: QColor, *, bold: bool = False) -> None:
        font = QFont(painter.font())
        font.setBold(bold)
        painter.setFont(font)
        painter.setPen(colour)
        shown = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, place.width())
        painter.drawText(place, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, shown)

    def _star(self, painter: QPainter, place: QRect, on: bool, near: bool) -> None:
        if not on and not near:
            return
        painter.setPen(self._colour("warning" if on else "text", 1.0 if on else 0.5))
        painter.drawText(star_place(place), Qt.AlignmentFlag.AlignCenter, "★" if on else "☆")

    def _colour(self, name: str, opacity: float = 1.0) -> QColor:
        return faint(self._theme[name], opacity)


def star_place(place: QRect) -> QRect:
    """Return where the star of a row lies."""
    return QRect(place.right() - _STAR - 2, place.top() + 2, _STAR, _STAR)


@cache
def tags(technique: Technique) -> str:
    """Return in a few words what a technique works on, such as ``"2D 3D · Labels · + seeds"``."""
    if not technique.inputs:
        return "no input"
    first, *rest = technique.inputs
    parts = []
    if first.is_array:
        parts.append(" ".join(f"{n}D" for n in sorted(technique.spatial)) + (" t" if _follows_time(technique) else ""))
    if first.role.name not in ("image", "image_or_labels"):
        parts.append(first.role.name.capitalize())
    if needs_colour(technique):
        parts.append("RGB")
    parts += [f"+ {spec.role.name.replace('_', ' ')}" for spec in rest if not spec.optional]
    return "  ".join(parts)


def _follows_time(technique: Technique) -> bool:
    return isinstance(technique.locality, SequenceLocality) or "t" in (technique.over or "")


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]
