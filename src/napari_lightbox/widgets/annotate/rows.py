"""Small parts of a form: a label, fields beside each other, a thin line."""

from __future__ import annotations

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QComboBox, QFrame, QHBoxLayout, QLabel, QScrollArea, QVBoxLayout, QWidget

ROW = "row"


def choice() -> QComboBox:
    """Return a combo box that may become narrow."""
    box = QComboBox()
    box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    box.setMinimumContentsLength(8)
    return box


def label(text: str, tip: str) -> QLabel:
    """Return the label in front of a row."""
    shown = QLabel(text)
    shown.setObjectName(ROW)
    shown.setToolTip(f"<qt>{tip}</qt>" if tip else "")
    return shown


def align(parent: QWidget) -> None:
    """Give all labels of rows one width, so that the fields stand below each other."""
    labels = parent.findChildren(QLabel, ROW)
    width = max(part.sizeHint().width() for part in labels)
    for part in labels:
        part.setMinimumWidth(width)


def beside(*widgets: QWidget, even: bool = False) -> QWidget:
    """Return fields in one row; the first takes the room, or all the same."""
    whole = QWidget()
    line = QHBoxLayout(whole)
    line.setContentsMargins(0, 0, 0, 0)
    line.setSpacing(4)
    for i, widget in enumerate(widgets):
        line.addWidget(widget, 1 if even or i == 0 else 0)
    return whole


def holding(rows: QVBoxLayout) -> QWidget:
    """Return a widget with this layout."""
    whole = QWidget()
    whole.setLayout(rows)
    return whole


def scrolling(rows: QVBoxLayout) -> QScrollArea:
    """Return rows that scroll up and down when there is not enough room."""
    area = QScrollArea()
    area.setWidgetResizable(True)
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setWidget(holding(rows))
    return area


def rule() -> QWidget:
    """Return a thin line between groups of rows."""
    thin = QWidget()
    thin.setFixedHeight(1)
    thin.setStyleSheet("background: rgba(128, 128, 128, 90);")
    return thin
