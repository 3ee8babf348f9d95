"""Keys of the finder: the same wherever the focus is, in the search line or in the list."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from qtpy.QtCore import QEvent, QObject, Qt
from qtpy.QtWidgets import QLineEdit, QListView

from napari_lightbox.widgets.shortcuts import FINDER, Shortcut, matches

_TO_THE_LIST = (Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_PageUp, Qt.Key.Key_PageDown)
_COMMANDS = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier | Qt.KeyboardModifier.MetaModifier


class FinderKeys(QObject):  # type: ignore[misc]
    """Typing searches, arrows move, Escape clears; `actions` says what else keys do."""

    def __init__(
        self, search: QLineEdit, view: QListView, actions: Mapping[Shortcut, Callable[[], Any]], first: Callable[[], Any]
    ) -> None:
        super().__init__(search)
        self._search = search
        self._view = view
        self._actions = actions
        self._first = first
        for widget in (search, view):
            widget.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Take the keys that mean something here."""
        if event.type() == QEvent.Type.KeyPress:
            return self._take(watched, event)
        return bool(super().eventFilter(watched, event))

    def _take(self, watched: QObject, event: Any) -> bool:
        action = next((act for shortcut, act in self._actions.items() if matches(shortcut, event)), None)
        if action is not None:
            action()
        elif matches(FINDER.clear, event):
            self._search.clear()
            self._search.setFocus()
        elif watched is self._search and event.key() in _TO_THE_LIST:
            self._move(event)
        elif watched is self._view and _is_typing(event):
            self._search.setFocus()
            self._search.insert(event.text())
        elif watched is self._view and event.key() == Qt.Key.Key_Backspace:
            self._search.setFocus()
            self._search.backspace()
        else:
            return False
        return True

    def _move(self, event: Any) -> None:
        if self._view.currentIndex().isValid():
            self._view.keyPressEvent(event)
        else:
            self._first()


def _is_typing(event: Any) -> bool:
    return bool(event.text().strip() and event.text().isprintable() and not event.modifiers() & _COMMANDS)
