"""Docks of ours as tabs: napari puts a dock from its menu below the others, and four of them are four slits."""

from __future__ import annotations

from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QDockWidget, QMainWindow, QWidget


def join_tabs(dock: QDockWidget, kind: type[QWidget]) -> None:
    """Make a dock a tab, the one in front, of the docks on its side of the window that hold a widget of this kind."""
    window = dock.parent()
    if not isinstance(window, QMainWindow) or dock.isFloating() or window.tabifiedDockWidgets(dock):
        return
    side = window.dockWidgetArea(dock)
    others = [other for other in window.findChildren(QDockWidget) if other is not dock and isinstance(other.widget(), kind)]
    beside = [other for other in others if other.isVisibleTo(window) and window.dockWidgetArea(other) == side]
    if beside:
        window.tabifyDockWidget(beside[-1], dock)
        # Qt makes the tabs in a turn of their own, and chooses the one in front then
        QTimer.singleShot(0, dock, dock.raise_)
