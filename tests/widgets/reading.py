"""What a person reads, where Qt may take words for markup."""

from __future__ import annotations

from typing import Any


def as_read(shown: Any) -> str:
    """Return the words of a label or of a tooltip as Qt draws them."""
    from qtpy.QtCore import Qt
    from qtpy.QtGui import QTextDocument

    text = shown if isinstance(shown, str) else shown.text()
    guessed = isinstance(shown, str) or shown.textFormat() == Qt.TextFormat.AutoText
    marked = Qt.mightBeRichText(text) if guessed else shown.textFormat() == Qt.TextFormat.RichText
    if not marked:
        return text
    document = QTextDocument()
    document.setHtml(text)
    return str(document.toPlainText())
