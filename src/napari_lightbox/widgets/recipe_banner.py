"""A question that a run waits for: inputs have changed since the results were made."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QVBoxLayout

from napari_lightbox.widgets.recipe_check import Findings


class InputsBanner(QFrame):  # type: ignore[misc]
    """Says which inputs have changed; emits `accepted(findings)` or `declined()`."""

    accepted = Signal(object)
    declined = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._findings: Findings | None = None
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self.text = QLabel()
        self.text.setWordWrap(True)
        self.accept, self.decline = QPushButton("Use as it is now"), QPushButton("Take the edit back")
        buttons = QHBoxLayout()
        buttons.addWidget(self.accept)
        buttons.addWidget(self.decline)
        column = QVBoxLayout(self)
        column.addWidget(self.text)
        column.addLayout(buttons)
        self.accept.clicked.connect(self._accept)
        self.decline.clicked.connect(self._decline)
        self.hide()

    def ask(self, names: Sequence[str], findings: Findings) -> None:
        """Ask about some inputs."""
        self._findings = findings
        verb = "has" if len(names) == 1 else "have"
        self.text.setText(f"<b>{escape(', '.join(names))}</b> {verb} changed since these results were made. Nothing was run.")
        self.show()

    def _accept(self) -> None:
        self.hide()
        self.accepted.emit(self._findings)

    def _decline(self) -> None:
        self.hide()
        self.declined.emit()
