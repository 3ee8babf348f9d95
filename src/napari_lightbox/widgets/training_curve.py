"""The course of a training as it happens: validation Dice and loss over the rounds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from qtpy.QtCore import QPointF, QRectF, QSize, Qt
from qtpy.QtGui import QPainter, QPen, QPolygonF
from qtpy.QtWidgets import QWidget

from napari_lightbox.widgets.theme import faint, theme_colours

_LEFT, _RIGHT, _TOP, _BOTTOM = 34, 40, 22, 26
_GRID = (0.0, 0.25, 0.5, 0.75, 1.0)


class TrainingCurve(QWidget):  # type: ignore[misc]
    """Draws Dice from 0 to 1 on the left scale and the loss on the right one; a ring marks the round that is kept."""

    def __init__(self, theme: str) -> None:
        super().__init__()
        self._colours = theme_colours(theme)
        self.dice: tuple[float, ...] = ()
        self.loss: tuple[float, ...] = ()
        self.best: int | None = None
        self.setMinimumSize(200, 130)

    def use_theme(self, name: str) -> None:
        """Take the colours of another theme."""
        self._colours = theme_colours(name)
        self.update()

    def show_course(self, dice: Sequence[float], loss: Sequence[float], best: int | None) -> None:
        """Draw these rounds."""
        if (tuple(dice), tuple(loss), best) != (self.dice, self.loss, self.best):
            self.dice, self.loss, self.best = tuple(dice), tuple(loss), best
            self.update()

    def sizeHint(self) -> QSize:
        """Ask for a third of a usual dock."""
        return QSize(320, 180)

    def paintEvent(self, event: Any) -> None:
        """Draw scales, grid and both curves."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area = QRectF(_LEFT, _TOP, self.width() - _LEFT - _RIGHT, self.height() - _TOP - _BOTTOM)
        self._draw_scales(painter, area)
        self._draw_line(painter, area, [v / self._largest for v in self.loss], self._colours["warning"], 1.5)
        self._draw_line(painter, area, self.dice, self._colours["current"], 2.0)
        if self.best is not None and self.best < len(self.dice):
            painter.setPen(QPen(self._colours["text"], 1.5))
            painter.drawEllipse(self._point(area, self.best, self.dice[self.best], len(self.dice)), 4.0, 4.0)
        painter.end()

    @property
    def _largest(self) -> float:
        return max((v for v in self.loss if v == v), default=1.0) or 1.0

    def _draw_scales(self, painter: QPainter, area: QRectF) -> None:
        text, height = self._colours["text"], painter.fontMetrics().height()
        for share in _GRID:
            y = area.bottom() - share * area.height()
            painter.setPen(QPen(faint(text, 0.2), 1))
            painter.drawLine(QPointF(area.left(), y), QPointF(area.right(), y))
            painter.setPen(text)
            left = QRectF(0, y - height / 2, _LEFT - 4, height)
            painter.drawText(left, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, f"{share:g}")
            if self.loss:
                right = QRectF(area.right() + 4, y - height / 2, _RIGHT - 4, height)
                painter.drawText(
                    right, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, f"{share * self._largest:.2g}"
                )
        best = f" {self.dice[self.best]:.3f}" if self.best is not None and self.best < len(self.dice) else ""
        head = QRectF(area.left(), 0, area.width(), _TOP - 4)
        painter.setPen(self._colours["current"])
        painter.drawText(head, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignBottom, f"Dice{best}")
        painter.setPen(self._colours["warning"])
        painter.drawText(head, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignBottom, "loss")
        painter.setPen(faint(text, 0.8))
        foot = QRectF(area.left(), area.bottom() + 4, area.width(), _BOTTOM - 4)
        rounds = f"{len(self.dice)} round{'' if len(self.dice) == 1 else 's'}" if self.dice else "no round finished yet"
        painter.drawText(foot, Qt.AlignmentFlag.AlignCenter, rounds)

    def _draw_line(self, painter: QPainter, area: QRectF, values: Sequence[float], colour: Any, width: float) -> None:
        points = [self._point(area, i, v, len(values)) for i, v in enumerate(values) if v == v]
        painter.setPen(QPen(colour, width))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        if len(points) == 1:
            painter.drawPoint(points[0])
        painter.drawPolyline(QPolygonF(points))

    def _point(self, area: QRectF, position: int, value: float, count: int) -> QPointF:
        x = area.left() + area.width() * (position / (count - 1) if count > 1 else 0.0)
        return QPointF(x, area.bottom() - min(max(value, 0.0), 1.0) * area.height())
