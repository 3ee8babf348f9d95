"""Histogram of one column or scatter plot of two; dragging a range selects the rows in it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QPoint, QPointF, QRect, QRectF, QSize, Qt, Signal
from qtpy.QtGui import QColor, QImage, QPainter
from qtpy.QtWidgets import QWidget

from napari_lightbox.widgets.theme import faint, theme_colours

_LEFT, _BOTTOM, _MARGIN = 46, 32, 8
_MOST_BINS = 60
_CLICK = 3
_Array = NDArray[Any]


class TablePlot(QWidget):  # type: ignore[misc]
    """Draws numbers as whole pictures, so that tens of thousands of points stay quick; emits `dragged(rows)` as a mask."""

    dragged = Signal(object)

    def __init__(self, theme: str) -> None:
        super().__init__()
        self._colours = theme_colours(theme)
        self._x: _Array = np.zeros(0)
        self._y: _Array | None = None
        self._names = ("", "")
        self._selected: _Array = np.zeros(0, bool)
        self._from: QPoint | None = None
        self._to: QPoint | None = None
        self._cached: QImage | None = None
        self.setMinimumSize(180, 96)
        self.setMouseTracking(False)

    def use_theme(self, name: str) -> None:
        """Take the colours of another theme."""
        self._colours = theme_colours(name)
        self._refresh()

    def show_columns(self, x: _Array, y: _Array | None, names: tuple[str, str]) -> None:
        """Plot a column, or one against another; the selection is kept where the number of rows is the same."""
        self._x, self._y, self._names = np.asarray(x, float), None if y is None else np.asarray(y, float), names
        if len(self._selected) != len(x):
            self._selected = np.zeros(len(x), bool)
        self._refresh()

    def select(self, rows: _Array) -> None:
        """Show rows, a mask, as selected."""
        self._selected = rows
        self._refresh()

    def sizeHint(self) -> QSize:
        """Ask for a third of a usual dock."""
        return QSize(320, 200)

    def resizeEvent(self, event: Any) -> None:
        """Draw anew at another size."""
        self._cached = None
        super().resizeEvent(event)

    def mousePressEvent(self, event: Any) -> None:
        """Begin a range."""
        self._from = self._to = event.position().toPoint()

    def mouseMoveEvent(self, event: Any) -> None:
        """Follow the range."""
        self._to = event.position().toPoint()
        self.update()

    def mouseReleaseEvent(self, event: Any) -> None:
        """Select what lies in the range; a click selects nothing."""
        if self._from is None:
            return
        self._to = event.position().toPoint()
        box = _between(self._from, self._to)
        self._from = self._to = None
        self.update()
        self.dragged.emit(self._inside(box))

    def paintEvent(self, event: Any) -> None:
        """Draw plot, axes and the range being dragged."""
        painter = QPainter(self)
        if self._cached is None:
            self._cached = self._drawn()
        painter.drawImage(QPointF(0, 0), self._cached)
        if self._from is not None and self._to is not None:
            box = _between(self._from, self._to) & self._frame()
            if self._y is None:
                box.setTop(self._frame().top())
                box.setBottom(self._frame().bottom())
            painter.fillRect(box, faint(self._colours["warning"], 0.25))
        painter.end()

    def _refresh(self) -> None:
        self._cached = None
        self.update()

    def _frame(self) -> QRect:
        return self.rect().adjusted(_LEFT, _MARGIN, -_MARGIN, -_BOTTOM)

    def _inside(self, box: QRect) -> _Array:
        frame = self._frame()
        if (box.width() < _CLICK and box.height() < _CLICK) or not len(self._x):
            return np.zeros(len(self._x), bool)
        low, high = limits(self._x)
        step = (high - low) / max(frame.width() - 1, 1)
        inside = (self._x >= low + (box.left() - frame.left()) * step) & (self._x <= low + (box.right() - frame.left()) * step)
        if self._y is not None:
            low, high = limits(self._y)
            step = (high - low) / max(frame.height() - 1, 1)
            inside &= self._y >= low + (frame.bottom() - box.bottom()) * step
            inside &= self._y <= low + (frame.bottom() - box.top()) * step
        return np.asarray(inside)

    def _drawn(self) -> QImage:
        ratio = self.devicePixelRatioF()
        image = QImage(self.size() * ratio, QImage.Format.Format_ARGB32_Premultiplied)
        image.setDevicePixelRatio(ratio)
        image.fill(self._colours["background"])
        painter = QPainter(image)
        frame = self._frame()
        painter.fillRect(frame, faint(self._colours["foreground"], 0.5))
        if np.isfinite(self._x).any():
            top = self._histogram(painter, frame) if self._y is None else self._scatter(painter, frame)
            self._axes(painter, frame, top)
        else:
            painter.setPen(self._colours["text"])
            painter.drawText(frame, Qt.AlignmentFlag.AlignCenter, "no numbers to plot")
        painter.end()
        return image

    def _histogram(self, painter: QPainter, frame: QRect) -> tuple[float, float]:
        values = self._x[np.isfinite(self._x)]
        low, high = limits(self._x)
        bins = int(np.clip(np.sqrt(len(values)), 5, _MOST_BINS))
        edges = np.linspace(low, high, bins + 1)
        counts = np.histogram(values, edges)[0]
        chosen = np.histogram(self._x[self._selected & np.isfinite(self._x)], edges)[0]
        highest = max(int(counts.max()), 1)
        width = frame.width() / bins
        for heights, colour in ((counts, faint(self._colours["text"], 0.55)), (chosen, self._colours["warning"])):
            for i, height in enumerate(heights.tolist()):
                tall = height / highest * (frame.height() - 4)
                bar = QRectF(frame.left() + i * width, frame.bottom() + 1 - tall, max(width - 1, 1), tall)
                painter.fillRect(bar, colour)
        return 0.0, float(highest)

    def _scatter(self, painter: QPainter, frame: QRect) -> tuple[float, float]:
        assert self._y is not None
        finite = np.isfinite(self._x) & np.isfinite(self._y)
        painter.drawImage(frame.topLeft(), self._dots(frame, finite & ~self._selected, self._colours["text"]))
        painter.drawImage(frame.topLeft(), self._dots(frame, finite & self._selected, self._colours["warning"]))
        return limits(self._y)

    def _dots(self, frame: QRect, rows: _Array, colour: QColor) -> QImage:
        """Return all points as one picture; where many lie on each other it is denser."""
        wide, high = max(frame.width(), 4), max(frame.height(), 4)
        assert self._y is not None
        (x0, x1), (y0, y1) = limits(self._x), limits(self._y)
        columns = ((self._x[rows] - x0) / (x1 - x0) * (wide - 3)).astype(int) + 1
        lines = ((y1 - self._y[rows]) / (y1 - y0) * (high - 3)).astype(int) + 1
        count = np.bincount(lines * wide + columns, minlength=wide * high).reshape(high, wide)
        for axis in (0, 1):  # dots of three by three pixels
            count = count + np.roll(count, 1, axis) + np.roll(count, -1, axis)
        alpha = np.minimum(255, np.where(count > 0, 110 + 40 * count, 0))
        pixels = np.zeros((high, wide), np.uint32)
        pixels[:] = (alpha.astype(np.uint32) << 24) | (colour.rgb() & 0xFFFFFF)
        image = QImage(pixels.tobytes(), wide, high, 4 * wide, QImage.Format.Format_ARGB32)
        return image.copy()

    def _axes(self, painter: QPainter, frame: QRect, vertical: tuple[float, float]) -> None:
        painter.setPen(self._colours["text"])
        low, high = limits(self._x)
        bottom = QRect(frame.left(), frame.bottom() + 2, frame.width(), 14)
        painter.drawText(bottom, Qt.AlignmentFlag.AlignLeft, f"{low:.4g}")
        painter.drawText(bottom, Qt.AlignmentFlag.AlignRight, f"{high:.4g}")
        painter.drawText(bottom.translated(0, 14), Qt.AlignmentFlag.AlignHCenter, self._names[0])
        left = QRect(0, frame.top(), _LEFT - 4, frame.height())
        painter.drawText(left, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignTop, f"{vertical[1]:.4g}")
        painter.drawText(left, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignBottom, f"{vertical[0]:.4g}")
        painter.translate(12, frame.center().y())
        painter.rotate(-90)
        painter.drawText(QRect(-frame.height() // 2, -8, frame.height(), 14), Qt.AlignmentFlag.AlignHCenter, self._names[1])
        painter.resetTransform()


def _between(a: QPoint, b: QPoint) -> QRect:
    """Return the rectangle with these two corners, both inside, whichever is which."""
    x0, x1 = sorted((a.x(), b.x()))
    y0, y1 = sorted((a.y(), b.y()))
    return QRect(x0, y0, x1 - x0 + 1, y1 - y0 + 1)


def limits(values: _Array) -> tuple[float, float]:
    """Return the range of the finite values, a little around a single one."""
    finite = values[np.isfinite(values)]
    low, high = (float(finite.min()), float(finite.max())) if len(finite) else (0.0, 1.0)
    return (low, high) if high > low else (low - 0.5, high + 0.5)
