"""A label for words that come from elsewhere: names of layers and files, errors, what a server says."""

from __future__ import annotations

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QLabel


class PlainLabel(QLabel):  # type: ignore[misc]
    """Shows words as they are written, over several lines where needed; Qt would take `<y>` for markup and hide it."""

    def __init__(self, text: str = "", *, wraps: bool = True) -> None:
        super().__init__()
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setWordWrap(wraps)
        self.setText(text)
