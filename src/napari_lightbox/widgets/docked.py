"""The base of docks: what must end when napari takes the dock out of its window, and a title that can be read."""

from __future__ import annotations

from qtpy.QtCore import QEvent, QTimer
from qtpy.QtWidgets import QDockWidget, QWidget

from napari_lightbox.widgets.drawing_cache import keep_drawing_cache_whole
from napari_lightbox.widgets.lifeline import Lifeline
from napari_lightbox.widgets.plugin_settings import read_preferences
from napari_lightbox.widgets.tabs import join_tabs
from napari_lightbox.widgets.titles import retitle


class Docked(QWidget):  # type: ignore[misc]
    """A widget that lives in a dock of napari; `lifeline` is cut when it is taken out, closed or destroyed.

    Parameters
    ----------
    title
        What the dock is called on its title bar and tab; empty leaves napari's name.
    """

    def __init__(self, title: str = "") -> None:
        super().__init__()
        keep_drawing_cache_whole()
        read_preferences()
        self.title = title
        self.lifeline = Lifeline()
        self._docked = False
        self.destroyed.connect(self.lifeline.cut)

    def shut_down(self) -> None:
        """End everything that was connected or started."""
        self.lifeline.cut()

    def event(self, event: QEvent) -> bool:
        """Notice when napari takes the dock into its window or out of it."""
        if event.type() == QEvent.Type.ParentChange:
            dock = self.parent()
            if dock is None and self._docked:
                self.shut_down()
                self.deleteLater()
            elif isinstance(dock, QDockWidget):
                dock.topLevelChanged.connect(self._retitle_soon)
                self._retitle_soon()
                QTimer.singleShot(0, self, self._join_tabs)
            self._docked = dock is not None
        return bool(super().event(event))

    def closeEvent(self, event: QEvent) -> None:
        """Stop everything when closed as a window."""
        self.shut_down()
        super().closeEvent(event)

    def _retitle_soon(self) -> None:
        """Set the title once napari has made its title bar, which it does after every move between window and dock."""
        QTimer.singleShot(0, self, self._retitle)

    def _join_tabs(self) -> None:
        dock = self.parent()
        if isinstance(dock, QDockWidget):
            join_tabs(dock, Docked)

    def _retitle(self) -> None:
        dock = self.parent()
        if self.title and isinstance(dock, QDockWidget):
            retitle(dock, self.title)
