"""Rows that stay out of sight until they are asked for."""

from __future__ import annotations

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QFormLayout, QToolButton, QVBoxLayout, QWidget


class Fold(QWidget):  # type: ignore[misc]
    """A heading that shows and hides the rows below it."""

    def __init__(self, title: str, rows: QFormLayout) -> None:
        super().__init__()
        self._title = title
        self.content = QWidget()
        self.content.setLayout(rows)
        self.heading = QToolButton()
        self.heading.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextOnly)
        self.heading.setStyleSheet("QToolButton { border: none; background: transparent; padding: 2px 0px; text-align: left; }")
        self.heading.clicked.connect(lambda: self.open(self.content.isHidden()))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 4, 0, 0)
        column.addWidget(self.heading)
        column.addWidget(self.content)
        self.open(False)

    def open(self, shown: bool = True) -> None:
        """Show or hide the rows."""
        self.content.setVisible(shown)
        self.heading.setText(f"{'▾' if shown else '▸'} {self._title}")
